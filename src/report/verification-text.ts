import { match } from 'ts-pattern';
import { showFeatureDifferences } from '../arm64/features.ts';
import type { Verdict } from '../explore/check.ts';
import { weakestCondition, type Condition } from '../explore/condition.ts';
import { MATRIX_FEATURES, definitionOf } from '../explore/matrix.ts';
import type { FeatureRun, Verification } from '../explore/verify.ts';
import { runVerdict, unexpectedRuns } from './expected.ts';
import type { Rule } from '../rules/rule.ts';
import { boundsMetText } from './bounds-met-text.ts';
import { boundedSearch, boundsJson } from './json.ts';
import { columns, count, labelled } from './layout.ts';
import { LIMITS, notesFor } from './limits.ts';
import type { Style } from './style.ts';

/** A tick only for what is exhausted. */
export function mark(verdict: Verdict, style: Style): string {
  return match(verdict)
    .with('verified', () => style.green(style.unicode ? '✓' : 'ok'))
    .with('refuted', () => style.red(style.unicode ? '✗' : 'XX'))
    .with('inconclusive', () => style.yellow(style.unicode ? '?' : '??'))
    .exhaustive();
}

/** One line per rule: the verdict over all machines, and on which it fails. */
export function rulesText(verification: Verification, style: Style): readonly string[] {
  const width = Math.max(...verification.rules.map(({ id }) => id.length));
  return verification.rules.map((rule) => {
    const verdict = verdictOfRule(verification, rule);
    const states = verification.runs
      .flatMap(({ results }) => results.filter((result) => result.rule === rule))
      .reduce((sum, result) => sum + result.states, 0);
    const condition = verdict === 'refuted' ? conditionWords(conditionOf(verification, rule)) : '';
    return `  ${mark(verdict, style)} ${rule.id.padEnd(width)}  ${verdict.padEnd(12)}  ${count(states)} states${condition === '' ? '' : `  ${condition}`}`;
  });
}

/** Verdict of a rule over all machines. */
export function verdictOfRule({ runs }: Verification, rule: Rule): Verdict {
  const all = runs.flatMap(({ results }) =>
    results.filter((result) => result.rule === rule).map(({ verdict }) => verdict),
  );
  if (all.includes('refuted')) return 'refuted';
  return all.includes('inconclusive') ? 'inconclusive' : 'verified';
}

/** The weakest condition on the matrix under which the rule is broken. */
export function conditionOf({ runs }: Verification, rule: Rule): Condition {
  const points = runs
    .filter(({ variation }) => variation === null)
    .flatMap(({ features, results }) =>
      results
        .filter((result) => result.rule === rule)
        .map(({ verdict }) => ({ features, verdict })),
    );
  return weakestCondition(points, MATRIX_FEATURES);
}

/** `fails with fwb=off; vhe, granule do not matter`. */
export function conditionWords(condition: Condition): string {
  const { refutedWhen, irrelevant, undecided } = condition;
  if (refutedWhen.length === 0 || condition.points < 2) return '';
  const always = refutedWhen.some((words) => words.length === 0);
  const when = always
    ? 'fails on every machine checked'
    : `fails with ${refutedWhen.map((words) => words.join(' and ')).join(', or ')}`;
  const rest =
    irrelevant.length === 0
      ? ''
      : `; ${irrelevant.join(', ')} ${irrelevant.length === 1 ? 'does' : 'do'} not matter`;
  const open = undecided === 1 ? '1 machine' : `${undecided} machines`;
  return `${when}${rest}${undecided === 0 ? '' : `; ${open} without a verdict`}`;
}

/** The verdict on every machine of the matrix, then the single changes beside it. */
export function machinesText(verification: Verification, style: Style): readonly string[] {
  const { runs, collapsed } = verification;
  const matrix = runs.filter(({ variation }) => variation === null);
  const lines: string[] = [' machines'];
  if (matrix.length > 1) {
    const rows = matrix.map((run) => [
      ...MATRIX_FEATURES.map((name) => `${name}=${definitionOf(name).read(run.features)}`),
      runVerdict(run),
      `${count(statesOf(run))} states in ${run.scenarios.length} scenarios`,
      brokenRules(run),
    ]);
    lines.push(...columns(rows, 3));
  } else {
    for (const run of matrix) {
      const words = showFeatureDifferences(run.features) || 'the default machine';
      const states = `${count(statesOf(run))} states in ${run.scenarios.length} scenarios`;
      lines.push(...labelled('   ', `${words}: ${runVerdict(run)}, ${states}`, style.width));
    }
  }
  const varied = variationWords(runs);
  if (varied !== '')
    lines.push(...labelled('   one change at a time, in some scenarios: ', varied, style.width));
  if (collapsed.length > 0) {
    const text = `${collapsed.join(', ')}: neither the machine nor the candidate looked at them in any of these runs, so their values cannot change a verdict`;
    lines.push(...labelled('   cannot matter: ', text, style.width));
  }
  return lines;
}

function variationWords(runs: readonly FeatureRun[]): string {
  const words = new Map<string, string[]>();
  for (const run of runs) {
    if (run.variation === null) continue;
    const verdict = `fwb=${run.features.fwb ? 'on' : 'off'} ${runVerdict(run)}`;
    words.set(run.variation, [...(words.get(run.variation) ?? []), verdict]);
  }
  const byVerdict = new Map<string, string[]>();
  for (const [word, verdicts] of words) {
    const key = verdicts.join(', ');
    byVerdict.set(key, [...(byVerdict.get(key) ?? []), word]);
  }
  return [...byVerdict].map(([verdicts, list]) => `${list.join(' ')} (${verdicts})`).join('; ');
}

function brokenRules(run: FeatureRun): string {
  return run.results
    .filter(({ verdict }) => verdict === 'refuted')
    .map(({ rule }) => rule.id)
    .join(' ');
}

function statesOf(run: FeatureRun): number {
  return run.scenarios.reduce((sum, { states }) => sum + states, 0);
}

/** What the verdict rests on: bounds, scenarios, readings, what is not modelled. */
export function groundsText(verification: Verification, style: Style): readonly string[] {
  const { runs, statesPerSearch, switches } = verification;
  const widest = runs.reduce<FeatureRun | null>(
    (best, run) => (best === null || run.scenarios.length > best.scenarios.length ? run : best),
    null,
  );
  if (widest === null) return [];
  const bounds = boundsJson(widest, statesPerSearch) as {
    readonly pes: number;
    readonly pages: number;
    readonly window: number;
  };
  const lines = [
    ` bounds    up to ${bounds.pes} PEs, ${bounds.pages} pages, ${bounds.window} instructions in flight per PE, ${count(statesPerSearch)} states per search`,
    ...boundsMetText(runs.flatMap(({ scenarios }) => scenarios.map(boundedSearch))).flatMap(
      (text) => labelled('           ', text, style.width),
    ),
    ...(switches === undefined
      ? []
      : labelled('           ', switchesText(runs, switches), style.width)),
    ' scenarios',
    ...widest.scenarios.flatMap(({ name }) => labelled('   - ', name, style.width)),
  ];
  for (const note of notesFor(runs.map(({ features }) => features))) {
    lines.push(...labelled(' note      ', note, style.width));
  }
  const names = LIMITS.map(({ name }) => name).join(', ');
  lines.push(...labelled(' not modelled (docs/limits.md): ', names, style.width));
  return lines;
}

/** What a bound on preemptions leaves out. */
function switchesText(runs: readonly FeatureRun[], switches: number): string {
  const most = `at most ${switches} preemption${switches === 1 ? '' : 's'} a run`;
  return runs.some(({ scenarios }) => scenarios.some(({ cut }) => cut))
    ? `${most}: all of these were looked at; there are runs with more, so no rule is verified`
    : `${most}: no run has more, so this is no bound`;
}

/** Whether the verdict is the one the candidate states, where somebody has thought about it before. */
export function expectedText(verification: Verification, style: Style): readonly string[] {
  const unexpected = unexpectedRuns(verification);
  const [first] = unexpected;
  if (first === undefined)
    return [' expected  yes: this is the verdict the candidate states for each machine'];
  const words = showFeatureDifferences(first.features) || 'the default machine';
  return labelled(
    ' expected  ',
    style.yellow(
      `no: on ${unexpected.length} of ${verification.runs.length} machines the candidate states another verdict, first on ${words}`,
    ),
    style.width,
  );
}
