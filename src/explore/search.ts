import type { State, Step } from '../machine/state.ts';
import type { Fact } from '../machine/facts.ts';
import type { Machine } from '../machine/machine.ts';
import type { Transition } from '../machine/transition.ts';
import { createEagerCycle } from './eager-cycle.ts';
import { stateSet } from '../util/state-set.ts';

/** Limits of a search. A limit reached is never a pass. */
export interface SearchLimits {
  readonly states: number;
  /** Asked now and then; the search ends with `limit` when it says true. */
  readonly expired?: () => boolean;
}

/** How many states are explored between two questions whether the time is over. */
const STATES_PER_QUESTION = 512;

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
  /**
   * Go deep first instead of breadth first: no trace is shortest, but ends are met from the start, so
   * a search that is cut off has still seen some.
   */
  readonly depthFirst?: boolean;
  /** Explore one of the states that differ only in the names of interchangeable PEs. */
  readonly symmetric?: boolean;
}

/** What a search found. */
export type SearchResult =
  | { readonly kind: 'exhausted'; readonly states: number; readonly transitions: number }
  | { readonly kind: 'limit'; readonly states: number; readonly transitions: number }
  | {
      readonly kind: 'violation';
      readonly violation: string;
      readonly trace: readonly Transition[];
      readonly states: number;
      readonly transitions: number;
    };

/**
 * Breadth-first search over all states within the limits. The first violation found is a shortest
 * one in number of transitions, unless the search is reduced.
 */
export function search(machine: Machine, limits: SearchLimits, hooks: SearchHooks): SearchResult {
  const width = machine.initial.length;
  const seen = stateSet(width);
  const symmetric = hooks.symmetric === true;
  const reduced = hooks.reduced === true;
  const state = new Int32Array(width);
  const next = new Int32Array(width);
  const onEagerCycle = createEagerCycle(machine);
  /** Facts that break nothing; steps that look alike share them. */
  const harmless = new Set<readonly Fact[]>();
  const depthFirst = hooks.depthFirst === true;
  const stack: number[] = [0];
  let transitions = 0;

  /** Leaves the representative of the state a step leads to in `next`. */
  function follow(step: Step): void {
    next.set(state);
    machine.apply(step, next);
    if (symmetric) machine.canonicalise(next);
  }

  /** The number of the representative of a state. */
  function numberOf(of: State): number {
    const copy = of.slice();
    if (symmetric) machine.canonicalise(copy);
    return seen.find(copy);
  }

  /** A real run to the state, or to one that differs from it in the names of PEs. */
  function traceTo(id: number): Transition[] {
    const path: number[] = [];
    for (let at = id; at > 0; at = seen.parent(at)) path.push(at);
    const trace: Transition[] = [];
    let from = machine.initial;
    for (let i = path.length - 1; i >= 0; i -= 1) {
      const target = path[i] as number;
      const step = machine.transitions(from).find((t) => numberOf(t.next) === target);
      if (step === undefined) throw new Error('a recorded step cannot be found again');
      trace.push(step);
      from = step.next;
    }
    return trace;
  }

  /**
   * The last step of the run. Its state may carry other names for the PEs than the one it was found
   * in, so it is looked up there by what it breaks.
   */
  function withLast(trace: Transition[], found: Step): readonly Transition[] {
    const from = trace.at(-1)?.next ?? machine.initial;
    follow(found);
    const target = next.slice();
    const last = machine.transitions(from).find((t) => {
      const copy = t.next.slice();
      if (symmetric) machine.canonicalise(copy);
      return (
        copy.every((int, i) => int === target[i]) &&
        t.event === found.event &&
        hooks.violation?.(t.facts) !== null
      );
    });
    if (last === undefined) throw new Error('the last step cannot be found again');
    return [...trace, last];
  }

  function limit(): SearchResult {
    return { kind: 'limit', states: seen.size(), transitions };
  }

  function violated(violation: string, trace: readonly Transition[]): SearchResult {
    return { kind: 'violation', violation, trace, states: seen.size(), transitions };
  }

  /**
   * Takes a step of state `id`: adds where it leads to, unless it breaks a rule or the set is full.
   * Returns the number of the state it leads to.
   */
  function take(step: Step, id: number): number | SearchResult {
    transitions += 1;
    if (step.facts.length > 0 && !harmless.has(step.facts)) {
      const violation = hooks.violation?.(step.facts) ?? null;
      if (violation !== null) return violated(violation, withLast(traceTo(id), step));
      harmless.add(step.facts);
    }
    follow(step);
    const size = seen.size();
    if (size >= limits.states) {
      const known = seen.find(next);
      return known < 0 ? limit() : known;
    }
    const target = seen.add(next, id);
    if (depthFirst && target === size) stack.push(target);
    return target;
  }

  seen.add(machine.initial, -1);
  const first = hooks.violation?.(machine.initialFacts) ?? null;
  if (first !== null) return violated(first, []);
  for (let visited = 0; ; visited += 1) {
    const id = depthFirst ? stack.pop() : visited;
    if (id === undefined || id >= seen.size()) break;
    if (visited % STATES_PER_QUESTION === STATES_PER_QUESTION - 1 && limits.expired?.() === true) {
      return limit();
    }
    seen.read(id, state);
    if (reduced) {
      const eager = machine.eagerSteps(state);
      const before = transitions;
      let leadsOn = false;
      for (let i = 0; i < eager.length; i += 1) {
        const target = take(eager[i] as Step, id);
        if (typeof target !== 'number') return target;
        if (target > id) leadsOn = true;
      }
      if (leadsOn || (eager.length > 0 && !onEagerCycle(state))) continue;
      transitions = before;
    }
    const steps = machine.steps(state);
    // What memory does by itself never has to happen.
    if (isEnd(steps)) {
      const end = state.slice();
      hooks.onEnd?.(end);
      const violation = hooks.endViolation?.(end) ?? null;
      if (violation !== null) return violated(violation, traceTo(id));
    }
    for (let i = 0; i < steps.length; i += 1) {
      const target = take(steps[i] as Step, id);
      if (typeof target !== 'number') return target;
    }
  }
  return { kind: 'exhausted', states: seen.size(), transitions };
}

function isEnd(steps: readonly Step[]): boolean {
  for (let i = 0; i < steps.length; i += 1) if ((steps[i] as Step).pe >= 0) return false;
  return true;
}
