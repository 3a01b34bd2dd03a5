import { expect, test } from 'vitest';
import { randomRun } from '../../src/explore/random.ts';
import { createMachine, type Machine } from '../../src/machine/machine.ts';
import { labelOf, labelText } from '../../src/trace/label.ts';
import { randomFrom } from '../../src/util/random.ts';
import { randomWorld, setupOf } from '../explore/random-world.ts';
import { seedMachine } from '../explore/seed-machine.ts';

/** Labels that two enabled transitions to different states share, along a run. */
function shared(machine: Machine, seed: number, hosts: number): string[] {
  const found: string[] = [];
  let state = machine.initial;
  for (const step of randomRun(machine, seed, { hosts, rules: [] }).steps) {
    const targets = new Map<string, string>();
    for (const t of machine.transitions(state)) {
      const text = labelText(labelOf(machine, state, t));
      const target = t.next.join();
      if ((targets.get(text) ?? target) !== target) found.push(text);
      targets.set(text, target);
    }
    state = step.next;
  }
  return found;
}

test('a label names one of the enabled transitions, in random worlds', () => {
  for (let seed = 0; seed < 300; seed += 1) {
    const world = randomWorld(randomFrom(seed));
    expect(shared(createMachine(setupOf(world)), seed, world.hosts.length)).toEqual([]);
  }
});

test('a label names one of the enabled transitions, with two hosts and faults', () => {
  const machine = seedMachine({ hosts: 2, faults: 'enter-host', freePages: 3, pages: 1 });
  for (let seed = 0; seed < 5; seed += 1) expect(shared(machine, seed, 2)).toEqual([]);
});
