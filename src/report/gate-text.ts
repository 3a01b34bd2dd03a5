import { match } from 'ts-pattern';
import { FEATURE_DEFINITIONS, showFeatureDifferences, type Features } from '../arm64/features.ts';
import type { Verdict } from '../explore/check.ts';
import { weakestCondition } from '../explore/condition.ts';
import { definitionOf } from '../explore/matrix.ts';
import { type Change, changeOfRule, verdictOf } from '../explore/gate-compare.ts';
import type { GateResult } from '../explore/gate-result.ts';
import { stopsOf } from '../explore/gate-stops.ts';
import { type ScenarioSummary, summaryOf, worstOf } from '../explore/gate-summary.ts';
import type { SideResult, SideRun } from '../explore/gate.ts';
import type { Rule } from '../rules/rule.ts';
import { fileReportText } from './gate-patch-text.ts';
import { boundsMetText } from './bounds-met-text.ts';
import { boundedRun, costRows } from './gate-json.ts';
import type { Effect } from '../explore/gate-effect.ts';
import type { ShownHunk } from './gate-hunks.ts';
import { columns, count, labelled } from './layout.ts';
import { LIMITS, notesFor } from './limits.ts';
import type { Style } from './style.ts';
import { conditionWords, mark } from './verification-text.ts';

/** What was read: files of the patch, profile, scenarios. */
export function gateHeadText(gate: GateResult, style: Style): readonly string[] {
  const { patch, profile, scenarios, available } = gate;
  const lines: string[] = [];
  for (const file of patch?.files ?? []) {
    lines.push(...labelled('  patch     ', fileReportText(file), style.width));
  }
  const chosen =
    patch === null
      ? `${scenarios.length} scenarios`
      : `${scenarios.length} of ${available} scenarios can come to what the patch changes`;
  lines.push(...labelled('  profile   ', `${profile}; ${chosen}`, style.width));
  for (const { name, kernels } of gate.notRun) {
    const text = `${name} (${kernels}); --profile ${profile}+${name} runs both`;
    lines.push(...labelled('  not run   ', text, style.width));
  }
  return lines;
}

/** One line per rule: both sides, and what the patch did to it. */
export function gateRulesText(gate: GateResult, style: Style): readonly string[] {
  const { rules, patch, result } = gate;
  const width = Math.max(...rules.map(({ id }) => id.length));
  return rules.flatMap((rule) => {
    const after = worst(result, rule);
    const name = `  ${mark(after, style)} ${rule.id.padEnd(width)}  `;
    const condition = after === 'refuted' ? conditionWords(conditionOf(gate, result, rule)) : '';
    const rest = after === 'inconclusive' ? verifiedElsewhere(gate, rule) : condition;
    if (patch === null) {
      const text = `${after}${rest === '' ? '' : `${after === 'refuted' ? '  ' : ': '}${rest}`}`;
      return labelled(name, text, style.width);
    }
    const change = changeOfRule(patch.compared, rule);
    const words = changeWords(change);
    // What the patch broke was verified there, whatever other scenarios of the base left open.
    const before = change === 'broken-by-the-patch' ? 'verified' : worst(patch.base, rule);
    const text = `${before === after ? after : `${before} -> ${after}`}: ${words}${rest === '' ? '' : `; ${rest}`}`;
    return labelled(name, text, style.width);
  });
}

/** In how many scenarios a rule holds that was not decided in all of them. */
function verifiedElsewhere({ scenarios, result }: GateResult, rule: Rule): string {
  const names = [...new Set(result.runs.map(({ scenario }) => scenario.name))];
  const open = names.filter((name) => {
    const runs = result.runs.filter(({ scenario }) => scenario.name === name);
    return worst({ runs, impossible: [] }, rule) === 'inconclusive';
  });
  const verified = names.length - open.length;
  return scenarios.length === 1 ? '' : `verified in ${verified} of ${names.length} scenarios`;
}

/** What a patch does to a rule, for a reader. */
export function changeWords(change: Change): string {
  return match(change)
    .with('holds', () => 'holds')
    .with('fixed', () => 'fixed by the patch')
    .with('broken-by-the-patch', () => 'broken by the patch')
    .with('broken-before-as-well', () => 'broken before as well')
    .with('broken-before-unknown', () => 'broken; not decided whether before')
    .with('not-decided', () => 'not decided')
    .with('not-decided-before-as-well', () => 'not decided, before as well')
    .exhaustive();
}

function worst({ runs }: SideResult, rule: Rule): Verdict {
  return worstOf(runs.map((run) => verdictOf(run, rule)));
}

function conditionOf(
  { machines, matrix }: GateResult,
  { runs }: SideResult,
  rule: Rule,
): ReturnType<typeof weakestCondition> {
  const points = machines.map((features) => {
    const of = runs.filter((run) => sameMachine(run.features, features));
    return { features, verdict: worst({ runs: of, impossible: [] }, rule) };
  });
  return weakestCondition(points, [...matrix, ...further(machines, matrix)]);
}

/** Features in which machines differ that are the same in the matrix. */
function further(machines: readonly Features[], matrix: readonly string[]): readonly string[] {
  const valueOf = (features: Features, name: string): string => definitionOf(name).read(features);
  const isAlike = (a: Features, b: Features): boolean =>
    matrix.every((name) => valueOf(a, name) === valueOf(b, name));
  return FEATURE_DEFINITIONS.map(({ name }) => name).filter(
    (name) =>
      !matrix.includes(name) &&
      machines.some((a) =>
        machines.some((b) => isAlike(a, b) && valueOf(a, name) !== valueOf(b, name)),
      ),
  );
}

function sameMachine(a: Features, b: Features): boolean {
  return showFeatureDifferences(a) === showFeatureDifferences(b);
}

/** The hunks behind a run. */
export function hunksText(hunks: readonly ShownHunk[], style: Style): readonly string[] {
  return hunks.flatMap(({ file, number, lines }) => [
    ` moved by hunk ${number} of ${file}`,
    ...lines.map(({ sign, line, text, inRun }) => {
      const row = `   ${String(line).padStart(5)} ${sign} ${text}`;
      if (inRun) return style.bold(`${row}   <- in the run`);
      return sign === '-' ? style.red(row) : style.green(row);
    }),
  ]);
}

/** Which changed lines were executed, and which were not. */
export function coverageText({ patch }: GateResult, style: Style): readonly string[] {
  if (patch === null) return [];
  const { added, executed, withoutCode, removed, removedExecuted, missed } = patch.coverage;
  const words = [
    `${executed} of ${added} added lines with code were executed, ${withoutCode} have no code`,
    ...(removed === 0 ? [] : [`${removedExecuted} of ${removed} removed lines ran before`]),
  ];
  const lines = [...labelled(' coverage  ', words.join('; '), style.width)];
  if (patch.effect !== null)
    lines.push(...labelled(' effect    ', effectWords(patch.effect), style.width));
  for (const { file, line, side, why } of missed) {
    const of = side === 'base' ? ' (removed)' : '';
    lines.push(...labelled('   - ', style.yellow(`${file}:${line}${of}: ${why}`), style.width));
  }
  return lines;
}

/** What lines outside of functions do to functions. */
function effectWords({ compared, changed }: Effect): string {
  const of = `${count(compared)} functions and tables in the units or within reach of a scenario`;
  const names = [...new Set(changed.map(({ key }) => key.split(':')[1] ?? key))].sort();
  return names.length === 0
    ? `none of the ${of} is compiled to other code because of what stands outside of functions`
    : `of the ${of}, what stands outside of functions changes ${names.length}: ${names.slice(0, 12).join(', ')}${names.length > 12 ? ', ...' : ''}`;
}

/** Where the C came to something without a meaning, in which scenarios, and what was left out. */
export function stopsText(gate: GateResult, style: Style): readonly string[] {
  const lines: string[] = [];
  for (const { diagnostic, sides, scenarios } of stopsOf(gate)) {
    const { file, line, message } = diagnostic;
    lines.push(
      ...labelled(' stopped   ', style.yellow(`${file}:${line}: ${message}`), style.width),
    );
    const names = [...scenarios].map(
      ([name, machines]) => `"${name}" ${someMachines(machines.length, machinesOf(gate, name))}`,
    );
    const side =
      gate.patch === null
        ? ''
        : {
            both: '; without the patch as well, so it is not decided what the patch does there',
            patched: '; only with the patch',
            base: '; only without the patch',
          }[sides];
    lines.push(...labelled('             in ', `${names.join(', ')}${side}`, style.width));
  }
  const why = new Map(gate.result.impossible.map(({ scenario, reason }) => [scenario, reason]));
  for (const [scenario, reason] of why) {
    lines.push(...labelled(' left out  ', `${scenario}: ${reason}`, style.width));
  }
  return lines;
}

/** On how many machines a scenario was run. */
function machinesOf({ patch, result }: GateResult, name: string): number {
  const count = (side: SideResult | null): number =>
    (side?.runs ?? []).filter(({ scenario }) => scenario.name === name).length;
  return Math.max(count(result), count(patch?.base ?? null));
}

/** TLBIs, DSBs and cache operations, before and after where there are two sides. */
export function costText(gate: GateResult, style: Style): readonly string[] {
  const lines = labelled(
    ' cost      ',
    'of the host thread alone, before -> after where they differ; cache operations only of the lines that are watched, one per page',
    style.width,
  ).slice();
  const tables = new Map<string, string[]>();
  const rows = costRows(gate);
  if (rows.length === 0) return [];
  for (const { scenario, machines, operations } of rows) {
    const words = operations
      .map(({ operation, before, after }) =>
        before === after ? `${operation} ${after}` : `${operation} ${before} -> ${after}`,
      )
      .join(', ');
    const name = machines.length === 0 ? scenario : `${scenario} (${machines.join('; ')})`;
    tables.set(words, [...(tables.get(words) ?? []), name]);
  }
  for (const [words, names] of tables) {
    lines.push(...labelled('   - ', `${names.join('; ')}:`, style.width));
    lines.push(...labelled('       ', words, style.width));
  }
  return lines;
}

/** What the verdict rests on. */
export function gateGroundsText(gate: GateResult, style: Style): readonly string[] {
  const { machines, scenarios, result, matrix, assumed, statesPerSearch } = gate;
  const states = result.runs
    .filter(({ sameAs }) => sameAs === null)
    .reduce((sum, run) => sum + run.states, 0);
  const shared = result.runs.filter(({ sameAs }) => sameAs !== null).length;
  const lines = [' machines'];
  lines.push(
    ...columns(
      machines.map((features) => {
        const of = result.runs.filter((run) => sameMachine(run.features, features));
        const broken = gate.rules.filter(
          (rule) => worst({ runs: of, impossible: [] }, rule) === 'refuted',
        );
        const open = of.some(({ outcomes }) =>
          outcomes.some(({ verdict }) => verdict === 'inconclusive'),
        );
        return [
          showFeatureDifferences(features) || 'the default machine',
          broken.length > 0 ? 'refuted' : open || of.length === 0 ? 'inconclusive' : 'verified',
          [
            ...broken.map(({ id }) => id),
            ...(open ? [`${verifiedRuns(of)} of ${of.length} scenarios verified`] : []),
          ].join(', '),
        ];
      }),
      3,
    ),
  );
  if (shared > 0) {
    lines.push(
      ...labelled(
        '   ',
        `${shared} of ${result.runs.length} runs were not made again: neither machine nor code looked at the features (${matrix.join(', ')}) in which they differ`,
        style.width,
      ),
    );
  }
  const most = (read: (s: (typeof scenarios)[number]['situation']) => number): number =>
    Math.max(0, ...scenarios.map(({ situation }) => read(situation)));
  lines.push(
    ` bounds    up to ${most((s) => s.hosts + s.vcpus + (s.secondVm ? 1 : 0))} PEs, ${most((s) => s.pages)} pages, ${most((s) => s.window)} instructions in flight per PE, ${count(statesPerSearch)} states per search; ${count(states)} states seen`,
    ...boundsMetText(result.runs.map(boundedRun)).flatMap((text) =>
      labelled('           ', text, style.width),
    ),
    ...scenariosText(gate, style),
    ' assumed',
  );
  const kinds = new Map<string, string[]>();
  for (const { kind, name, value } of assumed) {
    const words = HAVE_VALUES.includes(kind) ? `${name} ${value}` : name;
    kinds.set(kind, [...(kinds.get(kind) ?? []), words]);
  }
  for (const [kind, names] of kinds) {
    const text =
      kind === 'config' ? `${names.length} of them, which --json lists` : names.join(', ');
    lines.push(...labelled('   - ', `${KIND_WORDS[kind] ?? kind}: ${text}`, style.width));
  }
  for (const note of notesFor(machines)) lines.push(...labelled(' note      ', note, style.width));
  lines.push(
    ...labelled(
      ' not modelled (docs/limits.md): ',
      LIMITS.map(({ name }) => name).join(', '),
      style.width,
    ),
  );
  return lines;
}

/** Each scenario with what was found in it, on however many machines. */
function scenariosText({ scenarios, result }: GateResult, style: Style): readonly string[] {
  const names = scenarios.map(({ name }) => name);
  const lines = [' scenarios'];
  for (const summary of summaryOf(result, names)) {
    const { scenario, verdict } = summary;
    const sign = verdict === null ? '--' : mark(verdict, style);
    const label = `   ${sign} `;
    lines.push(...labelled(label, `${scenario}${scenarioWords(summary)}`, style.width));
  }
  return lines;
}

/** What there is to say of a scenario that is not simply verified on all machines that can have it. */
function scenarioWords({ verdict, machines, verified, open, broken }: ScenarioSummary): string {
  const of = (count: number): string => someMachines(count, machines);
  return match(verdict)
    .with(null, () => ': left out on every machine')
    .with('verified', () => '')
    .with(
      'inconclusive',
      () => `: not decided ${of(open)}${verified > 0 ? ', verified on the others' : ''}`,
    )
    .with('refuted', () => {
      const rules = [...broken].map(([{ id }, count]) => `${id} ${of(count)}`);
      return `: ${rules.join(', ')}${open > 0 ? `; not decided ${of(open)}` : ''}`;
    })
    .exhaustive();
}

function someMachines(some: number, all: number): string {
  return some === all ? 'on every machine' : `on ${some} of ${all} machines`;
}

function verifiedRuns(runs: readonly SideRun[]): number {
  return runs.filter(({ outcomes }) => outcomes.every(({ verdict }) => verdict === 'verified'))
    .length;
}

const HAVE_VALUES: readonly string[] = [
  'global',
  'capability',
  'static-key',
  'register',
  'reading',
];

const KIND_WORDS: Readonly<Record<string, string>> = {
  global: 'values nobody computed',
  capability: 'CPU capabilities',
  'static-key': 'static keys',
  register: 'feature registers',
  config: 'CONFIG symbols asked for and not set',
  intercept: 'functions whose meaning is ours',
  'locked-macro': 'macros used in our form',
  reading: 'readings of the architecture that scenarios of their own take',
  header: 'headers made because the tree is not prepared',
};

/** How much was left open, and whether it was open without the patch too; nothing where nothing was. */
export function openText(
  { patch, result, scenarios }: GateResult,
  style: Style,
): readonly string[] {
  const summary = summaryOf(
    result,
    scenarios.map(({ name }) => name),
  );
  const run = summary.filter(({ verdict }) => verdict !== null);
  const others = run.filter(({ open }) => open === 0);
  const open = run.length - others.length;
  if (open === 0) return [];
  const all = patch?.compared.map(({ change }) => change) ?? [];
  const before =
    patch === null
      ? ''
      : all.includes('not-decided')
        ? ', and not all of that was open before the patch'
        : ', with the patch as without it';
  const rest =
    others.length > 0 && others.every(({ verdict }) => verdict === 'verified')
      ? '; the others are verified within bounds'
      : '';
  const text = `something is open in ${open} of ${run.length} scenarios${before}${rest}`;
  return labelled(' open      ', text, style.width);
}

/** The verdict in words. */
export function gateVerdictWords({ verdict, patch, scenarios }: GateResult): string {
  return match(verdict)
    .with('verified', () =>
      scenarios.length === 0 ? 'verified: the patch changes no code' : 'verified within bounds',
    )
    .with('refuted', () => {
      const all = patch?.compared.map(({ change }) => change) ?? [];
      if (patch === null || all.includes('broken-by-the-patch')) return 'refuted';
      return all.includes('broken-before-unknown')
        ? 'refuted (not decided whether it was before)'
        : 'refuted, but not by the patch: the tree was broken before as well';
    })
    .with('inconclusive', () => 'inconclusive (not everything was seen)')
    .with('incomplete', () =>
      scenarios.length === 0
        ? 'incomplete: no scenario of this profile can come to what the patch changes'
        : 'incomplete: no scenario executed every changed line and branch',
    )
    .exhaustive();
}
