import { DEFAULT_FEATURES } from '../../src/arm64/features.ts';
import { deferredRangeFlush } from '../../src/candidates/unmap-stage2-range/deferred-range-flush.ts';
import { perPageFlush } from '../../src/candidates/unmap-stage2-range/per-page-flush.ts';
import { createMachine, type Machine } from '../../src/machine/machine.ts';
import { buildSetup } from '../../src/scenario/build.ts';
import { defaultScenario, type Scenario } from '../../src/scenario/scenario.ts';

/** The scenario in which the seed is refuted: no FWB, MMU off. */
export const SEED_SCENARIO: Scenario = defaultScenario(deferredRangeFlush.id, DEFAULT_FEATURES);

/** The machine of the seed, or of the v5.8 baseline, in that scenario. */
export function seedMachine(change: Partial<Scenario> = {}, baseline = false): Machine {
  const candidate = baseline ? perPageFlush : deferredRangeFlush;
  return createMachine(
    buildSetup({ ...SEED_SCENARIO, candidate: candidate.id, ...change }, candidate),
  );
}
