import { expect, test } from 'vitest';
import { search } from '../../src/explore/search.ts';
import { isPassedOn, parentOf, stateLink } from '../../src/explore/state-link.ts';
import { createMachine } from '../../src/machine/machine.ts';
import { dsb, forEver, smallWorld, straight } from '../machine/small-world.ts';

test.each([-1, 0, 1, 2_000_000])(
  'a link has the parent %i and says whether one goes on',
  (parent) => {
    for (const goesOn of [false, true]) {
      const link = stateLink(parent, goesOn);
      expect([parentOf(link), isPassedOn(link)]).toEqual([parent, goesOn]);
    }
  },
);

const REDUCED = { reduced: true, wholeAccesses: true, symmetric: true } as const;

test('of a long stretch of eager steps one state in 65 is kept', () => {
  const host = straight(Array.from({ length: 200 }, () => dsb()));
  const machine = createMachine(smallWorld({ host, guests: [] }));
  // The first step leaves the initial state, and 64 states are passed through after it.
  const result = search(machine, { states: 1000 }, REDUCED);
  expect(result).toMatchObject({
    kind: 'exhausted',
    transitions: 200,
    states: 1 + Math.ceil(200 / 65),
  });
});

test('who comes back to the initial state goes on from there: a circle is gone round and ends', () => {
  const host = forEver(dsb());
  const machine = createMachine(smallWorld({ host, guests: [] }));
  const result = search(machine, { states: 1000 }, REDUCED);
  expect(result.kind).toBe('exhausted');
  expect(result.states).toBeLessThan(4);
});
