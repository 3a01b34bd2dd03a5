import type { LitmusTest } from '../frontend/litmus/litmus-test.ts';
import { createMachine, type Machine } from '../machine/machine.ts';
import { resultAt, type State } from '../machine/draft.ts';
import { search } from './search.ts';

/** All final states of a litmus test, as the test shows them. */
export interface LitmusOutcomes {
  /** What the test observes, in herd7's notation, sorted. */
  readonly outcomes: readonly string[];
  /** Whether some PE may hold two translations whose difference needs break-before-make. */
  readonly needsBbm: boolean;
  readonly states: number;
  /** The search was cut off: the outcomes are not all. */
  readonly limited: boolean;
  /** Final states for which the statement of the test holds, and for which it does not. */
  readonly holding: number;
  readonly others: number;
}

/** Runs a litmus test on the machine to the end. */
export function runLitmus(
  test: LitmusTest,
  limits: { readonly states: number },
  reduced = true,
): LitmusOutcomes {
  const machine = createMachine(test.setup);
  const outcomes = new Set<string>();
  let needsBbm = machine.initialFacts.some((fact) => fact.kind === 'two-live');
  let holding = 0;
  let others = 0;
  const result = search(machine, limits, {
    reduced,
    violation(facts) {
      if (facts.some((fact) => fact.kind === 'two-live')) needsBbm = true;
      return null;
    },
    onEnd(state) {
      if (machine.end(state) !== 'finished') return;
      const final = finalState(machine, state);
      const outcome = test.observe(final);
      if (outcome === null) return;
      outcomes.add(outcome);
      if (test.holds(final)) holding += 1;
      else others += 1;
    },
  });
  return {
    outcomes: [...outcomes].sort(),
    needsBbm,
    states: result.states,
    limited: result.kind === 'limit',
    holding,
    others,
  };
}

/** The end of a run as a litmus test looks at it. */
export function finalState(machine: Machine, state: State): Parameters<LitmusTest['observe']>[0] {
  const { inspect } = machine;
  inspect.load(state);
  const { memory } = inspect;
  return {
    node: (thread) => inspect.window(thread).head,
    resultOf(thread, seq) {
      const w = inspect.window(thread);
      return seq < w.count ? resultAt(memory, w, seq) : undefined;
    },
    memory: (address) => memory.coherentValue(inspect.slot(memory.cellOf(address))),
  };
}
