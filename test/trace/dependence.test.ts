import { expect, test } from 'vitest';
import { randomRun } from '../../src/explore/random.ts';
import { createMachine, type Machine } from '../../src/machine/machine.ts';
import type { Transition } from '../../src/machine/transition.ts';
import type { State } from '../../src/machine/state.ts';
import { footprintOf, independent } from '../../src/trace/dependence.ts';
import { randomFrom } from '../../src/util/random.ts';
import { randomWorld, setupOf } from '../explore/random-world.ts';
import { seedMachine } from '../explore/seed-machine.ts';

function same(machine: Machine, state: State, t: Transition): Transition | undefined {
  return machine
    .transitions(state)
    .find(
      (o) => o.pe === t.pe && o.index === t.index && o.event === t.event && o.choice === t.choice,
    );
}

/** Checks every pair of neighbours of a run that is called independent; counts them. */
function checkRun(machine: Machine, seed: number, hosts: number): number {
  let state = machine.initial;
  let last: { readonly from: State; readonly step: Transition } | null = null;
  let pairs = 0;
  for (const step of randomRun(machine, seed, { hosts, rules: [] }).steps) {
    if (last !== null) {
      const a = footprintOf(machine, last.from, last.step);
      const b = footprintOf(machine, state, step);
      if (independent(a, b)) {
        pairs += 1;
        const first = same(machine, last.from, step);
        const second = first === undefined ? undefined : same(machine, first.next, last.step);
        const names = `${seed}: ${JSON.stringify(a)} and ${JSON.stringify(b)}`;
        const swapped = [second?.next, first?.facts, second?.facts];
        expect({ names, run: swapped }).toEqual({
          names,
          run: [step.next, step.facts, last.step.facts],
        });
      }
    }
    last = { from: state, step };
    state = step.next;
  }
  return pairs;
}

test('independent steps commute: same state, same facts, in random worlds', () => {
  let pairs = 0;
  for (let seed = 0; seed < 400; seed += 1) {
    const world = randomWorld(randomFrom(seed));
    pairs += checkRun(createMachine(setupOf(world)), seed, world.hosts.length);
  }
  expect(pairs).toBeGreaterThan(500);
});

test('independent steps commute in the seed', () => {
  const machine = seedMachine({ vcpus: 2 });
  let pairs = 0;
  for (let seed = 0; seed < 6; seed += 1) pairs += checkRun(machine, seed, 1);
  expect(pairs).toBeGreaterThan(150);
});
