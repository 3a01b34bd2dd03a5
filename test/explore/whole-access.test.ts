import { expect, test } from 'vitest';
import { wholeAccessesOf, type Piece } from '../../src/explore/whole-access.ts';
import type { Ahead } from '../../src/machine/look-ahead.ts';
import { createMachine, type Machine } from '../../src/machine/machine.ts';
import type { Change, State, Step } from '../../src/machine/state.ts';
import { EVENT } from '../../src/machine/transition.ts';
import { randomFrom } from '../../src/util/random.ts';
import { stateSet } from '../../src/util/state-set.ts';
import { randomWorld, setupOf } from './random-world.ts';
import { seedMachine } from './seed-machine.ts';

/** A piece as its events, and the state after it. */
type Way = readonly [events: readonly string[], next: State];

function after(machine: Machine, state: State, steps: readonly Change[]): State {
  const next = state.slice();
  for (const step of steps) machine.apply(step, next);
  return next;
}

const isSame = (a: State, b: State): boolean => a.every((id, i) => id === b[i]);

/** The pieces of a PE at rest by their definition, one step after the other: nothing of a piece is remembered. */
function byDefinition(machine: Machine, state: State, pe: number, eager: boolean): Way[] {
  const ways: Way[] = [];
  const add = (...steps: readonly Step[]): void => {
    ways.push([steps.map(eventOf), after(machine, state, steps)]);
  };
  const first = [...machine.stepsOf(state, pe)];
  const isChoice = !first.every(({ event }) => event === EVENT.translate);
  for (const start of isChoice ? first.map((choice) => [choice]) : [[]]) {
    for (const translation of machine.stepsOf(after(machine, state, start), pe)) {
      const path = [...start, translation];
      const translated = after(machine, state, path);
      const next = [...machine.stepsOf(translated, pe)];
      if (translation.facts.length > 0) {
        const fault = next.find(({ event }) => eager && event === EVENT.fault);
        add(...path, ...(fault === undefined ? [] : [fault]));
        continue;
      }
      for (const access of next) add(...path, access);
      const early = [...machine.deliveriesTo(state, pe)];
      for (const delivery of machine.deliveriesTo(translated, pe)) {
        const done = after(machine, translated, [delivery]);
        const sooner = early.find(({ index }) => index === delivery.index);
        if (sooner !== undefined) {
          const chosen = after(machine, state, [sooner, ...start]);
          const reached = machine.stepsOf(chosen, pe).map((step) => after(machine, chosen, [step]));
          if (reached.some((each) => isSame(each, done))) continue;
        }
        add(...path, delivery);
      }
    }
  }
  return ways;
}

function eventOf({ pe, index, event, choice }: Step): string {
  return [pe, index, event, choice].join();
}

/** The first states of a plain search in which somebody is at rest. */
function restingStates(machine: Machine, limit: number): State[] {
  const seen = stateSet(machine.initial.length);
  const states = [machine.initial];
  seen.add(machine.initial, -1);
  for (let at = 0; at < states.length && states.length < limit; at += 1) {
    const from = states[at] as State;
    for (const step of machine.steps(from)) {
      const next = after(machine, from, [step]);
      if (seen.add(next, at) === states.length) states.push(next);
    }
  }
  return states.filter((state) => machine.resting(state) !== 0);
}

/** Pieces that are not what they are by their definition, over all states. */
function wrongPieces(machine: Machine, states: readonly State[], eager: boolean): number {
  const accesses = wholeAccessesOf(machine, eager);
  let wrong = 0;
  for (const state of states) {
    const mask = machine.resting(state);
    for (let pe = 0; mask >> pe !== 0; pe += 1) {
      if ((mask & (1 << pe)) === 0) continue;
      const found: Way[] = [];
      const add = (piece: Piece): boolean => {
        found.push([piece.steps.map(eventOf), after(machine, state, [piece])]);
        return true;
      };
      accesses.forEach(state, pe, add);
      const text = (ways: readonly Way[]): string =>
        JSON.stringify(ways.map(([events, next]) => [events, [...next]]));
      if (text(found) !== text(byDefinition(machine, state, pe, eager))) wrong += 1;
    }
  }
  return wrong;
}

function worlds(count: number): Machine[] {
  return Array.from({ length: count }, (_, seed) =>
    createMachine(setupOf(randomWorld(randomFrom(seed)))),
  );
}

test('pieces that are remembered are those found one step after the other', () => {
  let resting = 0;
  for (const machine of [...worlds(40), seedMachine(), seedMachine({ vcpus: 2 }, true)]) {
    const states = restingStates(machine, 1200);
    resting += states.length;
    for (const eager of [false, true]) expect(wrongPieces(machine, states, eager)).toBe(0);
  }
  expect(resting).toBeGreaterThan(5000);
});

test.each([
  ['whatever the state is', (machine: Machine) => forgetful(machine, () => true)],
  [
    'whatever can be delivered',
    (machine: Machine) => forgetful(machine, (a, b) => a[1] !== b[1] && sameBut(a, b, 1)),
  ],
])('it is noticed when pieces are remembered %s', (_, alter) => {
  const machines = [...worlds(40), seedMachine()];
  const isNoticed = machines.some(
    (machine) => wrongPieces(alter(machine), restingStates(machine, 1200), true) > 0,
  );
  expect(isNoticed).toBe(true);
});

function sameBut(a: State, b: State, component: number): boolean {
  return a.every((id, i) => i === component || id === b[i]);
}

/** A machine that takes what it has found for one state for another one that is `alike`. */
function forgetful(machine: Machine, alike: (a: State, b: State) => boolean): Machine {
  return {
    ...machine,
    lookAhead<Result extends object>(find: (from: Ahead, site: number) => Result) {
      const right = machine.lookAhead(find);
      const kept = new Map<number, [State, Result][]>();
      return (site: number, state: State): Result => {
        const all = kept.get(site) ?? [];
        kept.set(site, all);
        const known = all.find(([of]) => isSame(of, state) || alike(of, state));
        if (known !== undefined) return known[1];
        const result = right(site, state);
        all.push([state.slice(), result]);
        return result;
      };
    },
  };
}
