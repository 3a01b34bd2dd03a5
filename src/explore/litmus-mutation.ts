import type { MachineFault } from '../machine/fault.ts';
import { readLitmus } from './litmus-case.ts';
import { compareLitmus } from './litmus-compare.ts';
import type { LitmusExpectation } from './litmus-expected.ts';
import { fileFinder, type LitmusFolder } from './litmus-folder.ts';
import { runLitmus } from './litmus-run.ts';
import type { LitmusTest } from '../frontend/litmus/litmus-test.ts';

/** A test with what the machine must allow. */
export interface MutationSubject {
  readonly test: LitmusTest;
  readonly expectation: LitmusExpectation;
}

/** The tests of a folder that can be read and have expectations. */
export function mutationSubjects(
  rows: readonly LitmusExpectation[],
  folder: Pick<LitmusFolder, 'files' | 'read'>,
): readonly MutationSubject[] {
  const subjects: MutationSubject[] = [];
  const fileOf = fileFinder(rows, folder);
  for (const expectation of rows) {
    const file = fileOf(expectation);
    const text = file === undefined ? null : folder.read(file);
    if (file === undefined || text === null) continue;
    const reading = expectation.kind === 'outcomes' ? expectation : { variants: [] };
    const parsed = readLitmus(file, text, reading);
    if (parsed.kind === 'test') subjects.push({ test: parsed.test, expectation });
  }
  return subjects;
}

/** Whether the result of a test changes when the machine has a fault. */
export function notices(
  { test, expectation }: MutationSubject,
  fault: MachineFault,
  limits: { readonly states: number },
): boolean {
  const broken = { ...test, setup: { ...test.setup, faults: new Set([fault]) } };
  const outcomes = runLitmus(broken, limits);
  const { result } = compareLitmus(expectation, { kind: 'outcomes', test, outcomes }, 0);
  return result !== 'equal' && result !== 'limit';
}
