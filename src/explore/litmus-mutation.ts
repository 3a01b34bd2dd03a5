import type { MachineFault } from '../machine/fault.ts';
import { readLitmus } from './litmus-case.ts';
import { compareLitmus } from './litmus-compare.ts';
import type { LitmusExpectation } from './litmus-expected.ts';
import type { LitmusFolder } from './litmus-folder.ts';
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
  folder: Pick<LitmusFolder, 'read'>,
): readonly MutationSubject[] {
  const subjects: MutationSubject[] = [];
  for (const expectation of rows) {
    if (expectation.kind !== 'outcomes') continue;
    const text = folder.read(expectation.key);
    if (text === null) continue;
    const parsed = readLitmus(expectation.key, text, expectation);
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
