import type { FinalState, LitmusTest } from '../frontend/litmus/litmus-test.ts';
import { naiveFinals } from '../naive/naive-outcomes.ts';
import type { NaiveState } from '../naive/state.ts';

/** What a litmus test shows on the naive machine. */
export interface NaiveLitmusOutcomes {
  /** In herd7's notation, sorted. */
  readonly outcomes: readonly string[];
  /** False when the limit ended the search: outcomes may be missing. */
  readonly complete: boolean;
  readonly states: number;
}

/** Runs a litmus test on the naive machine: explicit TLBs, every fill and delivery a step. */
export function runLitmusNaive(
  test: LitmusTest,
  limits: { readonly states: number },
): NaiveLitmusOutcomes {
  const outcomes = new Set<string>();
  const { complete, states } = naiveFinals(
    test.setup,
    { states: limits.states, fills: 'at-once' },
    (state) => {
      const outcome = test.observe(finalOf(state));
      if (outcome !== null) outcomes.add(outcome);
    },
  );
  return { outcomes: [...outcomes].sort(), complete, states };
}

function finalOf({ pes, words }: NaiveState): FinalState {
  return {
    node: (thread) => pes[thread]?.node ?? 0,
    resultOf(thread, seq) {
      const answer = pes[thread]?.record.find((entry) => entry.seq === seq)?.answer;
      return answer?.kind === 'value' ? answer.value : undefined;
    },
    memory: (address) => {
      const word = words.get(address);
      return word === undefined ? 0n : (word.dirty?.value ?? word.poc.value);
    },
  };
}
