import type { LitmusAnswer } from '../explore/litmus-case.ts';
import { summarizeLitmus, type LitmusComparison } from '../explore/litmus-compare.ts';
import { observation } from '../frontend/litmus/litmus-test.ts';

/** Version of the shapes in this file. */
const FORMAT = 1;

/**
 * What `litmus --expected --json` prints. `tests` are those with a reference; the answers of the
 * others are in `unjudged`, except that a test without an answer is always among `tests`.
 */
export function comparisonJson(comparisons: readonly LitmusComparison[]): unknown {
  return {
    format: FORMAT,
    tests: comparisons.filter(({ result }) => result !== null).map(testJson),
    summary: summarizeLitmus(comparisons),
    unjudged: comparisons
      .filter(({ result }) => result === null)
      .map(({ key, engine, verdict, states, ms }) => ({ key, engine, verdict, states, ms })),
  };
}

function testJson(comparison: LitmusComparison): unknown {
  const { key, engine, result, states, ms, verdict, missing, extra, note } = comparison;
  const { expectation } = comparison;
  const disputed = expectation.kind === 'verdict' ? expectation.disputed : null;
  return {
    key,
    engine,
    result,
    states,
    ms: Math.round(ms * 100) / 100,
    ...(verdict === '' ? {} : { verdict }),
    ...(missing.length === 0 ? {} : { missing }),
    ...(extra.length === 0 ? {} : { extra }),
    ...(disputed === null ? {} : { disputed }),
    ...(note === '' ? {} : { note }),
  };
}

/** One test with its outcomes, for `litmus --json` without expectations. */
export function answerJson(file: string, answer: LitmusAnswer, ms: number): unknown {
  if (answer.kind === 'unsupported') {
    const { kind, line, column, message } = answer.problem;
    return { file, result: 'unsupported', problem: { kind, line, column, message } };
  }
  const { test, outcomes } = answer;
  return {
    file,
    name: test.name,
    result: outcomes.limited ? 'limit' : 'answered',
    outcomes: outcomes.outcomes.map((outcome) => outcome.trim()),
    verdict: observation(outcomes.holding, outcomes.others),
    needsBreakBeforeMake: outcomes.needsBbm,
    states: outcomes.states,
    ms: Math.round(ms * 100) / 100,
  };
}
