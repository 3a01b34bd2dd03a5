import { describe, expect, test } from 'vitest';
import { randomRun, randomSearch, STRATEGIES, walk } from '../../src/explore/random.ts';
import { rounds } from '../../src/explore/strategy/rounds.ts';
import { uniform } from '../../src/explore/strategy/uniform.ts';
import { createMachine, type Machine } from '../../src/machine/machine.ts';
import type { Transition } from '../../src/machine/transition.ts';
import { ALL_RULES } from '../../src/rules/all-rules.ts';
import { randomFrom } from '../../src/util/random.ts';
import { randomWorld, setupOf } from './random-world.ts';
import { seedMachine } from './seed-machine.ts';

const options = { hosts: 1, rules: ALL_RULES };

describe('sites', () => {
  test('the transitions of all sites are the transitions', () => {
    for (let seed = 0; seed < 60; seed += 1) {
      const machine = createMachine(setupOf(randomWorld(randomFrom(seed))));
      let state = machine.initial;
      for (const step of randomRun(machine, seed, { hosts: 1, rules: [] }).steps) {
        const bySite = machine.sites(state).flatMap((site) => machine.at(state, site));
        expect(bySite).toEqual(machine.transitions(state));
        state = step.next;
      }
    }
  });
});

describe('a run', () => {
  test.each([...STRATEGIES, rounds, uniform])('by $name is a function of the seed', (strategy) => {
    const run = (machine: Machine): unknown =>
      randomRun(machine, 3, { ...options, strategies: [strategy] }).steps.map((t) => [
        t.pe,
        t.index,
        t.event,
      ]);
    const machine = seedMachine();
    const first = run(machine);
    expect(run(machine)).toEqual(first);
    // What a machine has cached from earlier runs does not show.
    expect(run(seedMachine())).toEqual(first);
  });

  test('in legs begins as the run whose first legs it has', () => {
    const machine = seedMachine();
    const whole = randomRun(machine, 5, { ...options, rules: [] });
    for (const steps of [0, 1, 40]) {
      const legs = [
        { seed: 5, steps },
        { seed: 6, steps: Infinity },
      ];
      const run = walk(machine, legs, { ...options, rules: [] });
      expect(run.steps.slice(0, steps)).toEqual(whole.steps.slice(0, steps));
      expect(run.steps).not.toEqual(whole.steps);
    }
  });

  test('takes only steps that the machine has', () => {
    const machine = seedMachine();
    let state = machine.initial;
    for (const step of randomRun(machine, 5, options).steps) {
      expect(machine.transitions(state)).toContainEqual(step);
      state = step.next;
    }
  });

  test('is the same whether somebody watches it or not', () => {
    const machine = seedMachine();
    for (let seed = 1; seed <= 5; seed += 1) {
      const seen: Transition[] = [];
      const watched = randomRun(machine, seed, { ...options, watch: (_, step) => seen.push(step) });
      const run = randomRun(machine, seed, options);
      expect(run.steps).toEqual(seen);
      expect(watched.steps).toEqual(seen);
      expect(run.length).toBe(seen.length);
      expect(run.violation).toEqual(watched.violation);
    }
  });

  test('says so when the bound on steps ends it', () => {
    expect(randomRun(seedMachine(), 1, { ...options, steps: 10 }).end).toBe('limit');
  });
});

describe('the seed, no FWB', () => {
  test.each(STRATEGIES)('is refuted by $name alone', (strategy) => {
    const result = randomSearch(seedMachine(), 1, {
      ...options,
      strategies: [strategy],
      runs: 300,
    });
    expect(result.found?.run.violation?.rule.id).toBe('contents-after-return');
  });

  test('is refuted with 4 vCPUs and 6 pages', () => {
    const machine = seedMachine({ vcpus: 4, pages: 6 });
    expect(randomSearch(machine, 1, { ...options, runs: 50 }).found).not.toBeNull();
  });

  test('the baseline is not', () => {
    expect(randomSearch(seedMachine({}, true), 1, { ...options, runs: 150 }).found).toBeNull();
  });
});
