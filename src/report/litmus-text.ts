import type { LitmusAnswer } from '../explore/litmus-case.ts';
import {
  LITMUS_RESULTS,
  summarizeLitmus,
  type LitmusComparison,
  type LitmusSummary,
} from '../explore/litmus-compare.ts';
import { observation } from '../frontend/litmus/litmus-test.ts';
import { describeProblem } from '../frontend/litmus/problem.ts';

/** Outcomes of a difference that are printed; the others are counted. */
const SHOWN = 4;

/** One test and its outcomes, when there is nothing to compare them with. */
export function litmusAnswerText(file: string, answer: LitmusAnswer, ms: number): string {
  if (answer.kind === 'unsupported') return `${describeProblem(answer.problem)}\n`;
  const { test, outcomes } = answer;
  const verdict =
    test.format === 'herd'
      ? observation(outcomes.holding, outcomes.others)
      : outcomes.holding > 0
        ? 'allowed'
        : 'forbidden';
  const flags = outcomes.needsBbm ? ', needs break-before-make' : '';
  const cut = outcomes.limited ? ', cut off: these outcomes are not all' : '';
  const lines = [`${test.name} (${file})`];
  if (test.format === 'herd') lines.push(...outcomes.outcomes.map((line) => `  ${line.trim()}`));
  lines.push(
    `  ${quantifierText(test.quantifier)}: ${verdict}${flags}${cut}; ${count(outcomes.states, 'state')}, ${time(ms)}`,
  );
  return `${lines.join('\n')}\n`;
}

/** A comparison that is not simply equal: one line, and the outcomes that differ. */
export function litmusDifferenceText(comparison: LitmusComparison): string {
  const { key, engine, result, note, missing, extra } = comparison;
  const lines = [`${result ?? 'answer'}: ${key} [${engine}]${verdictText(comparison)}`];
  if (note !== '') lines.push(`  ${note}`);
  lines.push(...some(missing, '-'), ...some(extra, '+'));
  return `${lines.join('\n')}\n`;
}

function verdictText({ verdict }: LitmusComparison): string {
  return verdict === '' ? '' : `: ${verdict}`;
}

function some(outcomes: readonly string[], mark: string): readonly string[] {
  const shown = outcomes.slice(0, SHOWN).map((outcome) => `  ${mark} ${outcome}`);
  const rest = outcomes.length - SHOWN;
  return rest > 0 ? [...shown, `  ${mark} and ${rest} more`] : shown;
}

/** The counts per engine, and the time. */
export function litmusSummaryText(comparisons: readonly LitmusComparison[]): string {
  const lines: string[] = [];
  for (const engine of ['herd', 'ets2', 'system'] as const) {
    const mine = comparisons.filter((comparison) => comparison.engine === engine);
    if (mine.length === 0) continue;
    const without = mine.filter(({ result }) => result === null).length;
    const rest = without === 0 ? '' : `; ${without} answered without a reference`;
    lines.push(`${engine}: ${summaryWords(summarizeLitmus(mine))}${rest}`);
  }
  const times = comparisons.map(({ ms }) => ms);
  const total = times.reduce((sum, ms) => sum + ms, 0);
  lines.push(
    `${count(comparisons.length, 'run')} in ${time(total)}, median ${time(median(times))}`,
  );
  return `${lines.join('\n')}\n`;
}

/** `682 of 682 equal`, and what else there is. */
export function summaryWords(summary: LitmusSummary): string {
  const others = LITMUS_RESULTS.filter((result) => result !== 'equal' && summary[result] > 0);
  return [
    `${summary.equal} of ${summary.total} equal`,
    ...others.map((result) => `${summary[result]} ${result}`),
  ].join(', ');
}

/** The middle of some numbers; 0 of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}

function time(ms: number): string {
  return ms < 1000 ? `${ms.toFixed(ms < 10 ? 1 : 0)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

function quantifierText(quantifier: 'forall' | 'exists' | 'not-exists'): string {
  return quantifier === 'not-exists' ? '~exists' : quantifier;
}
