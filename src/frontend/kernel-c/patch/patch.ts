/** A patch as data: which files it touches and, per file, the hunks in the order of the diff. */
export interface Patch {
  readonly files: readonly FilePatch[];
  /** Things in the text that look like a diff but were not understood. */
  readonly complaints: readonly PatchComplaint[];
}

export interface PatchComplaint {
  /** Line of the patch text, from 1. */
  readonly line: number;
  readonly why: string;
}

export interface FilePatch {
  readonly change: FileChange;
  /** Path before the patch, relative to the root of the tree; for an added file the new path. */
  readonly oldPath: string;
  /** Path after the patch; for a deleted file the old path. */
  readonly newPath: string;
  /** Abbreviated blob ids of the `index` line, when there is one. */
  readonly index: { readonly before: string; readonly after: string } | null;
  readonly hunks: readonly Hunk[];
  /** Line of the patch text at which this file begins, from 1. */
  readonly line: number;
}

export type FileChange = 'modify' | 'add' | 'delete' | 'rename' | 'binary';

export interface Hunk {
  /** 1 for the first hunk of its file. */
  readonly number: number;
  readonly oldStart: number;
  readonly oldCount: number;
  readonly newStart: number;
  readonly newCount: number;
  /** What stands after the second `@@`: usually the function. */
  readonly section: string;
  /** Line of the `@@` header in the patch text, from 1. */
  readonly line: number;
  /** The lines as the markers say, cut by the counts of the header. */
  readonly reading: HunkReading | null;
  /**
   * The raw lines up to the next header. A damaged diff may need another reading than the markers
   * suggest; `readHunk` makes them.
   */
  readonly raw: readonly string[];
}

export interface HunkReading {
  readonly lines: readonly HunkLine[];
  /** How many lines with a `+` or `-` were taken for context that lost its marker. */
  readonly reinterpreted: number;
}

export interface HunkLine {
  readonly kind: 'context' | 'add' | 'remove';
  readonly text: string;
  /** False when `\ No newline at end of file` follows. */
  readonly newline: boolean;
}
