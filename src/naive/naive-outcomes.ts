import type { Context } from '../program/effect.ts';
import type { MachineSetup } from '../machine/setup.ts';
import { settle, withPe } from './fetch-ahead.ts';
import { fillable } from './fill.ts';
import { outcomeKeys } from './outcome.ts';
import { stateKey } from './state-key.ts';
import type { NaiveState, Pe } from './state.ts';
import { steps } from './steps.ts';
import { upcoming } from './upcoming.ts';
import { cacheableValues } from './word.ts';
import { worldOf, type World } from './world.ts';

/** How far to search, and how. */
export interface NaiveLimits {
  /** Distinct states after which the search gives up. */
  readonly states: number;
  /**
   * `explicit`: every TLB fill is a transition, taken or not. `at-once`: after each transition every
   * TLB holds everything it could hold. The second follows from the argument in `fill.ts` that more entries
   * never allow less; it is there to be compared with the first, and for larger scenarios.
   */
  readonly fills: 'explicit' | 'at-once';
}

/** What a search found. `complete` is false when the limit ended it: then outcomes may be missing. */
export interface NaiveResult {
  /** Keys of `outcomeKeys`. */
  readonly outcomes: ReadonlySet<string>;
  readonly complete: boolean;
  readonly states: number;
}

const DEFAULT_LIMITS: NaiveLimits = { states: 200_000, fills: 'explicit' };

/** Every outcome of a setup, by plain search over the explicit-TLB machine. */
export function naiveOutcomes(setup: MachineSetup, limits: Partial<NaiveLimits> = {}): NaiveResult {
  const outcomes = new Set<string>();
  const search = naiveFinals(setup, limits, (state) => {
    for (const key of finalKeys(state)) outcomes.add(key);
  });
  return { outcomes, ...search };
}

/**
 * Visits every final state once: all threads have ended and all their events have happened. A run that
 * cannot go on before (a lock that is never dropped, an empty allocator) has none.
 */
export function naiveFinals(
  setup: MachineSetup,
  limits: Partial<NaiveLimits>,
  onFinal: (state: NaiveState) => void,
): Omit<NaiveResult, 'outcomes'> {
  const { states: limit, fills } = { ...DEFAULT_LIMITS, ...limits };
  const world = worldOf(setup);
  const visited = new Set<string>();
  const stack: NaiveState[] = [];
  const visit = (raw: NaiveState): void => {
    for (const settled of settle(world, raw)) {
      const state = withTlbs(world, settled, fills);
      const key = stateKey(state);
      if (visited.has(key)) continue;
      visited.add(key);
      stack.push(state);
    }
  };
  visit(fills === 'at-once' ? withOldEntries(world, initialState(setup)) : initialState(setup));
  for (let state = stack.pop(); state !== undefined; state = stack.pop()) {
    if (visited.size > limit) return { complete: false, states: visited.size };
    if (isFinal(setup, state)) {
      onFinal(state);
      continue;
    }
    for (const { next } of steps(world, state, fills === 'explicit')) visit(next);
  }
  return { complete: true, states: visited.size };
}

/** The machine before its first step: nothing cached, nothing in flight. */
export function initialState(setup: MachineSetup): NaiveState {
  const pes = setup.threads.map(({ tree, context }): Pe => ({
    node: tree.root,
    nextSeq: 0,
    window: [],
    record: [],
    context,
    pending: [],
    tlb: [],
    icache: [],
  }));
  const words = setup.memory.map(
    ({ address, value }) =>
      [
        address,
        { poc: { value, version: 0 }, dirty: null, clean: [], writes: 0, arrivals: 0 },
      ] as const,
  );
  return {
    pes,
    words: new Map(words),
    ledger: [],
    locks: setup.locks.map(() => null),
    freePages: setup.pages
      .filter(({ use }) => use === 'free')
      .map(({ base }) => base)
      .sort((a, b) => (a < b ? -1 : 1)),
  };
}

/** Forgets TLBs that no T can look into any more; fills all others where asked to. */
function withTlbs(world: World, state: NaiveState, fills: NaiveLimits['fills']): NaiveState {
  let current = state;
  state.pes.forEach((pe, index) => {
    const tree = world.setup.threads[index]?.tree;
    if (tree === undefined) return;
    const { translates, fetches } = upcoming(tree, pe);
    if ((!translates && pe.tlb.length > 0) || (!fetches && pe.icache.length > 0)) {
      const tlb = translates ? pe.tlb : [];
      current = withPe(current, index, { ...pe, tlb, icache: fetches ? pe.icache : [] });
    }
    if (fills === 'at-once') current = filled(world, current, index);
  });
  return current;
}

/** What may still be cached from the contexts that were in force before the start. */
function withOldEntries(world: World, state: NaiveState): NaiveState {
  return world.setup.threads.reduce(
    (current, { previousContexts }, index) =>
      previousContexts === undefined ? current : filled(world, current, index, previousContexts),
    state,
  );
}

function filled(
  world: World,
  state: NaiveState,
  index: number,
  before?: readonly Context[],
): NaiveState {
  const pe = state.pes[index];
  const more = fillable(world, state, index, before);
  if (pe === undefined || more.length === 0) return state;
  const next = withPe(state, index, { ...pe, tlb: [...pe.tlb, ...more] });
  return filled(world, next, index, before);
}

function isFinal(setup: MachineSetup, { pes }: NaiveState): boolean {
  return pes.every(
    ({ window, node }, index) =>
      window.length === 0 && setup.threads[index]?.tree.effectAt(node) === null,
  );
}

function finalKeys({ pes, words }: NaiveState): readonly string[] {
  return outcomeKeys({
    threads: pes.map(({ record }) => record.filter(({ shown }) => shown)),
    memory: [...words]
      .filter(([, { writes }]) => writes > 0)
      .map(([address, word]) => [address, cacheableValues(word).map(({ value }) => value)]),
  });
}
