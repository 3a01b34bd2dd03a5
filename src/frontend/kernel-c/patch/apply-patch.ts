import type { ReadFile } from '../read-file.ts';
import { type HunkReport, placeHunk } from './apply-hunk.ts';
import { gitBlobId } from './blob-id.ts';
import type { FilePatch, Patch } from './patch.ts';

/** How the file at hand relates to the one the author worked on. */
export type Base =
  /** The blob id of the `index` line is that of the file: the base is proved, not guessed. */
  | { readonly kind: 'exact'; readonly blob: string }
  /** The file at hand is another version than the author's. */
  | { readonly kind: 'different'; readonly stated: string; readonly found: string }
  /** The file at hand already is what the patch makes of it. */
  | { readonly kind: 'already-patched'; readonly blob: string }
  /** The diff has no `index` line. */
  | { readonly kind: 'unstated'; readonly found: string }
  | { readonly kind: 'new-file' }
  | { readonly kind: 'missing' };

export interface FileReport {
  readonly path: string;
  readonly oldPath: string;
  readonly base: Base;
  readonly hunks: readonly HunkReport[];
  /** Why the file as a whole could not be patched; `null` when only the hunks decide. */
  readonly problem: string | null;
  /** True when the patched text has the blob id that the `index` line promises. */
  readonly exactResult: boolean;
}

export interface AppliedPatch {
  /** True when every hunk of every file applied. */
  readonly applies: boolean;
  /** Path to patched text; `null` for a file that is deleted or renamed away. */
  readonly overlay: ReadonlyMap<string, string | null>;
  readonly files: readonly FileReport[];
}

const ABSENT = /^0+$/;

/**
 * Applies a patch in memory, on top of what `readFile` returns. Several diffs of one file (a series in
 * an mbox) build on each other. Hunks that do not apply are reported and left out; the overlay then
 * holds what did apply, and `applies` is false.
 */
export function applyPatch(patch: Patch, readFile: ReadFile): AppliedPatch {
  const overlay = new Map<string, string | null>();
  const files: FileReport[] = [];
  for (const file of patch.files) {
    const over = overlay.get(file.oldPath);
    const text = over === undefined ? readFile(file.oldPath) : over;
    files.push(applyFile(file, text, overlay));
  }
  const applies =
    files.length > 0 &&
    files.every(
      (file) => file.problem === null && file.hunks.every((hunk) => hunk.kind === 'applied'),
    );
  return { applies, overlay, files };
}

function applyFile(
  file: FilePatch,
  text: string | null,
  overlay: Map<string, string | null>,
): FileReport {
  const report = (
    base: Base,
    problem: string | null,
    hunks: readonly HunkReport[] = [],
    exactResult = false,
  ): FileReport => ({
    path: file.newPath,
    oldPath: file.oldPath,
    base,
    hunks,
    problem,
    exactResult,
  });
  if (file.change === 'binary') {
    return report({ kind: 'missing' }, 'a binary diff cannot be applied to C sources');
  }
  if (file.change === 'add') {
    if (text !== null && text !== '') {
      return report(baseOf(file, text), 'the patch adds this file, but the tree already has it');
    }
    return patched(file, '', { kind: 'new-file' }, overlay, report);
  }
  if (text === null) {
    return report(
      { kind: 'missing' },
      `the tree has no file ${file.oldPath}: it may be another tree or revision`,
    );
  }
  return patched(file, text, baseOf(file, text), overlay, report);
}

function baseOf(file: FilePatch, text: string): Base {
  const found = gitBlobId(text);
  if (file.index === null || ABSENT.test(file.index.before)) return { kind: 'unstated', found };
  if (found.startsWith(file.index.before)) return { kind: 'exact', blob: found };
  if (found.startsWith(file.index.after)) return { kind: 'already-patched', blob: found };
  return { kind: 'different', stated: file.index.before, found };
}

function patched(
  file: FilePatch,
  text: string,
  base: Base,
  overlay: Map<string, string | null>,
  report: (
    base: Base,
    problem: string | null,
    hunks: readonly HunkReport[],
    exactResult: boolean,
  ) => FileReport,
): FileReport {
  const before = text === '' ? [] : text.split('\n');
  let newlineAtEnd = true;
  if (before.at(-1) === '') before.pop();
  else if (text !== '') newlineAtEnd = false;

  const after: string[] = [];
  const hunks: HunkReport[] = [];
  let cursor = 0;
  let drift = 0;
  for (const hunk of file.hunks) {
    const { report: made, edit, newlineAtEnd: end } = placeHunk(hunk, before, cursor, drift);
    if (edit === null || made.kind === 'does-not-apply') {
      hunks.push(made);
      continue;
    }
    for (; cursor < edit.at; cursor++) after.push(before[cursor] ?? '');
    const added = made.added.map((index) => after.length + index + 1);
    for (const line of edit.lines) after.push(line);
    cursor = edit.at + edit.remove;
    drift += made.offset;
    if (cursor >= before.length && end !== null) newlineAtEnd = end;
    hunks.push({ ...made, added });
  }
  for (; cursor < before.length; cursor++) after.push(before[cursor] ?? '');

  const result = after.join('\n') + (after.length > 0 && newlineAtEnd ? '\n' : '');
  if (file.change === 'delete') {
    overlay.set(file.oldPath, null);
  } else {
    if (file.oldPath !== file.newPath) overlay.set(file.oldPath, null);
    overlay.set(file.newPath, result);
  }
  const promised = file.index?.after ?? '';
  const exactResult =
    promised !== '' && !ABSENT.test(promised) && gitBlobId(result).startsWith(promised);
  return report(base, null, hunks, exactResult);
}
