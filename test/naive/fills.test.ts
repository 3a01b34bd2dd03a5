import fc from 'fast-check';
import { expect, test } from 'vitest';
import { naiveOutcomes } from '../../src/naive/naive-outcomes.ts';
import { arbitrarySetup } from './arbitrary-setup.ts';

/**
 * The argument of `fill.ts`, tested: holding every entry that could be filled reaches what explicit
 * fills reach, and nothing else. Scenarios too large for the limit are passed over.
 */
test('fills at once reach the same outcomes as explicit fills', () => {
  let compared = 0;
  fc.assert(
    fc.property(arbitrarySetup(), (setup) => {
      const atOnce = naiveOutcomes(setup, { fills: 'at-once', states: 400 });
      if (!atOnce.complete) return;
      const explicit = naiveOutcomes(setup, { fills: 'explicit', states: 2_000 });
      if (!explicit.complete) return;
      compared += 1;
      expect([...atOnce.outcomes].sort()).toEqual([...explicit.outcomes].sort());
    }),
    { numRuns: 150 },
  );
  expect(compared).toBeGreaterThan(75);
});
