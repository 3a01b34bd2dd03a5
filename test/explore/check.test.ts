import { expect, test } from 'vitest';
import { DEFAULT_FEATURES } from '../../src/arm64/features.ts';
import { findCandidate } from '../../src/candidates/catalogue.ts';
import { checkScenario, findViolation, machineOf } from '../../src/explore/check.ts';
import { scenarioWith } from '../../src/explore/library.ts';
import { permissionsAfterReturn } from '../../src/rules/permissions-after-return.ts';
import { tablesChangeUnderLock } from '../../src/rules/tables-change-under-lock.ts';

const LIMITS = { states: 200_000 };

/**
 * A thread that holds the lock reads tables as if nobody wrote them. Where somebody does, all orders
 * have to be looked at, whichever rule was asked for.
 */
test('one rule alone is not checked with a reduction that a broken rule takes away', () => {
  const candidate = findCandidate('memory-fault/install-without-lock');
  if (candidate === null) throw new Error('no such candidate');
  const needs = ['fault-path', 'kept-tables'] as const;
  // Few in flight, so that the search without the reduction finishes.
  const scenario = { ...scenarioWith(candidate, DEFAULT_FEATURES, needs), window: 8 };
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

/**
 * The fault path's own store must be late while the unmap has got as far as the entry of the page: the
 * store of the host's table, one for each page, and all between it and the entry are in flight then.
 * A window of 8 holds that for one page only, and hid the bug from two pages on.
 */
test.each([1, 2, 3])('the default window hides no bug that waits behind %i stores', (pages) => {
  const candidate = findCandidate('memory-fault/install-without-lock');
  if (candidate === null) throw new Error('no such candidate');
  const scenario = scenarioWith(candidate, DEFAULT_FEATURES, ['notified-fault-path']);
  const verdictWith = (window: number): string => {
    const machine = machineOf({ ...scenario, pages, window }, candidate);
    if ('kind' in machine) throw new Error('no such machine');
    return findViolation(machine, [tablesChangeUnderLock], LIMITS, true).kind;
  };
  expect(verdictWith(scenario.window)).toBe('violation');
  expect(verdictWith(8)).toBe(pages === 1 ? 'violation' : 'exhausted');
});
