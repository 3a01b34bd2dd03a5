import { MACHINE_FAULTS, type MachineFault } from '../machine/fault.ts';
import { isLitmusFile } from './litmus-case.ts';
import type { LitmusComparison } from './litmus-compare.ts';
import { readExpectations, type LitmusExpectation } from './litmus-expected.ts';
import { compareFolder, type LitmusFolder } from './litmus-folder.ts';
import { mutationSubjects, notices } from './litmus-mutation.ts';

/** The project's own tests: what they came to, and which of them notice which fault. */
export interface OwnConformance {
  readonly comparisons: readonly LitmusComparison[];
  /** The reasoning behind the expected outcomes, by test. */
  readonly reasons: ReadonlyMap<string, string>;
  readonly noticedBy: ReadonlyMap<MachineFault, readonly string[]>;
}

/** One reference: a folder of tests that somebody else's model was run on. */
export interface ReferenceConformance {
  readonly name: string;
  readonly comparisons: readonly LitmusComparison[];
}

/** Enough for every test with a mutated machine; a cut-off search notices nothing. */
const MUTATION_STATES = 20_000;
const REFERENCE_STATES = 1_000;

/** Runs the project's own tests, with the machine as it is and with each of its faults. */
export function ownConformance(
  folder: LitmusFolder,
  limits: { readonly states: number },
): OwnConformance | { readonly problem: string } {
  const text = folder.read('expected.json') ?? '';
  const read = readExpectations(text);
  if ('problem' in read) return read;
  const without = folder.files.filter(
    (file) => isLitmusFile(file) && !read.rows.some(({ key }) => key === file),
  );
  if (without.length > 0) return { problem: `${without.join(', ')} have no expectation.` };
  const comparisons = compareFolder(read.rows, folder, limits);
  if ('problem' in comparisons) return comparisons;
  return {
    comparisons,
    reasons: reasonsOf(text),
    noticedBy: noticed(read.rows, folder, MUTATION_STATES),
  };
}

function noticed(
  rows: readonly LitmusExpectation[],
  folder: LitmusFolder,
  states: number,
): ReadonlyMap<MachineFault, readonly string[]> {
  const subjects = mutationSubjects(rows, folder);
  const faults = Object.keys(MACHINE_FAULTS) as MachineFault[];
  return new Map(
    faults.map((fault) => {
      const by = subjects.filter((s) => notices(s, fault, { states }));
      return [fault, by.map(({ expectation }) => expectation.key)];
    }),
  );
}

/**
 * How many tests of a reference notice which fault, among those that agree with the machine as it is
 * and stay small. Takes minutes.
 */
export function noticingTests(
  rows: readonly LitmusExpectation[],
  folder: LitmusFolder,
): ReadonlyMap<MachineFault, number> {
  const limits = { states: REFERENCE_STATES };
  const compared = compareFolder(rows, folder, limits);
  const agreeing =
    'problem' in compared
      ? []
      : compared.flatMap(({ result, expectation }) => (result === 'equal' ? [expectation] : []));
  const counts = [...noticed(agreeing, folder, limits.states)];
  return new Map(counts.map(([fault, keys]) => [fault, keys.length]));
}

function reasonsOf(text: string): ReadonlyMap<string, string> {
  const rows = JSON.parse(text) as Readonly<Record<string, { readonly why?: unknown }>>;
  return new Map(
    Object.entries(rows).map(([key, { why }]) => [key, typeof why === 'string' ? why : '']),
  );
}
