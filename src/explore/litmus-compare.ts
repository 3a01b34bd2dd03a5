import { observation } from '../frontend/litmus/litmus-test.ts';
import { describeProblem } from '../frontend/litmus/problem.ts';
import type { LitmusAnswer } from './litmus-case.ts';
import type { LitmusExpectation } from './litmus-expected.ts';
import { outcomeKey } from './outcome-key.ts';

/** How the machine stands to a reference on one test. */
export type LitmusResult =
  /** Exactly the same outcomes (or the same verdict). */
  | 'equal'
  /** The machine allows less: an unsafe change could look safe. */
  | 'fewer'
  /** The machine allows more: a safe change could raise a false alarm. */
  | 'more'
  /** Both, or the flag about break-before-make differs. */
  | 'different'
  /** Something in the test is not understood or not modelled. */
  | 'unsupported'
  /** The search was cut off. */
  | 'limit';

/** All results, in the order in which summaries show them. */
export const LITMUS_RESULTS: readonly LitmusResult[] = [
  'equal',
  'fewer',
  'more',
  'different',
  'unsupported',
  'limit',
];

/** One test against one expectation. */
export interface LitmusComparison {
  readonly key: string;
  readonly engine: LitmusExpectation['engine'];
  /** Null: there is an answer, but the reference has none to compare it with. */
  readonly result: LitmusResult | null;
  /** `Sometimes`, `allowed` ...; empty where there is no answer. */
  readonly verdict: string;
  readonly states: number;
  readonly ms: number;
  /** Outcomes that only the reference, or only the machine, allows. */
  readonly missing: readonly string[];
  readonly extra: readonly string[];
  /** More to say: the problem, the disputed verdict ...; often empty. */
  readonly note: string;
  readonly expectation: LitmusExpectation;
}

/** Compares what the machine answered with what the reference says. */
export function compareLitmus(
  expectation: LitmusExpectation,
  answer: LitmusAnswer,
  ms: number,
): LitmusComparison {
  const { key, engine } = expectation;
  const base = { key, engine, ms, expectation, missing: [], extra: [], note: '' };
  if (answer.kind === 'unsupported') {
    const note = describeProblem(answer.problem);
    return { ...base, result: 'unsupported', verdict: '', states: 0, note };
  }
  const { states } = answer.outcomes;
  return expectation.kind === 'outcomes'
    ? { ...base, states, ...compareOutcomes(expectation, answer) }
    : { ...base, states, ...compareVerdict(expectation, answer) };
}

type Answered = Extract<LitmusAnswer, { kind: 'outcomes' }>;
type Compared = Pick<LitmusComparison, 'result' | 'verdict'> & Partial<LitmusComparison>;

function compareOutcomes(
  expectation: Extract<LitmusExpectation, { kind: 'outcomes' }>,
  { outcomes }: Answered,
): Compared {
  const verdict = observation(outcomes.holding, outcomes.others);
  if (outcomes.limited) return { result: 'limit', verdict };
  const missing = without(expectation.outcomes, outcomes.outcomes);
  const extra = without(outcomes.outcomes, expectation.outcomes);
  if (missing.length > 0 && extra.length > 0) {
    return { result: 'different', verdict, missing, extra };
  }
  if (missing.length > 0) return { result: 'fewer', verdict, missing };
  if (extra.length > 0) return { result: 'more', verdict, extra };
  if (expectation.needsBbm !== null && expectation.needsBbm !== outcomes.needsBbm) {
    const note = outcomes.needsBbm
      ? 'only the machine flags a change without break-before-make.'
      : 'only the reference flags a change without break-before-make.';
    return { result: 'different', verdict, note };
  }
  return { result: 'equal', verdict };
}

/** Those of some outcomes that are not among others. */
function without(some: readonly string[], others: readonly string[]): readonly string[] {
  const keys = new Set(others.map(outcomeKey));
  return some.filter((outcome) => !keys.has(outcomeKey(outcome))).map((text) => text.trim());
}

function compareVerdict(
  { published, disputed }: Extract<LitmusExpectation, { kind: 'verdict' }>,
  { outcomes }: Answered,
): Compared {
  const verdict = outcomes.holding > 0 ? 'allowed' : 'forbidden';
  // One run that satisfies the assertion is enough, however much of the search is left.
  if (outcomes.limited && verdict === 'forbidden') return { result: 'limit', verdict: '' };
  const reference = disputed ?? published;
  if (reference === null) return { result: null, verdict, note: 'no published verdict.' };
  const note =
    disputed === null
      ? ''
      : `published as ${published}; the text of the model implies ${disputed}.`;
  if (verdict === reference) return { result: 'equal', verdict, note };
  return { result: verdict === 'forbidden' ? 'fewer' : 'more', verdict, note };
}

/** How many comparisons had which result; answers without a reference are not counted. */
export type LitmusSummary = { readonly total: number } & {
  readonly [result in LitmusResult]: number;
};

/** Counts results. */
export function summarizeLitmus(comparisons: readonly LitmusComparison[]): LitmusSummary {
  const count = (wanted: LitmusResult): number =>
    comparisons.filter(({ result }) => result === wanted).length;
  return {
    total: comparisons.filter(({ result }) => result !== null).length,
    equal: count('equal'),
    fewer: count('fewer'),
    more: count('more'),
    different: count('different'),
    unsupported: count('unsupported'),
    limit: count('limit'),
  };
}
