import { expect, test } from 'vitest';
import { withoutDcDsb } from '../../../src/candidates/unmap-stage2-range/broken.ts';
import { perPageFlush } from '../../../src/candidates/unmap-stage2-range/per-page-flush.ts';
import type { Candidate } from '../../../src/candidates/candidate.ts';
import { DEFAULT_FEATURES } from '../../../src/arm64/features.ts';
import { scenarioWith } from '../../../src/explore/library.ts';
import { randomSearch, type RandomResult } from '../../../src/explore/random.ts';
import { visits } from '../../../src/explore/strategy/visits.ts';
import { createMachine } from '../../../src/machine/machine.ts';
import { ALL_RULES } from '../../../src/rules/all-rules.ts';
import { buildSetup } from '../../../src/scenario/build.ts';

/** The pages are handed to another PE, which finds an old line where the maintenance is late. */
function handedOver(candidate: Candidate, runs: number): RandomResult {
  const needs = ['kept-tables', 'read-elsewhere'] as const;
  const scenario = { ...scenarioWith(candidate, DEFAULT_FEATURES, needs), pages: 2 };
  const machine = createMachine(buildSetup(scenario, candidate));
  return randomSearch(machine, 1, { hosts: 1, rules: ALL_RULES, strategies: [visits], runs });
}

test('cache maintenance that is late is met where no DSB waits for it', () => {
  const { found } = handedOver(withoutDcDsb, 1000);
  expect(found?.run.violation?.rule.id).toBe('contents-after-return');
});

test('and not where one does', () => {
  expect(handedOver(perPageFlush, 200).found).toBeNull();
});
