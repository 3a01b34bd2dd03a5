import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow } from '../src/cli/litmus-io.ts';
import { readExpectations } from '../src/explore/litmus-expected.ts';
import { compareFolder, DEFAULT_LITMUS_STATES } from '../src/explore/litmus-folder.ts';
import { median } from '../src/report/litmus-text.ts';

/** How long the catalogue of one reference takes in one process, and how long the reference took. */
export interface ConformanceRow {
  readonly reference: string;
  readonly engine: 'herd' | 'ets2' | 'system';
  readonly tests: number;
  readonly equal: number;
  readonly totalMs: number;
  readonly medianMs: number;
  /** Null where the times of the reference are not recorded. */
  readonly referenceTotalMs: number | null;
  readonly referenceMedianMs: number | null;
}

/** One row per reference and engine; none where there are no references on this computer. */
export function conformanceRows(
  root: string = process.env['TLBGATE_LITMUS'] ?? '../shared/litmus',
): readonly ConformanceRow[] {
  const rows: ConformanceRow[] = [];
  for (const reference of ['herd-vmsa', 'system-vmsa']) {
    const expected = join(root, `${reference}.expected.json`);
    if (!existsSync(expected)) continue;
    const read = readExpectations(readFileSync(expected, 'utf8'));
    if ('problem' in read) throw new Error(`${expected}: ${read.problem}`);
    const path = join(root, reference);
    const folder = {
      files: filesBelow(path) ?? [],
      read: (file: string) => readFileSync(join(path, file), 'utf8'),
      now: () => performance.now(),
    };
    for (const engine of ['herd', 'ets2', 'system'] as const) {
      const wanted = read.rows.filter((row) => row.engine === engine);
      if (wanted.length === 0) continue;
      const comparisons = compareFolder(wanted, folder, { states: DEFAULT_LITMUS_STATES });
      if ('problem' in comparisons) throw new Error(`${expected}: ${comparisons.problem}`);
      const ours = comparisons.map(({ ms }) => ms);
      const theirs = wanted.flatMap((row) =>
        row.kind === 'outcomes' && row.seconds !== null ? [row.seconds * 1000] : [],
      );
      rows.push({
        reference,
        engine,
        tests: comparisons.length,
        equal: comparisons.filter(({ result }) => result === 'equal').length,
        totalMs: sum(ours),
        medianMs: median(ours),
        referenceTotalMs: theirs.length === 0 ? null : sum(theirs),
        referenceMedianMs: theirs.length === 0 ? null : median(theirs),
      });
    }
  }
  return rows;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
