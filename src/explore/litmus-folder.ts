import { answerLitmus, isLitmusFile } from './litmus-case.ts';
import { compareLitmus, type LitmusComparison } from './litmus-compare.ts';
import type { LitmusExpectation } from './litmus-expected.ts';

/**
 * Most states of a search when nobody says otherwise: half a gigabyte, and minutes at the most. The
 * largest test of the references needs 0.8 million, the largest of herd7's catalogue that ends 1.8.
 */
export const DEFAULT_LITMUS_STATES = 4_000_000;

/** A folder of litmus tests and what stands outside of the program. */
export interface LitmusFolder {
  /** Paths of its files, relative to it. */
  readonly files: readonly string[];
  /** The text of one of them; null when it cannot be read. */
  readonly read: (file: string) => string | null;
  /** Milliseconds, from any start. */
  readonly now: () => number;
}

/**
 * Every expectation against its test. The keys of verdicts are names of tests, not paths. Gives up
 * on an expectation for which there is no test.
 */
export function compareFolder(
  rows: readonly LitmusExpectation[],
  folder: LitmusFolder,
  limits: { readonly states: number },
  variants: readonly string[] = [],
): readonly LitmusComparison[] | { readonly problem: string } {
  const fileOf = fileFinder(rows, folder);
  const comparisons: LitmusComparison[] = [];
  for (const row of rows) {
    const file = fileOf(row);
    const text = file === undefined ? null : folder.read(file);
    if (file === undefined || text === null) return { problem: `there is no test "${row.key}".` };
    const own = row.kind === 'outcomes' ? row : { variants: [], features: {} };
    const reading = { variants: [...own.variants, ...variants], features: own.features };
    const start = folder.now();
    const answer = answerLitmus(file, text, reading, limits);
    comparisons.push(compareLitmus(row, answer, folder.now() - start));
  }
  return comparisons;
}

/** Finds the test of an expectation. */
export function fileFinder(
  rows: readonly LitmusExpectation[],
  folder: Pick<LitmusFolder, 'files' | 'read'>,
): (row: LitmusExpectation) => string | undefined {
  const named = rows.some(({ kind }) => kind === 'verdict') ? filesByName(folder) : null;
  return (row) => (row.kind === 'verdict' ? named?.get(row.key) : row.key);
}

/** By the name of the file, which is unique, and by the name inside, which sometimes is not. */
function filesByName(folder: Pick<LitmusFolder, 'files' | 'read'>): ReadonlyMap<string, string> {
  const tests = folder.files.filter(isLitmusFile);
  const byName = new Map<string, string>();
  for (const file of tests) {
    const text = folder.read(file) ?? '';
    const [, name] = /^name\s*=\s*"(.*)"/m.exec(text) ?? /^AArch64\s+(\S+)/.exec(text) ?? [];
    if (name !== undefined) byName.set(name, file);
  }
  for (const file of tests) {
    byName.set(file.replace(/^.*\//, '').replace(/\.litmus(\.toml)?$/, ''), file);
  }
  return byName;
}
