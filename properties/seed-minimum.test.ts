import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DEFAULT_FEATURES } from '../src/arm64/features.ts';
import { findCandidate } from '../src/candidates/catalogue.ts';
import { deferredRangeFlush } from '../src/candidates/unmap-stage2-range/deferred-range-flush.ts';
import { runArbitrary, type RunCase } from '../src/explore/arbitrary.ts';
import { findCounterexample } from '../src/explore/counterexample-search.ts';
import { scenarioArbitrary } from '../src/explore/scenario-arbitrary.ts';
import { contentsAfterReturn } from '../src/rules/contents-after-return.ts';
import { readReplay, writeReplay } from '../src/scenario/replay-file.ts';
import { isInputError } from '../src/scenario/input-error.ts';
import type { Scenario } from '../src/scenario/scenario.ts';
import { labelsOf } from '../src/trace/replay.ts';

const FILE = new URL(
  './corpus/contents-after-return/unmap-stage2-range--deferred-range-flush.replay.json',
  import.meta.url,
);

/** Random walks of random scenarios of the seed, shrunk. */
function shrunk(seed: number): RunCase {
  const runs = runArbitrary(
    scenarioArbitrary({
      candidate: deferredRangeFlush.id,
      features: fc.constant(DEFAULT_FEATURES),
    }),
    {
      candidateOf(id) {
        const candidate = findCandidate(id);
        if (candidate === null) throw new RangeError(`no candidate ${id}`);
        return candidate;
      },
      rules: [contentsAfterReturn],
    },
  );
  const { counterexample } = fc.check(
    fc.property(runs, ({ broken }) => broken === null),
    { seed, numRuns: 2000 },
  );
  if (counterexample === null) throw new Error(`seed ${seed} finds nothing`);
  return counterexample[0];
}

/**
 * The minimum near a shrunk run: the guest may make the accesses of the run at any time again, and the
 * cheapest run of that scenario is looked for, as for every stored minimum.
 */
function minimumNear({ scenario }: RunCase): string | null {
  const { guest } = scenario;
  const widened: Scenario =
    guest.kind === 'trace'
      ? {
          ...scenario,
          guest: {
            kind: 'general',
            kinds: [...new Set(guest.vcpus.flat().map(({ access }) => access))],
          },
        }
      : scenario;
  const found = findCounterexample(widened, deferredRangeFlush, contentsAfterReturn, {
    states: 400_000,
  });
  if (found === null || !found.minimal) return null;
  const labels = labelsOf(found.machine, found.steps);
  return writeReplay({ scenario: found.scenario, rule: contentsAfterReturn.id, labels });
}

const stored = readFileSync(FILE, 'utf8');

describe('the run of the seed', () => {
  const file = readReplay(stored, 'the stored run');
  const events = isInputError(file) ? -1 : file.labels.length;

  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])(
    'is the same from random seed %i, byte for byte',
    (seed) => {
      const run = shrunk(seed);
      // The shrinker alone gets as short; what it may leave is the order of independent steps.
      expect(run.trace).toHaveLength(events);
      expect(run.scenario.guest).toEqual({
        kind: 'trace',
        vcpus: [[{ access: 'write', page: 0 }]],
      });
      expect(minimumNear(run)).toBe(stored);
    },
  );
});
