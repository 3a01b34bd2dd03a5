import type { State } from '../machine/draft.ts';
import type { Fact } from '../machine/facts.ts';
import type { Machine } from '../machine/machine.ts';
import type { Transition } from '../machine/transition.ts';
import { onEagerCycle } from './eager-cycle.ts';
import { intSequencePool } from '../util/int-sequence-pool.ts';

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
  const seen = intSequencePool();
  const parents: number[] = [];
  const states: State[] = [];
  let transitions = 0;
  const width = machine.initial.length;
  const representative = (state: State): State =>
    hooks.symmetric === true ? machine.inspect.canonical(state) : state;

  /** A real run to the state, or to one that differs from it in the names of PEs. */
  function traceTo(id: number): Transition[] {
    const path: number[] = [];
    for (let at = id; at > 0; at = parents[at] as number) path.push(at);
    const trace: Transition[] = [];
    let from = machine.initial;
    for (let i = path.length - 1; i >= 0; i -= 1) {
      const target = path[i] as number;
      const step = machine
        .transitions(from)
        .find((t) => seen.intern(representative(t.next), width) === target);
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
  function withLast(trace: Transition[], found: Transition): readonly Transition[] {
    const from = trace.at(-1)?.next ?? machine.initial;
    const target = representative(found.next);
    const key = seen.intern(target, width);
    const last = machine
      .transitions(from)
      .find(
        (t) =>
          seen.intern(representative(t.next), width) === key &&
          t.event === found.event &&
          hooks.violation?.(t.facts) !== null,
      );
    return [...trace, last ?? found];
  }

  seen.intern(machine.initial, width);
  states.push(machine.initial);
  parents.push(-1);
  const first = hooks.violation?.(machine.initialFacts) ?? null;
  if (first !== null) {
    return { kind: 'violation', violation: first, trace: [], states: 1, transitions: 0 };
  }
  const stack: number[] = [0];
  const depthFirst = hooks.depthFirst === true;
  for (let visited = 0; ; visited += 1) {
    const id = depthFirst ? stack.pop() : visited;
    if (id === undefined || id >= states.length) break;
    const state = states[id] as State;
    if (visited % STATES_PER_QUESTION === STATES_PER_QUESTION - 1 && limits.expired?.() === true) {
      return { kind: 'limit', states: states.length, transitions };
    }
    const eager = hooks.reduced === true ? machine.eager(state) : [];
    const leadsOn =
      eager.some((t) => seen.intern(representative(t.next), width) > id) ||
      (eager.length > 0 && !onEagerCycle(machine, state));
    const all = leadsOn ? eager : machine.transitions(state);
    // What memory does by itself never has to happen.
    if (all.every((t) => t.pe < 0)) {
      hooks.onEnd?.(state);
      const violation = hooks.endViolation?.(state) ?? null;
      if (violation !== null) {
        const trace = traceTo(id);
        return { kind: 'violation', violation, trace, states: states.length, transitions };
      }
    }
    for (const t of all) {
      transitions += 1;
      const violation = t.facts.length > 0 ? (hooks.violation?.(t.facts) ?? null) : null;
      if (violation !== null) {
        return {
          kind: 'violation',
          violation,
          trace: withLast(traceTo(id), t),
          states: states.length,
          transitions,
        };
      }
      const target = representative(t.next);
      const next = seen.intern(target, width);
      if (next === states.length) {
        if (states.length >= limits.states) {
          return { kind: 'limit', states: states.length, transitions };
        }
        states.push(target);
        parents.push(id);
        if (depthFirst) stack.push(next);
      }
    }
  }
  return { kind: 'exhausted', states: states.length, transitions };
}
