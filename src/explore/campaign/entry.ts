import { splitName } from '../../candidates/mutants/find-mutant.ts';
import { encodeScenario } from '../../scenario/codec.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import type { Leg } from '../random.ts';
import type { RunFact } from './fact.ts';

/** What makes a run, with nothing left to chance: the situation, and the seeds of its schedule. */
export interface Input {
  readonly scenario: Scenario;
  readonly legs: readonly Leg[];
}

/** An input that is kept, because its run got into a combination of facts no other had got into. */
export interface Entry extends Input {
  /** What its run got into, in the order of `RUN_FACT_NAMES`. */
  readonly facts: readonly RunFact[];
  /** Steps of its run. */
  readonly steps: number;
  readonly found: Origin;
}

/** The run of a campaign an entry comes from. */
export interface Origin {
  readonly seed: number;
  /** As on the command line: `1/4`. */
  readonly shard: string;
  readonly run: number;
}

/** The idea behind a candidate: a mutant belongs to what it is a mutant of. */
export function familyOf({ scenario }: Pick<Input, 'scenario'>): string {
  return splitName(scenario.candidate).family;
}

/**
 * The combinations a run stands for: each fact, each two, and each three facts, with the candidate. Of
 * whole sets of facts nearly every run has one of its own, so they tell nothing; all pairs are seen
 * within a thousand runs. Mistakes in maintenance need two or three things to come together: a stale
 * entry, a late invalidation, a store past the caches.
 */
export function combinationsOf(of: Pick<Entry, 'scenario' | 'facts'>): readonly string[] {
  const { facts } = of;
  const family = familyOf(of);
  const found = [family];
  for (const [i, first] of facts.entries()) {
    const one = `${family}: ${first}`;
    found.push(one);
    for (let j = i + 1; j < facts.length; j += 1) {
      const two = `${one} + ${facts[j] as string}`;
      found.push(two);
      for (let k = j + 1; k < facts.length; k += 1) found.push(`${two} + ${facts[k] as string}`);
    }
  }
  return found;
}

/**
 * Names an entry, whoever found it. What an input got into is part of its name: another version of the
 * model may have seen other things in the same run.
 */
export function entryKey({ scenario, legs, facts, steps }: Omit<Entry, 'found'>): string {
  return JSON.stringify([
    encodeScenario(scenario),
    legs.map((leg) => [leg.seed, leg.steps]),
    facts,
    steps,
  ]);
}

/**
 * The order of entries, the better first: fewer agents, pages, steps, legs, then any fixed order. The
 * same entry has the same place whoever found it, and of two finders the first in order is named.
 */
export function compareEntries(a: Entry, b: Entry): number {
  const [first, second] = [rankOf(a), rankOf(b)];
  for (const [i, value] of first.entries()) {
    const difference = value - (second[i] as number);
    if (difference !== 0) return difference;
  }
  return compareTexts(entryKey(a), entryKey(b)) || compareOrigins(a.found, b.found);
}

function rankOf({ scenario, steps, legs }: Entry): readonly number[] {
  const { hosts, vcpus, secondVm, pages } = scenario;
  return [hosts + vcpus + (secondVm ? 1 : 0), pages, steps, legs.length];
}

function compareOrigins(a: Origin, b: Origin): number {
  return a.seed - b.seed || compareTexts(a.shard, b.shard) || a.run - b.run;
}

function compareTexts(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
