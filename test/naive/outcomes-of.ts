import { expect } from 'vitest';
import type { MachineSetup } from '../../src/machine/setup.ts';
import { naiveOutcomes } from '../../src/naive/naive-outcomes.ts';

/** Data pages of the tests start here; tables lie below and are left out of expected outcomes. */
export const DATA = 0x80000n;

/**
 * The exact outcomes of a setup, with every fill explicit, and the same with fills at once: that more
 * entries never allow less is checked on every scenario of these tests.
 */
export function outcomesOf(setup: MachineSetup): readonly string[] {
  const explicit = naiveOutcomes(setup);
  const atOnce = naiveOutcomes(setup, { fills: 'at-once' });
  expect(explicit.complete && atOnce.complete).toBe(true);
  expect([...atOnce.outcomes].sort()).toEqual([...explicit.outcomes].sort());
  return [...new Set([...explicit.outcomes].map(withoutTables))].sort();
}

function withoutTables(key: string): string {
  const [threads = '', words = ''] = key.split('#');
  const data = words
    .split(' ')
    .filter((word) => word !== '' && BigInt(`0x${word.split('=')[0]}`) >= DATA);
  return `${threads}#${data.join(' ')}`;
}
