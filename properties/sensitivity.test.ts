import { describe, expect, it } from 'vitest';
import { DEFAULT_FEATURES, type Features } from '../src/arm64/features.ts';
import type { Candidate } from '../src/candidates/candidate.ts';
import { CANDIDATES } from '../src/candidates/catalogue.ts';
import { mutants } from '../src/candidates/mutants/mutate.ts';
import { findViolation, machineOf } from '../src/explore/check.ts';
import { scenarioLibrary } from '../src/explore/library.ts';
import { ALL_RULES } from '../src/rules/all-rules.ts';
import { worldOf } from '../src/scenario/build.ts';
import { isInputError } from '../src/scenario/input-error.ts';
import { LIMITS, MACHINES } from './support/scale.ts';

/** Machines of the passes: those of the other properties. */
const machines: readonly Features[] = MACHINES.filter(
  ({ granule }) => granule === DEFAULT_FEATURES.granule,
);

/** The first mutant of a candidate that a rule refutes in one of the scenarios it passes, or null. */
function killedMutant(candidate: Candidate, features: Features): string | null {
  for (const { scenario } of scenarioLibrary(candidate, features)) {
    for (const { id, candidate: mutant } of mutants(candidate, worldOf(scenario, candidate))) {
      const machine = machineOf(scenario, mutant);
      if (isInputError(machine)) continue;
      if (findViolation(machine, ALL_RULES, LIMITS, true).kind === 'violation') return id;
    }
  }
  return null;
}

/** A pass without a killed mutant is no evidence. */
describe('sensitivity: every pass has a mutant that fails', () => {
  const passes = CANDIDATES.flatMap((candidate) =>
    machines
      .filter((features) => candidate.expected(features).verdict === 'holds')
      // Nothing runs on the host: the fault path is under test.
      .filter(() => candidate.operation !== 'fault')
      .map((features) => ({ id: candidate.id, candidate, features })),
  );
  it.each(passes)('$id', ({ candidate, features }) => {
    expect(killedMutant(candidate, features)).not.toBeNull();
  });
});

/** The fault path has no mutants of its own; its broken twins take their place. */
describe('sensitivity: the fault path has twins that fail', () => {
  const faults = CANDIDATES.filter(({ id }) => id.startsWith('memory-fault/'));
  it('of each kind', () => {
    const verdicts = faults.map(({ expected }) => expected(DEFAULT_FEATURES).verdict);
    expect(verdicts).toContain('holds');
    expect(verdicts).toContain('refuted');
  });
});
