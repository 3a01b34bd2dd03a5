import type { Label } from '../trace/label.ts';
import {
  decodeScenario,
  encodeScenario,
  FORMAT,
  formatError,
  parseJson,
  unknownField,
} from './codec.ts';
import { inputError, isInputError, type InputError } from './input-error.ts';
import type { Scenario } from './scenario.ts';

/** A run that can be repeated step by step: a scenario, the rule it breaks, and its labels. */
export interface Replay {
  readonly scenario: Scenario;
  /** Id of the rule the last step breaks; null for a run that breaks none. */
  readonly rule: string | null;
  readonly labels: readonly Label[];
  /** Where the host code comes from when it is the C of a kernel tree and not a candidate. */
  readonly kernel?: KernelOrigin | null;
}

/** The C that a run is of. Paths are as they were given, from the folder the command ran in. */
export interface KernelOrigin {
  readonly tree: string;
  /** `null` for the tree as it is. */
  readonly patch: string | null;
  readonly profile: string;
  /** Name of the scenario in its library or file. */
  readonly name: string;
  /** Scenario files of the user's. */
  readonly files: readonly string[];
}

const FIELDS = ['format', 'kind', 'rule', 'kernel', 'scenario', 'labels'];

/** The text of a replay file: the same run is the same text, one label per line. */
export function writeReplay(replay: Replay): string {
  const { scenario, rule, labels, kernel } = replay;
  const lines = labels.map((label) => `    ${JSON.stringify(encodeLabel(label))}`).join(',\n');
  const nested = JSON.stringify(encodeScenario(scenario), null, 2).replaceAll('\n', '\n  ');
  return [
    '{',
    `  "format": ${FORMAT},`,
    '  "kind": "replay",',
    `  "rule": ${JSON.stringify(rule)},`,
    ...(kernel == null ? [] : [`  "kernel": ${JSON.stringify(kernel)},`]),
    `  "scenario": ${nested},`,
    labels.length === 0 ? '  "labels": []' : `  "labels": [\n${lines}\n  ]`,
    '}',
    '',
  ].join('\n');
}

/** A label as five strings: agent, event, what, where, choice. */
export function encodeLabel(label: Label): readonly string[] {
  return [label.agent, label.event, label.what, label.where, label.choice];
}

/** Reads the text of a replay file. `where` names it in the sentence about a mistake. */
export function readReplay(text: string, where: string): Replay | InputError {
  const value = parseJson(text, where);
  if (isInputError(value)) return value;
  if (value['format'] !== FORMAT) return formatError(value['format'], where);
  if (value['kind'] !== 'replay') {
    return inputError(
      'field-value',
      `${where} is not a replay file ("kind" must be "replay"): for a scenario use \`tlbgate verify\`.`,
    );
  }
  const unknown = Object.keys(value).find((key) => !FIELDS.includes(key));
  if (unknown !== undefined) return unknownField(unknown, FIELDS, where);
  const { rule, labels, scenario: encoded } = value;
  if (rule !== null && typeof rule !== 'string') {
    return inputError('field-value', `"rule" in ${where} must be the id of a rule, or null.`);
  }
  if (typeof encoded !== 'object' || encoded === null) {
    return inputError(
      'field-missing',
      `${where} needs a field "scenario" with the scenario of the run.`,
    );
  }
  const kernel = decodeKernel(value['kernel'], where);
  if (isInputError(kernel)) return kernel;
  const scenario = decodeScenario(encoded as { readonly [key: string]: unknown }, where);
  if (isInputError(scenario)) return scenario;
  if (!Array.isArray(labels)) {
    return inputError(
      'field-missing',
      `${where} needs a field "labels" with the steps of the run.`,
    );
  }
  const decoded: Label[] = [];
  for (const [index, label] of labels.entries()) {
    const parsed = decodeLabel(label);
    if (parsed === null) {
      return inputError(
        'field-value',
        `label ${index + 1} in ${where} must be five strings: agent, event, what, where, choice.`,
      );
    }
    decoded.push(parsed);
  }
  return { scenario, rule, labels: decoded, kernel };
}

function decodeKernel(value: unknown, where: string): KernelOrigin | null | InputError {
  if (value === undefined || value === null) return null;
  const { tree, patch, profile, name, files } = value as {
    readonly [field in keyof KernelOrigin]?: unknown;
  };
  const isText = (word: unknown): word is string => typeof word === 'string';
  if (
    isText(tree) &&
    (patch === null || isText(patch)) &&
    isText(profile) &&
    isText(name) &&
    Array.isArray(files) &&
    files.every(isText)
  ) {
    return { tree, patch, profile, name, files };
  }
  return inputError(
    'field-value',
    `"kernel" in ${where} must name "tree", "patch" (or null), "profile", "name" and "files".`,
  );
}

function decodeLabel(value: unknown): Label | null {
  if (!Array.isArray(value) || value.length !== 5) return null;
  const [agent, event, what, where, choice] = value as readonly unknown[];
  const words = [agent, event, what, where, choice];
  if (!words.every((word) => typeof word === 'string')) return null;
  // An event nobody knows is found by the replay, which then says what was possible instead.
  return { agent, event, what, where, choice } as Label;
}
