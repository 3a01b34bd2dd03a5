import { describe, expect, it } from 'vitest';
import { DEFAULT_FEATURES, showFeatureDifferences } from '../src/arm64/features.ts';
import { perPageFlush } from '../src/candidates/unmap-stage2-range/per-page-flush.ts';
import { checkScenario, machineOf } from '../src/explore/check.ts';
import { featureMatrix, MATRIX_FEATURES } from '../src/explore/matrix.ts';
import { randomRun } from '../src/explore/random.ts';
import { verify } from '../src/explore/verify.ts';
import { ALL_RULES } from '../src/rules/all-rules.ts';
import { isInputError } from '../src/scenario/input-error.ts';
import { defaultScenario } from '../src/scenario/scenario.ts';
import { labelsOf } from '../src/trace/replay.ts';
import { LIMITS, PROVE } from './support/scale.ts';

/** Two PEs, two pages on both sides of a top-level border, tables that dissolve, a lock that may drop. */
const points = featureMatrix().map((features) => ({
  name: showFeatureDifferences(features) || 'the default machine',
  features,
}));

describe('no alarm on the baseline', () => {
  it('has the whole matrix of fwb, vhe and granule', () => {
    expect(MATRIX_FEATURES).toEqual(['fwb', 'vhe', 'granule']);
    expect(points).toHaveLength(12);
  });

  it.each(points)('$name', ({ features }) => {
    const scenario = defaultScenario(perPageFlush.id, features);
    const checked = checkScenario(scenario, perPageFlush, ALL_RULES, LIMITS);
    if (isInputError(checked)) throw new Error(checked.message);
    expect(checked.outcomes.filter(({ verdict }) => verdict !== 'verified')).toEqual([]);
  });

  it('has both PEs, both pages, the dissolve and the lock drop inside the bounds', () => {
    const scenario = defaultScenario(perPageFlush.id, DEFAULT_FEATURES);
    expect([scenario.hosts, scenario.vcpus, scenario.pages]).toEqual([1, 1, 2]);
    const machine = machineOf(scenario, perPageFlush);
    if (isInputError(machine)) throw new Error(machine.message);
    const runs = [1, 2, 3, 4, 5, 6, 7, 8].map((seed) =>
      labelsOf(machine, randomRun(machine, seed, { hosts: 1, rules: [] }).steps),
    );
    const count = (start: string): number =>
      Math.max(...runs.map((labels) => labels.filter(({ what }) => what.startsWith(start)).length));
    // Two tables on each side of the border; the lock is given away between the sides.
    expect(count('free ')).toBe(4);
    expect(count('unlock ')).toBe(2);
  });

  const larger = PROVE ? ['all scenarios, the whole matrix, one change at a time beside it'] : [];
  it.each(larger)('%s', () => {
    const found = verify({
      candidate: perPageFlush,
      rules: ALL_RULES,
      features: null,
      scenario: null,
      overrides: {},
      statesPerSearch: LIMITS.states,
      expired: () => false,
    });
    if (isInputError(found)) throw new Error(found.message);
    expect(found.verdict).toBe('verified');
  });
});
