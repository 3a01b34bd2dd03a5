import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_FEATURES, type Features } from '../src/arm64/features.ts';
import type { Candidate } from '../src/candidates/candidate.ts';
import { findCandidate } from '../src/candidates/catalogue.ts';
import { deferredRangeFlush } from '../src/candidates/unmap-stage2-range/deferred-range-flush.ts';
import { perPageFlush } from '../src/candidates/unmap-stage2-range/per-page-flush.ts';
import { runArbitrary, type RunCase } from '../src/explore/arbitrary.ts';
import { featureMatrix } from '../src/explore/matrix.ts';
import { scenarioArbitrary } from '../src/explore/scenario-arbitrary.ts';
import { ALL_RULES } from '../src/rules/all-rules.ts';
import { PROVE } from './support/scale.ts';

const RUNS = PROVE ? 20_000 : 300;

function known(id: string): Candidate {
  const candidate = findCandidate(id);
  if (candidate === null) throw new RangeError(`no candidate ${id}`);
  return candidate;
}

/** Random schedules of random scenarios: guests, views, mappings, faults, a second unmap or VM. */
function breaksRule(candidate: Candidate, features: readonly Features[]): fc.RunDetails<[RunCase]> {
  const scenarios = scenarioArbitrary({
    candidate: candidate.id,
    features: fc.constantFrom(...features),
    vcpus: { min: 1, max: PROVE ? 4 : 2 },
    pages: { min: 1, max: PROVE ? 4 : 2 },
    faults: ['ignored', 'enter-host'],
    hosts: [1, 2],
  });
  const runs = runArbitrary(scenarios, { candidateOf: known, rules: ALL_RULES });
  return fc.check(
    fc.property(runs, ({ broken }) => broken === null),
    { seed: 1, numRuns: RUNS },
  );
}

describe('random scenarios', () => {
  // Blocks are for the 4K granule, which has them at every level a scenario asks for.
  const machines = featureMatrix().filter(({ granule }) => granule === DEFAULT_FEATURES.granule);

  it('the baseline holds', () => {
    const details = breaksRule(perPageFlush, machines);
    expect(details.counterexample).toBeNull();
    expect(details.interrupted).toBe(false);
  });

  it('the seed holds where it is expected to', () => {
    const holds = machines.filter(
      (features) => deferredRangeFlush.expected(features).verdict === 'holds',
    );
    const details = breaksRule(deferredRangeFlush, holds);
    expect(details.counterexample).toBeNull();
    expect(details.interrupted).toBe(false);
  });

  it('the same walks find the seed out where it is not', () => {
    expect(breaksRule(deferredRangeFlush, [DEFAULT_FEATURES]).failed).toBe(true);
  });
});
