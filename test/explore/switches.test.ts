import { describe, expect, test } from 'vitest';
import { DEFAULT_FEATURES } from '../../src/arm64/features.ts';
import { findCandidate } from '../../src/candidates/catalogue.ts';
import { machineOf } from '../../src/explore/check.ts';
import { scenarioWith } from '../../src/explore/library.ts';
import { search, type SearchHooks } from '../../src/explore/search.ts';
import type { Fact } from '../../src/machine/facts.ts';
import { createMachine, type Machine } from '../../src/machine/machine.ts';
import { ALL_RULES } from '../../src/rules/all-rules.ts';
import { tablesChangeUnderLock } from '../../src/rules/tables-change-under-lock.ts';
import { randomFrom } from '../../src/util/random.ts';
import { nameless } from './compare.ts';
import { randomWorld, setupOf } from './random-world.ts';

const WORLDS = 30;
const STATES = 1500;
const ALL = { reduced: true, wholeAccesses: true, symmetric: true } as const;

interface Look {
  readonly facts: ReadonlySet<string>;
  readonly isLocked: boolean;
  readonly cut: boolean;
  readonly states: number;
}

/** All facts that some run shows, with at most so many preemptions; null when that is too large. */
function look(machine: Machine, how: SearchHooks, switches?: number): Look | null {
  const shown = new Set<string>();
  let isLocked = true;
  const violation = (facts: readonly Fact[]): null => {
    for (const fact of facts) {
      shown.add(nameless(fact));
      if (tablesChangeUnderLock.check(fact) !== null) isLocked = false;
    }
    return null;
  };
  const limits = { states: STATES, ...(switches === undefined ? {} : { switches }) };
  const result = search(machine, limits, { ...how, violation });
  return result.kind === 'exhausted'
    ? { facts: shown, isLocked, cut: result.cut, states: result.states }
    : null;
}

const missing = (of: ReadonlySet<string>, from: ReadonlySet<string>): readonly string[] =>
  [...of].filter((fact) => !from.has(fact));

describe('a bound on preemptions', () => {
  test(`in ${WORLDS} random worlds all bounds together are the unbounded search`, () => {
    let compared = 0;
    for (let seed = 0; seed < WORLDS; seed += 1) {
      const machine = createMachine(setupOf(randomWorld(randomFrom(seed))));
      const plain = look(machine, {});
      if (plain === null) continue;
      // What the reduction rests on has to hold.
      const { isLocked } = plain;
      expect(plain.cut).toBe(false);
      let below: Look | null = null;
      for (let switches = 0; ; switches += 1) {
        const bounded = look(machine, {}, switches);
        const reduced = isLocked ? look(machine, ALL, switches) : bounded;
        if (bounded === null || reduced === null) break;
        // A larger bound loses nothing, a reduction loses nothing, and neither makes anything up.
        if (below !== null) expect(missing(below.facts, bounded.facts)).toEqual([]);
        expect([seed, switches, missing(bounded.facts, reduced.facts)]).toEqual([
          seed,
          switches,
          [],
        ]);
        expect([seed, switches, missing(reduced.facts, plain.facts)]).toEqual([seed, switches, []]);
        // What is hidden is never called all.
        if (missing(plain.facts, bounded.facts).length > 0) expect(bounded.cut).toBe(true);
        below = bounded;
        if (bounded.cut) continue;
        expect([...bounded.facts].sort()).toEqual([...plain.facts].sort());
        compared += 1;
        break;
      }
    }
    expect(compared).toBeGreaterThan(WORLDS / 4);
  });

  /** The store in the line is lost between the maintenance and its DSB, twice in the middle of the host. */
  function lateMaintenance(): Machine {
    const candidate = findCandidate('unmap-stage2-range/without-dc-dsb');
    if (candidate === null) throw new Error('no such candidate');
    const expected = candidate.expected(DEFAULT_FEATURES);
    const needs = expected.verdict === 'refuted' ? expected.refutations[0].needs : [];
    const machine = machineOf(scenarioWith(candidate, DEFAULT_FEATURES, needs), candidate);
    if ('kind' in machine) throw new Error(machine.message);
    return machine;
  }
  const named = (facts: readonly Fact[]): string | null =>
    ALL_RULES.filter((rule) => rule !== tablesChangeUnderLock).find((rule) =>
      facts.some((fact) => rule.check(fact) !== null),
    )?.id ?? null;

  test('finds a violation of the fewest preemptions, and says their number', () => {
    const machine = lateMaintenance();
    const how = { ...ALL, violation: named };
    const found = search(machine, { states: 50_000, switches: 9 }, how);
    expect(found).toMatchObject({ kind: 'violation', violation: 'contents-after-return' });
    if (found.kind !== 'violation') return;
    expect(found.cost).toBeGreaterThan(0);
    const fewer = search(machine, { states: 50_000, switches: found.cost - 1 }, how);
    expect(fewer).toMatchObject({ kind: 'exhausted', cut: true });
    let at = machine.initial;
    for (const step of found.trace) {
      expect(machine.transitions(at)).toContainEqual(step);
      at = step.next;
    }
  });
});
