import { showFeatureDifferences } from '../../arm64/features.ts';
import { type GateExample, gateExamples } from '../../explore/gate-examples.ts';
import type { GateResult } from '../../explore/gate-result.ts';
import { allPlaces } from '../../explore/gate-sources.ts';
import { counterexample } from '../../report/counterexample.ts';
import { headerText, keyText, rolesText, runText } from '../../report/counterexample-text.ts';
import { hunksBehind, type TextOf, withSource } from '../../report/gate-hunks.ts';
import { gateJson } from '../../report/gate-json.ts';
import {
  costText,
  coverageText,
  gateGroundsText,
  gateHeadText,
  gateRulesText,
  gateVerdictWords,
  hunksText,
  openText,
  stopsText,
} from '../../report/gate-text.ts';
import { count, labelled } from '../../report/layout.ts';
import type { Style } from '../../report/style.ts';
import { inputError, type InputError } from '../../scenario/input-error.ts';
import { writeReplay } from '../../scenario/replay-file.ts';
import { labelsOf } from '../../trace/replay.ts';
import type { KernelScenario, LoadedTree } from '../../scenario/kernel/family.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { exitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { styleOf } from '../style.ts';
import { isFile, STATES_PER_SEARCH, type GateOptions } from './gate-run.ts';
import { nameOfText } from './runs.ts';

/** The files of the tree, as it is and with the patch. */
export interface Texts {
  readonly before: TextOf;
  readonly after: TextOf;
}

/** All that is printed about a tree or a patch; `patch` is the path of the patch, if there is one. */
export function gateReport(
  gate: GateResult,
  tree: LoadedTree,
  texts: Texts,
  options: GateOptions,
  patch: string | null,
  expired: () => boolean,
  io: Io,
): string | InputError {
  const wanted = options.json !== true || options.out !== undefined;
  const examples = wanted ? gateExamples(gate, tree, { states: STATES_PER_SEARCH }, expired) : [];
  const files = examples.map((example): ReplayText => {
    const text = replayText(example, gate, options, patch);
    return { name: nameOfText(example.rule, text), text };
  });
  const { out } = options;
  const unwritten =
    out === undefined ? undefined : files.find(({ name, text }) => !io.write(out, name, text));
  if (unwritten !== undefined) {
    return inputError(
      'file-unwritable',
      `The file "${out}/${unwritten.name}" cannot be written: check that the folder can be made and written to.`,
    );
  }
  if (options.json === true) return `${JSON.stringify(gateJson(gate))}\n`;
  const style = styleOf(io);
  const lines = [
    ...gateHeadText(gate, style),
    '',
    ...gateRulesText(gate, style),
    '',
    ...examples.flatMap((example, i) => [
      ...exampleText(gate, example, texts, style),
      ...replayWords(files[i]?.name ?? '', out),
      '',
    ]),
    ...coverageText(gate, style),
    ...stopsText(gate, style),
    '',
    ...costText(gate, style),
    '',
    ...gateGroundsText(gate, style),
    '',
    ...openText(gate, style),
    ` verdict   ${gateVerdictWords(gate)}     exit ${exitCode(gate.verdict)}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** A run to be written. */
interface ReplayText {
  readonly name: string;
  readonly text: string;
}

function replayText(
  { rule, of, found }: GateExample,
  gate: GateResult,
  options: GateOptions,
  patch: string | null,
): string {
  return writeReplay({
    scenario: found.scenario,
    rule: rule.id,
    labels: labelsOf(found.machine, found.steps),
    kernel: {
      tree: options.tree,
      patch,
      profile: gate.profile,
      name: of.scenario.name,
      files: options.scenario.filter(isFile),
    },
  });
}

function replayWords(name: string, out: string | undefined): readonly string[] {
  const keep = out === undefined ? [' keep      add --out DIR, then'] : [];
  return [...keep, ` replay    tlbgate replay ${out ?? 'DIR'}/${name}`];
}

function exampleText(
  gate: GateResult,
  { rule, of, subject, found }: GateExample,
  texts: Texts,
  style: Style,
): readonly string[] {
  const example = withSource(counterexample(subject, rule, found), texts.after);
  const numbered = example.rows.filter((row) => row.number !== null);
  const places = allPlaces(found.machine, found.steps);
  const hunks =
    gate.patch === null ? [] : hunksBehind(gate.patch.changes, places, texts.before, texts.after);
  const machine = showFeatureDifferences(found.scenario.features) || 'the default machine';
  const steps = `${numbered.length} steps (${example.labels.length} events)`;
  return [
    ...headerText(example, style),
    ...hunksText(hunks, style),
    '',
    ...runText(example, style),
    '',
    ...keyText(example, style),
    ...rolesText(example, style),
    '',
    ...labelled(' scenario  ', scenarioWords(of.scenario, found.scenario), style.width),
    ...labelled(' machine   ', machine, style.width),
    ` meaning   tlbgate explain ${rule.id}`,
    ...labelled(
      ' found     ',
      found.minimal
        ? `${steps}, minimal: all cheaper runs of this scenario were looked at (${count(found.explored)} states)`
        : `${steps}, not proved minimal${givenUpWords(found.givenUp)}`,
      style.width,
    ),
  ];
}

/** Why a run is not known to be minimal. */
function givenUpWords(states: number | null): string {
  return states === null
    ? ''
    : `: looking at all cheaper ones was given up at ${count(states)} states`;
}

/** A scenario that was made smaller before the run was looked for is not the one of the library. */
function scenarioWords({ name, why, shrinks, situation }: KernelScenario, now: Scenario): string {
  if (shrinks) return `made as small as it can be, from "${name}"`;
  const parts = [
    ...(now.vcpus === situation.vcpus ? [] : ['one vCPU']),
    ...(sameText(now.guest, situation.guest) ? [] : [guestWords(now)]),
    ...(now.window === situation.window
      ? []
      : [now.window === 1 ? 'one instruction in flight' : `${now.window} instructions in flight`]),
    ...(now.reschedule === situation.reschedule ? [] : [`the lock ${now.reschedule} given away`]),
  ];
  return `${name}; ${why}${parts.length === 0 ? '' : `; with less than there: ${parts.join(', ')}`}`;
}

function guestWords({ guest }: Scenario): string {
  switch (guest.kind) {
    case 'general':
      return `vCPUs that only ${guest.kinds.join(' and ')}`;
    case 'trace': {
      const accesses = guest.vcpus.flat().map(({ access, page }) => `${access} of page ${page}`);
      return `no access of the guest but ${accesses.join(', ')}`.replace(/ but $/, '');
    }
    case 'persistent':
      return `a vCPU that wants to ${guest.access}`;
  }
}

function sameText(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
