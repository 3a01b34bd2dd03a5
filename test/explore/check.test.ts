import { expect, test } from 'vitest';
import { DEFAULT_FEATURES } from '../../src/arm64/features.ts';
import { findCandidate } from '../../src/candidates/catalogue.ts';
import { checkScenario, findViolation, machineOf } from '../../src/explore/check.ts';
import { scenarioWith } from '../../src/explore/library.ts';
import { permissionsAfterReturn } from '../../src/rules/permissions-after-return.ts';

const LIMITS = { states: 200_000 };

/**
 * A thread that holds the lock reads tables as if nobody wrote them. Where somebody does, all orders
 * have to be looked at, whichever rule was asked for.
 */
test('one rule alone is not checked with a reduction that a broken rule takes away', () => {
  const candidate = findCandidate('memory-fault/install-without-lock');
  if (candidate === null) throw new Error('no such candidate');
  const scenario = scenarioWith(candidate, DEFAULT_FEATURES, ['fault-path', 'kept-tables']);
  const machine = machineOf(scenario, candidate);
  const alone = checkScenario(scenario, candidate, [permissionsAfterReturn], LIMITS);
  if ('kind' in machine || 'kind' in alone) throw new Error('no such machine');
  const plain = findViolation(machine, [permissionsAfterReturn], LIMITS, false);
  expect(plain.kind).toBe('exhausted');
  expect(alone.outcomes.map(({ rule, verdict }) => [rule.id, verdict])).toEqual([
    ['permissions-after-return', 'verified'],
  ]);
  expect(alone.states).toBeGreaterThanOrEqual(plain.states);
});
