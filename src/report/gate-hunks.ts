import type { SourceLocation } from '../program/source-location.ts';
import type { FileChange } from '../explore/gate-change.ts';
import { isInTree } from '../explore/gate-sources.ts';
import type { Counterexample } from './counterexample.ts';

/** The text of a file of the patched tree, or of the tree as it was; `null` when there is none. */
export type TextOf = (file: string) => string | null;

/** One line of a file, trimmed; `null` when there is no such line. */
export function lineOf(textOf: TextOf, file: string, line: number): string | null {
  const text = textOf(file)?.split('\n')[line - 1]?.trim();
  return text === undefined || text === '' ? null : text;
}

/** The same run with the lines of the tree where statements of the tree are named. */
export function withSource(example: Counterexample, textOf: TextOf): Counterexample {
  const place = (at: SourceLocation): SourceLocation => {
    const text = isInTree(at) ? lineOf(textOf, at.file, at.line) : null;
    return text === null ? at : { ...at, text };
  };
  return {
    ...example,
    rows: example.rows.map((row) => {
      if (row.at === null || row.kind !== 'host' || !isInTree(row.at)) return row;
      const at = place(row.at);
      return { ...row, at, text: at.text.replace(/;$/, '') };
    }),
    spans: example.spans.map((span) => ({ ...span, at: place(span.at) })),
  };
}

/** A hunk that changed something at or around the places of a run. */
export interface ShownHunk {
  readonly file: string;
  readonly number: number;
  /** Removed lines with the numbers they had, then added ones with the numbers they have. */
  readonly lines: readonly {
    readonly sign: '-' | '+';
    readonly line: number;
    readonly text: string;
    /** A statement of the run stands on it. */
    readonly inRun: boolean;
  }[];
}

/** Lines between a place of the run and a hunk that still belong together. */
const NEAR = 12;

/**
 * The hunks that moved what a run goes through: those that add a line of it, and those that removed
 * something from next to one.
 */
export function hunksBehind(
  changes: readonly FileChange[],
  places: readonly SourceLocation[],
  before: TextOf,
  after: TextOf,
): readonly ShownHunk[] {
  const shown: ShownHunk[] = [];
  for (const { path, oldPath, hunks } of changes) {
    const lines = new Set(places.filter(({ file }) => file === path).map(({ line }) => line));
    if (lines.size === 0) continue;
    for (const [index, hunk] of hunks.entries()) {
      const adds = hunk.added.some((line) => lines.has(line));
      const shift = hunks
        .slice(0, index)
        .reduce((sum, { added, removed }) => sum + added.length - removed.length, 0);
      const removes = hunk.removed.some((line) =>
        [...lines].some((other) => Math.abs(line + shift - other) <= NEAR),
      );
      if (!adds && !removes) continue;
      shown.push({
        file: path,
        number: hunk.number,
        // Blank lines say nothing here.
        lines: [
          ...hunk.removed.map((line) => ({
            sign: '-' as const,
            line,
            text: lineOf(before, oldPath, line) ?? '',
            inRun: false,
          })),
          ...hunk.added.map((line) => ({
            sign: '+' as const,
            line,
            text: lineOf(after, path, line) ?? '',
            inRun: lines.has(line),
          })),
        ].filter(({ text }) => text !== ''),
      });
    }
  }
  return shown;
}
