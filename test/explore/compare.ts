import { search, type SearchHooks } from '../../src/explore/search.ts';
import type { Fact } from '../../src/machine/facts.ts';
import { createMachine, type Machine } from '../../src/machine/machine.ts';
import type { State } from '../../src/machine/state.ts';
import type { MachineSetup } from '../../src/machine/setup.ts';
import { ALL_RULES } from '../../src/rules/all-rules.ts';

/** Everything a search of a whole graph can tell. */
export interface Seen {
  readonly kind: string;
  readonly states: number;
  /** Ids of all rules broken anywhere. */
  readonly rules: readonly string[];
  /** All facts shown by any step, without the number of the PE. */
  readonly facts: readonly string[];
  /** Ends: what every thread was answered, and what memory holds. */
  readonly ends: readonly string[];
}

function endKey(machine: Machine, state: State): string | null {
  const end = machine.end(state);
  if (end === 'impossible') return null;
  const { inspect } = machine;
  inspect.load(state);
  const heads = machine.setup.threads.map((_, pe) => {
    const w = inspect.window(pe);
    return `${w.head}${end === 'deadlock' ? `:${[...w.ints.subarray(0, w.count * 8)].join('.')}` : ''}`;
  });
  return `${end} ${heads.join(' ')} memory ${inspect.memoryId()}`;
}

/**
 * A fact without the number of the PE, and without the number of locks: a store behind an unlock may be seen
 * before it, but rules ask only whether any lock is held, and an unlock that comes early leaves fewer.
 */
export function nameless(fact: Fact): string {
  return JSON.stringify(fact, (key, value: unknown) => {
    if (key === 'pe') return undefined;
    if (key === 'locksHeld') return value !== 0;
    return typeof value === 'bigint' ? value.toString(16) : value;
  });
}

/** Which reductions a search uses. */
export type Reductions = Pick<SearchHooks, 'reduced' | 'wholeAccesses' | 'symmetric'>;

/** Searches the whole graph of a machine. */
export function look(machine: Machine, reductions: Reductions, limit: number): Seen {
  const rules = new Set<string>();
  const shown = new Set<string>();
  const ends = new Set<string>();
  const violation = (facts: readonly Fact[]): null => {
    for (const fact of facts) shown.add(nameless(fact));
    for (const rule of ALL_RULES) {
      if (facts.some((fact) => rule.check(fact) !== null)) rules.add(rule.id);
    }
    return null;
  };
  const onEnd = (state: State): void => {
    const key = endKey(machine, state);
    if (key !== null) ends.add(key);
  };
  const result = search(machine, { states: limit }, { violation, onEnd, ...reductions });
  return {
    kind: result.kind,
    states: result.states,
    rules: [...rules].sort(),
    facts: [...shown].sort(),
    ends: [...ends].sort(),
  };
}

/**
 * Plain and reduced search of one setup; null when one of them did not finish. `alter`: what the reduced
 * search is told of the machine, so that a reduction can be made wrong.
 */
export function compareSearches(
  setup: MachineSetup,
  limit: number,
  reductions: Reductions = { reduced: true },
  alter: (machine: Machine) => Machine = (machine) => machine,
): { readonly plain: Seen; readonly reduced: Seen } | null {
  const machine = createMachine(setup);
  const plain = look(machine, {}, limit);
  if (plain.kind !== 'exhausted') return null;
  const reduced = look(alter(machine), reductions, limit);
  return reduced.kind === 'exhausted' ? { plain, reduced } : null;
}

/**
 * What the two disagree on, in one line, or null. `lockless`: nobody ever holds a lock, so no reduction
 * rests on one.
 */
export function disagreement(plain: Seen, reduced: Seen, lockless = false): string | null {
  // Where tables are written without the lock the reduction promises to find just that.
  const unlocked = 'tables-change-under-lock';
  if (!lockless && plain.rules.includes(unlocked) && reduced.rules.includes(unlocked)) return null;
  const lost = plain.rules.filter((rule) => !reduced.rules.includes(rule));
  const gained = reduced.rules.filter((rule) => !plain.rules.includes(rule));
  if (lost.length + gained.length > 0) return `rules lost ${lost.join()} gained ${gained.join()}`;
  const lostFacts = plain.facts.filter((fact) => !reduced.facts.includes(fact));
  const gainedFacts = reduced.facts.filter((fact) => !plain.facts.includes(fact));
  if (lostFacts.length + gainedFacts.length > 0) {
    return `facts lost ${lostFacts.length} gained ${gainedFacts.length}: ${lostFacts[0] ?? gainedFacts[0]}`;
  }
  const lostEnds = plain.ends.filter((end) => !reduced.ends.includes(end));
  const gainedEnds = reduced.ends.filter((end) => !plain.ends.includes(end));
  if (lostEnds.length + gainedEnds.length === 0) return null;
  return `ends lost ${lostEnds.length} of ${plain.ends.length}, gained ${gainedEnds.length}: ${lostEnds[0] ?? gainedEnds[0]}`;
}
