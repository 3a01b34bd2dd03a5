/**
 * How this folder sees the source tree: a function from a path, relative to the root of the tree,
 * to the text of the file, or `null` when there is no such file. Only `src/cli` and tests read disks.
 */
export type ReadFile = (path: string) => string | null;

/** Files that stand in front of the tree: new text by path, `null` for a file that was deleted. */
export type Overlay = ReadonlyMap<string, string | null>;

/** Reads through an overlay, so that patched or synthesised files hide those of the tree. */
export function overlayReader(overlay: Overlay, below: ReadFile): ReadFile {
  return (path) => {
    const over = overlay.get(path);
    return over === undefined ? below(path) : over;
  };
}
