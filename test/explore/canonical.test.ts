import { expect, test } from 'vitest';
import { DEFAULT_FEATURES } from '../../src/arm64/features.ts';
import { deferredRangeFlush } from '../../src/candidates/unmap-stage2-range/deferred-range-flush.ts';
import { machineOf } from '../../src/explore/check.ts';
import { findCounterexample } from '../../src/explore/counterexample-search.ts';
import { scenarioLibrary } from '../../src/explore/library.ts';
import { randomSearch } from '../../src/explore/random.ts';
import { contentsAfterReturn } from '../../src/rules/contents-after-return.ts';
import { defaultScenario } from '../../src/scenario/scenario.ts';
import { writeReplay } from '../../src/scenario/replay-file.ts';
import { labelsOf } from '../../src/trace/replay.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';

/** The canonical counterexample of a scenario, as the text of its replay file. */
function minimum(scenario: Scenario): string {
  const found = findCounterexample(scenario, deferredRangeFlush, contentsAfterReturn, {
    states: 300_000,
  });
  if (found === null) return 'not refuted';
  expect(found.minimal).toBe(true);
  const labels = labelsOf(found.machine, found.steps);
  return writeReplay({ scenario: found.scenario, rule: contentsAfterReturn.id, labels });
}

test('ten random seeds, in different scenarios, end in the same minimum', () => {
  const canonical = minimum(defaultScenario(deferredRangeFlush.id, DEFAULT_FEATURES));
  const library = scenarioLibrary(deferredRangeFlush, DEFAULT_FEATURES).filter(
    ({ scenario }) => scenario.view !== 'cacheable' && scenario.guest.kind === 'general',
  );
  const fit = library.filter(
    ({ scenario }) => scenario.guest.kind === 'general' && scenario.guest.kinds.includes('write'),
  );
  for (let seed = 1; seed <= 10; seed += 1) {
    const named = fit[(seed * 3) % fit.length];
    if (named === undefined) throw new Error('no scenario');
    const machine = machineOf(named.scenario, deferredRangeFlush);
    if ('kind' in machine) throw new Error(machine.message);
    const random = randomSearch(machine, seed, {
      hosts: named.scenario.hosts,
      rules: [contentsAfterReturn],
      runs: 3000,
    });
    expect([seed, named.name, random.found !== null]).toEqual([seed, named.name, true]);
    expect(minimum(named.scenario)).toBe(canonical);
  }
});
