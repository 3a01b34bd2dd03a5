import { brokenAtEnd } from '../../explore/replay-verdict.ts';
import { encodeFeatures } from '../../scenario/codec.ts';
import { inputError, isInputError, type InputError } from '../../scenario/input-error.ts';
import { readReplay, type Replay } from '../../scenario/replay-file.ts';
import { labelText, type Label } from '../../trace/label.ts';
import { replay, type Replayed } from '../../trace/replay.ts';
import { stateText, SHOWN, type Shown } from '../../report/state-text.ts';
import type { Machine } from '../../machine/machine.ts';
import { EXIT } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { findRule } from '../rule-option.ts';
import { unreadable } from '../subject.ts';
import { machineOfReplay } from './replay-machine.ts';

/** What the command line gave. */
export interface ReplayOptions {
  readonly until?: number;
  readonly show?: string;
  readonly json?: boolean;
}

/** `tlbgate replay`: strict; every label must be possible where it stands. */
export async function replayCommand(
  path: string,
  options: ReplayOptions,
  io: Io,
): Promise<number | InputError> {
  const text = io.read(path);
  if (text === null) return unreadable(path);
  const file = readReplay(text, path);
  if (isInputError(file)) return file;
  const shown = parseShow(options.show);
  if (isInputError(shown)) return shown;
  const rules = file.rule === null ? [] : findRule(file.rule);
  if (isInputError(rules)) return { ...rules, message: `${path}: ${rules.message}` };
  const until = options.until ?? file.labels.length;
  if (until > file.labels.length) {
    return inputError(
      'option-value',
      `--until ${until} is past the end: the run in ${path} has ${file.labels.length} steps.`,
    );
  }
  const machine = await machineOfReplay(file, path, io);
  if ('kind' in machine) return machine;
  const run = replay(machine, file.labels.slice(0, until));
  if (run.kind === 'misfit') {
    const enabled = run.enabled.map(labelText).join('"; "');
    return inputError(
      'trace-does-not-fit',
      `Step ${run.step} of ${path} is not possible there: wanted "${labelText(run.wanted)}", but what can happen is ${run.enabled.length === 0 ? 'nothing' : `"${enabled}"`}.`,
    );
  }
  const [rule] = rules;
  const broken = rule === undefined ? null : brokenAtEnd(machine, run, rule);
  io.out(
    options.json === true
      ? `${JSON.stringify(replayJson(file, until, broken))}\n`
      : replayReport(file, machine, run, shown, broken),
  );
  return broken === null ? EXIT.verified : EXIT.refuted;
}

function parseShow(text: string | undefined): readonly Shown[] | InputError {
  if (text === undefined) return [];
  const words = text.split(',');
  const bad = words.find((word) => !SHOWN.some((known) => known === word));
  if (bad !== undefined) {
    return inputError(
      'option-value',
      `--show cannot be "${bad}": it takes ${SHOWN.join(', ')}, separated by commas.`,
    );
  }
  return words as readonly Shown[];
}

function replayJson(file: Replay, until: number, broken: string | null): unknown {
  return {
    format: 1,
    candidate: file.scenario.candidate,
    features: encodeFeatures(file.scenario.features),
    rule: file.rule,
    steps: until,
    verdict: broken === null ? 'no violation at the last step' : 'refuted',
    message: broken,
    trace: file.labels.slice(0, until),
  };
}

function replayReport(
  file: Replay,
  machine: Machine,
  run: Replayed,
  shown: readonly Shown[],
  broken: string | null,
): string {
  const width = String(run.steps.length).length;
  const lines = file.labels
    .slice(0, run.steps.length)
    .map((label, i) => ` ${String(i + 1).padStart(width)}  ${lineOf(label)}`);
  const state = run.states.at(-1);
  if (state !== undefined && shown.length > 0) {
    lines.push('', ...stateText(machine, state, shown));
  }
  lines.push(
    '',
    broken === null
      ? ` replayed  ${run.steps.length} of ${file.labels.length} steps, no violation at the last one     exit 0`
      : ` refuted   ${file.rule ?? ''}: ${broken}     exit 1`,
  );
  return `${lines.join('\n')}\n`;
}

function lineOf({ agent, event, what, where, choice }: Label): string {
  const parts = [`${agent.padEnd(6)} ${event.padEnd(10)} ${what}`];
  if (choice !== '') parts.push(`[${choice}]`);
  if (where !== '') parts.push(`(${where})`);
  return parts.join('  ');
}
