import type { State, Step } from '../machine/state.ts';
import type { Fact } from '../machine/facts.ts';
import type { Machine } from '../machine/machine.ts';
import type { Transition } from '../machine/transition.ts';
import { createEagerCycle } from './eager-cycle.ts';
import { frontier, type Frontier, type Order } from './frontier.ts';
import { createSearchRuns } from './search-runs.ts';
import { createSwitchCount } from './switch-count.ts';
import { wholeAccessesOf, type Piece } from './whole-access.ts';
import type { SearchSnapshot } from './search-snapshot.ts';
import { isPassedOn, stateLink } from './state-link.ts';
import { stateSet, type StateSet } from '../util/state-set.ts';

/** Limits of a search. A limit reached is never a pass. */
export interface SearchLimits {
  readonly states: number;
  /**
   * Most preemptions of a run (switch-count.ts); any number when not given. The search then goes in
   * ascending order of their number, whatever order is asked for.
   */
  readonly switches?: number;
  /** Asked now and then; the search ends with `limit` when it says true. */
  readonly expired?: () => boolean;
  /** Told now and then how far the search is. */
  readonly watch?: (progress: SearchProgress) => void;
  /** Offered now and then what a search can go on from; breadth first only. */
  readonly keep?: (snapshot: () => SearchSnapshot) => void;
}

/** What a search has, when it begins or goes on, and what it puts what it finds into. */
export interface SearchBasis {
  readonly seen: StateSet;
  readonly open: Frontier;
  readonly transitions: number;
}

/** How far a search is. */
export interface SearchProgress {
  readonly states: number;
  readonly transitions: number;
  /** `Frontier.depth`. */
  readonly depth: number;
  /** Bytes that the states take. */
  readonly bytes: number;
}

/** How many states are explored between two questions whether the time is over. */
export const STATES_PER_QUESTION = 512;

/** Most states that are passed through at a stretch: eager steps may go round in a circle. */
const MOST_PASSED = 64;

/** What a search looks for and looks at. */
export interface SearchHooks {
  /** A violation shown by the facts of a step, or null. The search stops at the first. */
  readonly violation?: (facts: readonly Fact[]) => string | null;
  /** Called once for every state in which no thread can do anything any more. */
  readonly onEnd?: (state: State) => void;
  /** A violation shown by a state without transitions, or null. */
  readonly endViolation?: (state: State) => string | null;
  /** Explore eager steps alone where the machine has one (partial-order reduction). */
  readonly reduced?: boolean;
  /** Perform accesses of PEs at rest in one piece (whole-access.ts); part of no other reduction. */
  readonly wholeAccesses?: boolean;
  /** Breadth first when not given. */
  readonly order?: Order;
  /** Explore one of the states that differ only in the names of interchangeable PEs. */
  readonly symmetric?: boolean;
}

/** What a search found. */
export type SearchResult =
  | {
      readonly kind: 'exhausted';
      readonly states: number;
      readonly transitions: number;
      /** Runs were cut off at the most preemptions: nothing is said of those with more. */
      readonly cut: boolean;
    }
  | { readonly kind: 'limit'; readonly states: number; readonly transitions: number }
  | {
      readonly kind: 'violation';
      readonly violation: string;
      readonly trace: readonly Transition[];
      /**
       * Cheapest first: what the run costs, and whether every cheaper run was looked at; with a bound on
       * preemptions their number.
       */
      readonly cost: number;
      readonly cheapest: boolean;
      readonly states: number;
      readonly transitions: number;
    };

/**
 * Search over all states within the limits. Breadth first, and not reduced, the violation found is one
 * with the fewest events. Cheapest first it is one of least cost, also when the search is reduced:
 * every event costs one, except eager steps and choices of a PE at rest, which are free
 * (docs/reduction.md).
 */
export function search(
  machine: Machine,
  limits: SearchLimits,
  hooks: SearchHooks,
  basis?: SearchBasis,
): SearchResult {
  const { switches } = limits;
  const own = machine.initial.length;
  // With a bound on preemptions the PE that took the last step is part of what is remembered.
  const width = switches === undefined ? own : own + 1;
  const symmetric = hooks.symmetric === true;
  const reduced = hooks.reduced === true;
  const order = switches === undefined ? (hooks.order ?? 'breadth-first') : 'cheapest-first';
  const { seen, open } = basis ?? { seen: stateSet(width), open: frontier(order) };
  const kept = new Int32Array(width);
  const state = kept.subarray(0, own);
  const target = new Int32Array(width);
  const next = target.subarray(0, own);
  const reached = new Int32Array(own);
  const count = createSwitchCount(machine);
  let cut = false;
  const resting = (of: State): number => (hooks.wholeAccesses === true ? machine.resting(of) : 0);
  const onEagerCycle = createEagerCycle(machine, resting);
  const wholeAccesses = wholeAccessesOf(machine, reduced);
  const runs = createSearchRuns({
    machine,
    seen,
    width,
    pieces: hooks.wholeAccesses === true ? wholeAccesses : null,
    representative: (of) => {
      if (symmetric) machine.canonicalise(of);
    },
    onlyStep,
    mostPassed: MOST_PASSED,
    breaks: (facts) => hooks.violation?.(facts) !== null,
  });
  /** Facts that break nothing; steps that look alike share them. */
  const harmless = new Set<readonly Fact[]>();
  const single: Step[] = [];
  let transitions = basis?.transitions ?? 0;
  /** Whether a step has led to a state that is not explored yet. */
  let leadsOn = false;
  /** Whether the state that `passOn` has come to could be passed through as well. */
  let stretched = false;
  /** How the search ends before everything is explored. */
  let outcome: SearchResult | null = null;
  /** Cheapest first: the cheapest violation so far. */
  let best: (SearchResult & { readonly kind: 'violation' }) | null = null;

  function breaks(facts: readonly Fact[]): string | null {
    if (facts.length === 0 || harmless.has(facts)) return null;
    const violation = hooks.violation?.(facts) ?? null;
    if (violation === null) harmless.add(facts);
    return violation;
  }

  /** The eager step of a state that has one alone. */
  function onlyStep(of: State): Step | null {
    if (!reduced) return null;
    const eager = machine.eagerSteps(of, resting(of));
    return eager.length === 1 ? (eager[0] as Step) : null;
  }

  /**
   * Goes on from the state in `next` through states with one eager step alone, which are not kept. False
   * when one of the steps breaks a rule; `stretched` says whether there are more of them.
   */
  function passOn(id: number, steps: readonly Step[], cost: number): boolean {
    let step = onlyStep(next);
    stretched = false;
    if (step === null) return true;
    reached.set(next);
    for (let passed = 0; step !== null && passed < MOST_PASSED; passed += 1) {
      transitions += 1;
      if (!breaksNothing(step) && breakPassing(step, id, steps, passed, cost)) return false;
      machine.apply(step, next);
      rename();
      step = onlyStep(next);
    }
    stretched = step !== null;
    return true;
  }

  /** Looks whether a step from a state that is passed through breaks a rule. */
  function breakPassing(
    { facts }: Step,
    id: number,
    steps: readonly Step[],
    passed: number,
    cost: number,
  ): boolean {
    const violation = breaks(facts);
    if (violation === null) return false;
    violated(violation, () => runs.throughPassed(id, steps, reached, passed), cost);
    return true;
  }

  /** Puts the representative in the place of the state in `next`; false where each state stands for itself. */
  function rename(): boolean {
    if (!symmetric) return false;
    const last = machine.canonicalise(next, switches === undefined ? -1 : (target[own] as number));
    if (switches !== undefined) target[own] = last;
    return true;
  }

  /** A violation has been found: the outcome, unless a cheaper one is looked for. */
  function violated(violation: string, trace: () => readonly Transition[], cost: number): void {
    if (best !== null && best.cost <= cost) return;
    const states = seen.size();
    const cheapest = order === 'cheapest-first';
    best = { kind: 'violation', violation, trace: trace(), cost, cheapest, states, transitions };
    if (order !== 'cheapest-first') outcome = best;
  }

  /** The end of a search that is cut off. */
  function limit(): SearchResult {
    const states = seen.size();
    return best === null
      ? { kind: 'limit', states, transitions }
      : { ...best, cheapest: false, states, transitions };
  }

  /**
   * Adds the state in `next`, which steps of state `id` lead to, unless they break a rule or the set
   * is full. `pe`: whose instructions they are, -1 for nobody's.
   */
  function arrive(id: number, steps: readonly Step[], price: number, pe: number): void {
    transitions += 1;
    let cost = open.cost() + price;
    if (switches !== undefined) {
      const last = kept[own] as number;
      cost = open.cost() + (pe >= 0 && count.isPreemption(state, last, pe) ? 1 : 0);
      if (cost > switches) {
        cut = true;
        return;
      }
      target[own] = pe < 0 ? last : pe;
    }
    let isHarmless = true;
    for (let i = 0; i < steps.length && isHarmless; i += 1) {
      isHarmless = breaksNothing(steps[i] as Step);
    }
    if (isHarmless && arriveAtKnown(id, cost)) return;
    if (rename() && isHarmless && arriveAtKnown(id, cost)) return;
    if (!isHarmless && breakRule(id, steps, cost)) return;
    if (!passOn(id, steps, cost)) return;
    if (seen.size() >= limits.states && seen.find(target) < 0) {
      outcome = limit();
      return;
    }
    const link = stateLink(id, stretched);
    const to = seen.add(target, link);
    if (open.reach(to, cost)) seen.setParent(to, link);
    if (!open.isExplored(to)) leadsOn = true;
  }

  /**
   * Most steps lead to states that are known. Those that are kept stand for themselves, and nobody who
   * arrives there goes on, so nothing is left to do; but for the few that say otherwise.
   */
  function arriveAtKnown(id: number, cost: number): boolean {
    const known = seen.find(target);
    if (known < 0 || isPassedOn(seen.parent(known))) return false;
    if (open.reach(known, cost)) seen.setParent(known, stateLink(id, false));
    if (!open.isExplored(known)) leadsOn = true;
    return true;
  }

  /** Looks whether one of the steps to the state in `next` breaks a rule. */
  function breakRule(id: number, steps: readonly Step[], cost: number): boolean {
    for (const { facts } of steps) {
      const violation = breaks(facts);
      if (violation === null) continue;
      violated(violation, () => runs.through(id, steps, next), cost);
      return true;
    }
    return false;
  }

  /** Whether it is known already that a step breaks no rule. */
  function breaksNothing({ facts }: Step): boolean {
    return facts.length === 0 || harmless.has(facts);
  }

  function take(step: Step, id: number, price: number, pe: number): void {
    next.set(state);
    machine.apply(step, next);
    single[0] = step;
    arrive(id, single, price, pe);
  }

  /** Explores eager steps alone. False when that is not enough. */
  function exploreEager(id: number, mask: number): boolean {
    const eager = machine.eagerSteps(state, mask);
    const before = transitions;
    leadsOn = false;
    for (let i = 0; i < eager.length; i += 1) {
      take(eager[i] as Step, id, 0, -1);
      if (outcome !== null) return true;
    }
    if (leadsOn || (eager.length > 0 && !onEagerCycle(state))) return true;
    transitions = before;
    return false;
  }

  /** Explores all steps; false when no thread had one. */
  function exploreAll(id: number, mask: number): boolean {
    const twins = symmetric ? twinsBut(switches === undefined ? -1 : (kept[own] as number)) : 0;
    let moves = false;
    for (let pe = 0; pe < machine.setup.threads.length && outcome === null; pe += 1) {
      if ((twins & (1 << pe)) !== 0) continue;
      if ((mask & (1 << pe)) === 0) moves = takeAll(machine.stepsOf(state, pe), id, pe) || moves;
      else moves = takePieces(id, pe) || moves;
      if (outcome === null) moves = takeAll(machine.deliveriesTo(state, pe), id, -1) || moves;
    }
    if (outcome === null) takeAll(machine.memorySteps(state), id, -1);
    return moves;
  }

  /** Twins, but for the PE that took the last step and its own twin: that tells them apart. */
  function twinsBut(last: number): number {
    const twins = machine.twins(state);
    if (last < 0) return twins;
    let mask = twins & ~(1 << last);
    // The next one after it in its class.
    for (let pe = last + 1; twins >> pe !== 0; pe += 1) {
      if ((twins & (1 << pe)) === 0) continue;
      mask &= ~(1 << pe);
      break;
    }
    return mask;
  }

  /** Takes the pieces of a PE at rest; false when there are none. */
  function takePieces(id: number, pe: number): boolean {
    let moves = false;
    const choices = wholeAccesses.choices(state, pe);
    for (let c = 0; c < choices.length; c += 1) {
      const pieces = wholeAccesses.pieces(choices[c] as number, state);
      for (let i = 0; i < pieces.length && outcome === null; i += 1) {
        const piece = pieces[i] as Piece;
        moves = true;
        next.set(state);
        machine.apply(piece, next);
        arrive(id, piece.steps, piece.cost, pe);
      }
    }
    return moves;
  }

  function takeAll(steps: readonly Step[], id: number, pe: number): boolean {
    for (let i = 0; i < steps.length && outcome === null; i += 1) take(steps[i] as Step, id, 1, pe);
    return steps.length > 0;
  }

  kept.set(machine.initial);
  if (switches !== undefined) kept[own] = -1;
  open.reach(seen.add(kept, stateLink(-1, true)), 0);
  const first = hooks.violation?.(machine.initialFacts) ?? null;
  if (first !== null) violated(first, () => [], 0);
  for (let visited = 0; outcome === null; visited += 1) {
    if (visited % STATES_PER_QUESTION === STATES_PER_QUESTION - 1) {
      const place = open.place();
      if (place !== null) limits.keep?.(() => ({ states: seen.content(), place, transitions }));
      if (limits.expired?.() === true) return limit();
      limits.watch?.({
        states: seen.size(),
        transitions,
        depth: open.depth(),
        bytes: seen.bytes(),
      });
    }
    const id = open.next();
    if (id < 0) break;
    if (best !== null && (best as { readonly cost: number }).cost <= open.cost()) break;
    seen.read(id, kept);
    const mask = resting(state);
    if (reduced && exploreEager(id, mask)) continue;
    // What memory does by itself never has to happen.
    if (exploreAll(id, mask) || outcome !== null) continue;
    const end = state.slice();
    hooks.onEnd?.(end);
    const violation = hooks.endViolation?.(end) ?? null;
    if (violation !== null) violated(violation, () => runs.to(id), open.cost());
  }
  return outcome ?? best ?? { kind: 'exhausted', states: seen.size(), transitions, cut };
}
