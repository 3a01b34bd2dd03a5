import { describe, expect, test } from 'vitest';
import { createMachine, type Machine } from '../../src/machine/machine.ts';
import type { State, Step } from '../../src/machine/state.ts';
import { randomFrom, type Random } from '../../src/util/random.ts';
import { stateSet } from '../../src/util/state-set.ts';
import { randomWorld, setupOf } from '../explore/random-world.ts';
import { seedMachine } from '../explore/seed-machine.ts';

/** States of a search that stops early, so that much is remembered. */
function someStates(machine: Machine, limit: number): State[] {
  const seen = stateSet(machine.initial.length);
  const states = [machine.initial];
  seen.add(machine.initial, -1);
  for (let at = 0; at < states.length && states.length < limit; at += 1) {
    const from = states[at] as State;
    for (const step of machine.steps(from)) {
      const next = from.slice();
      machine.apply(step, next);
      if (seen.add(next, at) === states.length) states.push(next);
    }
  }
  return states;
}

/** What is remembered of some of the states against what is found anew. */
function expectSame(machine: Machine, states: readonly State[], random: Random, looks: number) {
  const remembered: (readonly [State, readonly Step[], readonly Step[]])[] = [];
  for (let i = 0; i < looks; i += 1) {
    const state = states[random.below(states.length)] as State;
    remembered.push([state, [...machine.steps(state)], [...machine.eagerSteps(state)]]);
  }
  for (const [state, steps, eager] of remembered) {
    machine.forgetSteps();
    const where = (all: readonly Step[]) =>
      all.map((step) => {
        const next = state.slice();
        machine.apply(step, next);
        const { pe, index, event, choice, facts } = step;
        return { pe, index, event, choice, facts, next };
      });
    expect(where(steps)).toEqual(where([...machine.steps(state)]));
    expect(where(eager)).toEqual(where([...machine.eagerSteps(state)]));
  }
}

describe('steps that are remembered are those that would be found anew', () => {
  test('in 60 random worlds', () => {
    for (let seed = 0; seed < 60; seed += 1) {
      const machine = createMachine(setupOf(randomWorld(randomFrom(seed))));
      expectSame(machine, someStates(machine, 800), randomFrom(seed), 12);
    }
  });

  test('in the seed', () => {
    const machine = seedMachine();
    expectSame(machine, someStates(machine, 4000), randomFrom(1), 60);
  });
});
