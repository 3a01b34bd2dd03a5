import type { LitmusTest } from '../frontend/litmus/litmus-test.ts';
import type { State } from '../machine/state.ts';
import { createMachine, type Machine } from '../machine/machine.ts';
import type { Transition } from '../machine/transition.ts';
import { intSequencePool } from '../util/int-sequence-pool.ts';
import { finalState } from './litmus-run.ts';
import { outcomeKey } from './outcome-key.ts';

/** A run of a litmus test that ends in the wanted outcome. */
export interface ExplainedOutcome {
  readonly machine: Machine;
  readonly steps: readonly Transition[];
  readonly outcome: string;
}

/** What a search for an outcome found. */
export type Explanation =
  | { readonly kind: 'run'; readonly run: ExplainedOutcome }
  /** No run ends like that; these are the outcomes there are. */
  | { readonly kind: 'never'; readonly outcomes: readonly string[] }
  | { readonly kind: 'limit'; readonly states: number };

/**
 * Searches breadth-first for a run that ends in an outcome: for herd7 tests a line of its list of
 * states (spaces do not matter), for isla tests `true` or `false`. No other run of the search ends
 * like that in fewer steps; the search is reduced, so a shorter one in another order may exist.
 */
export function explainOutcome(
  test: LitmusTest,
  wanted: string,
  limits: { readonly states: number },
): Explanation {
  const machine = createMachine(test.setup);
  const seen = intSequencePool();
  const width = machine.initial.length;
  const states: State[] = [machine.initial];
  const reachedBy: { readonly from: number; readonly step: Transition }[] = [];
  const outcomes = new Set<string>();
  const target = outcomeKey(wanted);
  seen.intern(machine.initial, width);
  for (let id = 0; id < states.length; id += 1) {
    const state = states[id] as State;
    const eager = machine.eager(state);
    const next = eager.length > 0 ? eager : machine.transitions(state);
    if (next.every((step) => step.pe < 0) && machine.end(state) === 'finished') {
      const outcome = test.observe(finalState(machine, state));
      if (outcome !== null) outcomes.add(outcome);
      if (outcome !== null && outcomeKey(outcome) === target) {
        return { kind: 'run', run: { machine, steps: pathTo(id), outcome } };
      }
    }
    for (const step of next) {
      if (seen.intern(step.next, width) !== states.length) continue;
      if (states.length >= limits.states) return { kind: 'limit', states: states.length };
      states.push(step.next);
      reachedBy[states.length - 1] = { from: id, step };
    }
  }
  return { kind: 'never', outcomes: [...outcomes].sort() };

  function pathTo(end: number): readonly Transition[] {
    const steps: Transition[] = [];
    for (let at = reachedBy[end]; at !== undefined; at = reachedBy[at.from]) steps.push(at.step);
    return steps.reverse();
  }
}
