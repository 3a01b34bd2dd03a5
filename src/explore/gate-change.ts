import type { AppliedPatch, FileReport } from '../frontend/kernel-c/patch/apply-patch.ts';
import type { HunkReport } from '../frontend/kernel-c/patch/apply-hunk.ts';

/** What a patch does to one file, hunk by hunk. */
export interface FileChange {
  /** Path after the patch. */
  readonly path: string;
  readonly oldPath: string;
  readonly hunks: readonly HunkChange[];
}

/** One hunk as lines of the two versions of the file, both from 1. */
export interface HunkChange {
  /** 1 for the first hunk of the file. */
  readonly number: number;
  /** Lines of the file as patched. */
  readonly added: readonly number[];
  /** Lines of the file as it was. */
  readonly removed: readonly number[];
}

type Applied = Extract<HunkReport, { readonly kind: 'applied' }>;

/**
 * What a patch changes, in lines of the first and the last version of each file: in a series a later
 * patch moves the lines of an earlier one, or takes them away again.
 */
export function changesOf(patch: AppliedPatch): readonly FileChange[] {
  const byPath = new Map<string, FileReport[]>();
  for (const report of patch.files) {
    const before = byPath.get(report.oldPath);
    if (before === undefined) byPath.set(report.path, [report]);
    else {
      byPath.delete(report.oldPath);
      byPath.set(report.path, [...before, report]);
    }
  }
  return [...byPath].map(([path, reports]) => {
    const versions = reports.map(({ hunks }) => hunks.filter(isApplied));
    const hunks: HunkChange[] = [];
    versions.forEach((version, index) => {
      for (const { added, removed } of version) {
        hunks.push({
          number: hunks.length + 1,
          added: added.flatMap((line) => later(line, versions.slice(index + 1)) ?? []),
          removed: removed.flatMap((line) => earlier(line, versions.slice(0, index)) ?? []),
        });
      }
    });
    return { path, oldPath: reports[0]?.oldPath ?? path, hunks };
  });
}

/**
 * The number that an unchanged line of one version has in the other; `null` for a line that is only in
 * this one.
 */
export function lineInOther(
  { hunks }: FileChange,
  version: 'before' | 'after',
  line: number,
): number | null {
  const added = hunks.flatMap((hunk) => hunk.added);
  const removed = hunks.flatMap((hunk) => hunk.removed);
  const [own, other] = version === 'after' ? [added, removed] : [removed, added];
  return own.includes(line) ? null : moved(line, own, sorted(other));
}

function isApplied(report: HunkReport): report is Applied {
  return report.kind === 'applied';
}

/** Where a line is after some further patches; `null` when one of them removes it. */
function later(line: number, patches: readonly (readonly Applied[])[]): number | null {
  let at = line;
  for (const hunks of patches) {
    const removed = hunks.flatMap((hunk) => hunk.removed);
    if (removed.includes(at)) return null;
    at = moved(at, removed, sorted(hunks.flatMap((hunk) => hunk.added)));
  }
  return at;
}

/** Where a line was before some patches; `null` when one of them added it. */
function earlier(line: number, patches: readonly (readonly Applied[])[]): number | null {
  let at = line;
  for (const hunks of [...patches].reverse()) {
    const added = hunks.flatMap((hunk) => hunk.added);
    if (added.includes(at)) return null;
    at = moved(at, added, sorted(hunks.flatMap((hunk) => hunk.removed)));
  }
  return at;
}

/** The number of a line when some lines go away and others come in, these by their new numbers. */
function moved(line: number, gone: readonly number[], come: readonly number[]): number {
  let at = line - gone.filter((other) => other < line).length;
  for (const other of come) {
    if (other <= at) at += 1;
  }
  return at;
}

function sorted(lines: readonly number[]): readonly number[] {
  return [...lines].sort((a, b) => a - b);
}
