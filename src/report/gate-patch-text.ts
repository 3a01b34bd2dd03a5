import type { HunkReport } from '../frontend/kernel-c/patch/apply-hunk.ts';
import type { AppliedPatch, Base, FileReport } from '../frontend/kernel-c/patch/apply-patch.ts';

/** How one file of a patch relates to the tree, in one line. */
export function fileReportText(file: FileReport): string {
  const { path, base, hunks, exactResult } = file;
  const count = `${hunks.length} ${hunks.length === 1 ? 'hunk' : 'hunks'}`;
  const words = [baseText(base), placesText(hunks, count)];
  if (hunks.some((hunk) => hunk.kind === 'applied' && hunk.blanksIgnored)) {
    words.push('blanks that the mail lost are taken from the tree');
  }
  if (exactResult) words.push('the result is the file the author had');
  return `${path}: ${words.join('; ')}`;
}

function baseText(base: Base): string {
  switch (base.kind) {
    case 'exact':
      return `exact base ${base.blob.slice(0, 12)}`;
    case 'different':
      return `another version than the author's (${base.stated.slice(0, 12)}, here ${base.found.slice(0, 12)})`;
    case 'already-patched':
      return 'this file already is what the patch makes of it';
    case 'unstated':
      return 'the patch does not say which version it is for';
    case 'new-file':
      return 'a new file';
    case 'missing':
      return 'the tree has no such file';
  }
}

function placesText(hunks: readonly HunkReport[], count: string): string {
  const moved = hunks.flatMap((hunk) =>
    hunk.kind === 'applied' && hunk.offset !== 0 ? [hunk] : [],
  );
  if (moved.length === 0) return `${count} where the patch says`;
  const words = moved.map(
    ({ hunk, offset, places }) =>
      `hunk ${hunk} applies with offset ${offset}${places > 1 ? ` (one of ${places} places)` : ''}`,
  );
  return `${count}; ${words.join(', ')}`;
}

/** Why a patch does not apply, in one sentence; `null` when it does. */
export function refusalOf(patch: AppliedPatch): string | null {
  if (patch.applies) return null;
  for (const { path, problem, hunks } of patch.files) {
    if (problem !== null) return `the patch does not apply: ${path}: ${problem}`;
    for (const hunk of hunks) {
      if (hunk.kind === 'applied') continue;
      return `the patch does not apply: hunk ${hunk.hunk} of ${path} (line ${hunk.patchLine} of the patch): ${hunk.why}`;
    }
  }
  return 'the patch does not apply: it changes no file';
}
