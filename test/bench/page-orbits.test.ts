import { expect, test } from 'vitest';
import { leftOver } from '../../bench/page-orbits.ts';
import { wholeAccessesOf } from '../../src/explore/whole-access.ts';
import type { Machine } from '../../src/machine/machine.ts';
import { STATE, type Change, type State } from '../../src/machine/state.ts';
import { seedMachine } from '../explore/seed-machine.ts';

function after(machine: Machine, state: State, change: Change): State {
  const next = state.slice();
  machine.apply(change, next);
  return next;
}

/** The states after one store of the first vCPU, one for each page. */
function stores(machine: Machine, from: State): State[] {
  const reached: State[] = [];
  wholeAccessesOf(machine, true).forEach(from, 1, (piece) => {
    const next = after(machine, from, piece);
    if (next[STATE.memory] !== from[STATE.memory]) reached.push(next);
    return true;
  });
  return reached;
}

const machine = seedMachine({
  vcpus: 1,
  pages: 2,
  layout: 'across',
  guest: { kind: 'general', kinds: ['write'] },
});

test('states that differ in which page was stored to have the same left over, and no others', () => {
  const one = stores(machine, machine.initial);
  expect(one.length).toBe(2);
  const [first, second] = one as [State, State];
  expect(first).not.toEqual(second);
  const further = stores(machine, first);
  const left = leftOver(machine);
  expect(left(first)).toBe(left(second));
  expect(left(first)).not.toBe(left(machine.initial));
  // The same once more changes nothing; a store to the other page does.
  expect(further.map(left).filter((text) => text !== left(first)).length).toBe(1);
});

test('it keeps how far the host is', () => {
  const left = leftOver(machine);
  const [step] = machine.stepsOf(machine.initial, 0);
  expect(left(after(machine, machine.initial, step as Change))).not.toBe(left(machine.initial));
});
