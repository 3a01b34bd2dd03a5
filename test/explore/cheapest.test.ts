import { describe, expect, test } from 'vitest';
import { frontier } from '../../src/explore/frontier.ts';
import { search } from '../../src/explore/search.ts';
import type { Fact } from '../../src/machine/facts.ts';
import { createMachine, type Machine } from '../../src/machine/machine.ts';
import type { State, Step } from '../../src/machine/state.ts';
import { EVENT } from '../../src/machine/transition.ts';
import { ALL_RULES } from '../../src/rules/all-rules.ts';
import { tablesChangeUnderLock } from '../../src/rules/tables-change-under-lock.ts';
import { randomFrom } from '../../src/util/random.ts';
import { stateSet } from '../../src/util/state-set.ts';
import { randomWorld, setupOf } from './random-world.ts';

const RULES = ALL_RULES.filter((rule) => rule !== tablesChangeUnderLock);

function violation(facts: readonly Fact[]): string | null {
  for (const rule of RULES) {
    if (facts.some((fact) => rule.check(fact) !== null)) return rule.id;
  }
  return null;
}

/** Whether a step may be explored alone where it is taken. */
function isFree(machine: Machine, state: State, step: Step): boolean {
  if (step.pe < 0) return false;
  const all = (1 << machine.setup.threads.length) - 1;
  const others = step.event === EVENT.deliver ? all : all & ~(1 << step.pe);
  return machine
    .eagerSteps(state, others)
    .some(
      ({ pe, index, event, choice }) =>
        pe === step.pe && index === step.index && event === step.event && choice === step.choice,
    );
}

/** The least cost of a violation, by looking at every step of every state; null when there is none. */
function leastCost(machine: Machine, limit: number): number | 'limit' | null {
  const seen = stateSet(machine.initial.length);
  const open = frontier('cheapest-first');
  const from = machine.initial.slice();
  const to = machine.initial.slice();
  let best = Infinity;
  seen.add(from, -1);
  open.reach(0, 0);
  for (let id = open.next(); id >= 0 && open.cost() < best; id = open.next()) {
    seen.read(id, from);
    for (const step of machine.steps(from).slice()) {
      const cost = open.cost() + (isFree(machine, from, step) ? 0 : 1);
      if (violation(step.facts) !== null) best = Math.min(best, cost);
      to.set(from);
      machine.apply(step, to);
      open.reach(seen.add(to, id), cost);
      if (seen.size() > limit) return 'limit';
    }
  }
  return best === Infinity ? null : best;
}

describe('the search for the cheapest violation', () => {
  test('finds what looking at every step finds, in 120 random worlds, with every reduction', () => {
    let found = 0;
    for (let seed = 0; seed < 120; seed += 1) {
      const machine = createMachine(setupOf(randomWorld(randomFrom(seed))));
      if (violation(machine.initialFacts) !== null) continue;
      const least = leastCost(machine, 1500);
      if (least === 'limit') continue;
      // What the reduction rests on has to hold.
      const locked = search(
        machine,
        { states: 2500 },
        {
          violation: (facts) =>
            facts.some((fact) => tablesChangeUnderLock.check(fact) !== null) ? 'unlocked' : null,
        },
      );
      if (locked.kind !== 'exhausted') continue;
      for (const reduced of [true, false]) {
        const result = search(
          machine,
          { states: 10_000 },
          { violation, reduced, wholeAccesses: true, symmetric: true, order: 'cheapest-first' },
        );
        expect([seed, result.kind]).toEqual([seed, least === null ? 'exhausted' : 'violation']);
        if (result.kind !== 'violation') continue;
        found += 1;
        expect(result.cheapest).toBe(true);
        if (reduced) expect([seed, result.cost]).toEqual([seed, least]);
        let at = machine.initial;
        for (const step of result.trace) {
          expect(machine.transitions(at)).toContainEqual(step);
          at = step.next;
        }
      }
    }
    expect(found).toBeGreaterThanOrEqual(20);
  });
});
