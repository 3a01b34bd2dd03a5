import {
  DEFAULT_FEATURES,
  featureConflicts,
  parseFeature,
  showFeatureDifferences,
  type Features,
} from '../arm64/features.ts';
import { ACCESS_KINDS, type AccessKind } from '../guest/access.ts';
import { didYouMean } from '../util/closest.ts';
import { PLAIN_FIELD_NAMES, PLAIN_FIELDS, type FieldShape } from './fields.ts';
import { inputError, isInputError, type InputError } from './input-error.ts';
import { defaultScenario, type Guest, type Scenario, type TraceAccess } from './scenario.ts';

/** Version of the files this codec writes and the only one it reads. */
export const FORMAT = 1;

type Json = { readonly [key: string]: unknown };

/** A scenario as a JSON object, features as differences from the default machine. */
export function encodeScenario(scenario: Scenario): Json {
  const plain = Object.fromEntries(PLAIN_FIELD_NAMES.map((field) => [field, scenario[field]]));
  return {
    format: FORMAT,
    candidate: scenario.candidate,
    features: encodeFeatures(scenario.features),
    guest: scenario.guest,
    ...plain,
  };
}

/** Features as they are written on the command line; the order matters (vhe also sets e2h). */
export function encodeFeatures(features: Features): { readonly [name: string]: string } {
  const words = showFeatureDifferences(features).split(' ').filter(Boolean);
  return Object.fromEntries(words.map((word) => word.split('=') as [string, string]));
}

/** The text of a scenario file. */
export function writeScenario(scenario: Scenario): string {
  return `${JSON.stringify(encodeScenario(scenario), null, 2)}\n`;
}

/** Reads the text of a scenario file. `where` names it in the sentence about a mistake. */
export function readScenario(text: string, where: string): Scenario | InputError {
  const value = parseJson(text, where);
  return isInputError(value) ? value : decodeScenario(value, where);
}

/** Parses JSON into an object. */
export function parseJson(text: string, where: string): Json | InputError {
  let value: unknown;
  try {
    value = JSON.parse(text) as unknown;
  } catch (problem) {
    const detail = problem instanceof Error ? problem.message.split('\n')[0] : 'not JSON';
    return inputError(
      'json-syntax',
      `${where} is not valid JSON (${detail}): restore it, or write a new one with \`tlbgate verify ... --out DIR\`.`,
    );
  }
  if (!isObject(value)) {
    return inputError('not-an-object', `${where} must hold one JSON object with "format": 1.`);
  }
  return value;
}

/** A decoded JSON object as a scenario. Fields that are not given have the values of the default. */
export function decodeScenario(value: Json, where: string): Scenario | InputError {
  if (value['format'] !== FORMAT) return formatError(value['format'], where);
  const known = ['format', 'candidate', 'features', 'guest', ...PLAIN_FIELD_NAMES];
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) return unknownField(unknown, known, where);
  const { candidate } = value;
  if (typeof candidate !== 'string') {
    return inputError(
      'field-missing',
      `${where} needs a field "candidate" with the id of a candidate: see \`tlbgate list\`.`,
    );
  }
  const features = decodeFeatures(value['features'] ?? {}, where);
  if (isInputError(features)) return features;
  const base = defaultScenario(candidate, features);
  const guest = value['guest'] === undefined ? base.guest : decodeGuest(value['guest'], where);
  if (isInputError(guest)) return guest;
  const plain: Record<string, unknown> = {};
  for (const field of PLAIN_FIELD_NAMES) {
    const given = value[field];
    if (given === undefined) continue;
    if (!fits(PLAIN_FIELDS[field], given))
      return badField(field, PLAIN_FIELDS[field], given, where);
    plain[field] = given;
  }
  return { ...base, guest, ...plain };
}

/** The sentence about a format this version does not read. */
export function formatError(format: unknown, where: string): InputError {
  const found = format === undefined ? 'no "format" field' : `format ${JSON.stringify(format)}`;
  return inputError(
    'format-unknown',
    `${where} has ${found}, and this version of tlbgate reads only "format": ${FORMAT}.`,
  );
}

/** The sentence about a field nobody knows. */
export function unknownField(name: string, known: readonly string[], where: string): InputError {
  return inputError(
    'field-unknown',
    `${where} has an unknown field "${name}".${didYouMean(name, known) || ` The fields are ${known.join(', ')}.`}`,
  );
}

function decodeFeatures(value: unknown, where: string): Features | InputError {
  if (!isObject(value)) {
    return inputError(
      'field-value',
      `"features" in ${where} must be an object such as {"fwb": "on", "granule": "64k"}.`,
    );
  }
  return applyFeatures(
    DEFAULT_FEATURES,
    Object.entries(value).map(([name, text]) => `${name}=${String(text)}`),
    where,
  );
}

/** Features changed by words `name=value`, in order. */
export function applyFeatures(
  from: Features,
  words: readonly string[],
  where: string,
): Features | InputError {
  let features = from;
  const given = new Map<string, string>();
  for (const word of words) {
    const parsed = parseFeature(word);
    if (parsed.kind === 'error') return inputError(parsed.code, `${where}: ${parsed.message}`);
    // A verdict for hardware we do not model would be a guess.
    if (parsed.note !== null) {
      return inputError(
        'feature-not-modelled',
        `${where}: ${parsed.note}, so there is no verdict for it; leave it out.`,
      );
    }
    const [name = ''] = word.split('=');
    const before = given.get(name);
    if (before !== undefined && before !== word) {
      return inputError(
        'feature-conflict',
        `${where}: a machine cannot have both ${before} and ${word}.`,
      );
    }
    given.set(name, word);
    features = { ...features, ...parsed.update };
  }
  const [conflict] = featureConflicts(features);
  return conflict === undefined
    ? features
    : inputError(conflict.code, `${where}: ${conflict.message}`);
}

function decodeGuest(value: unknown, where: string): Guest | InputError {
  const bad = (what: string): InputError =>
    inputError('field-value', `"guest" in ${where} ${what}.`);
  if (!isObject(value)) return bad('must be an object with a "kind"');
  switch (value['kind']) {
    case 'general': {
      const kinds = value['kinds'];
      if (!Array.isArray(kinds) || kinds.length === 0 || !kinds.every(isAccess)) {
        return bad('of kind "general" needs "kinds", a list of read, write, execute');
      }
      return { kind: 'general', kinds };
    }
    case 'persistent': {
      const { access } = value;
      return isAccess(access)
        ? { kind: 'persistent', access }
        : bad('of kind "persistent" needs "access": read, write or execute');
    }
    case 'trace': {
      const { vcpus } = value;
      if (
        !Array.isArray(vcpus) ||
        !vcpus.every((list) => Array.isArray(list) && list.every(isStep))
      ) {
        return bad('of kind "trace" needs "vcpus", one list of {"access", "page"} per vCPU');
      }
      return { kind: 'trace', vcpus: vcpus as readonly (readonly TraceAccess[])[] };
    }
    default:
      return bad('must have the kind general, trace or persistent');
  }
}

function isAccess(value: unknown): value is AccessKind {
  return ACCESS_KINDS.some((kind) => kind === value);
}

function isStep(value: unknown): value is TraceAccess {
  return (
    isObject(value) &&
    isAccess(value['access']) &&
    typeof value['page'] === 'number' &&
    Number.isInteger(value['page']) &&
    value['page'] >= 0
  );
}

function fits(shape: FieldShape, value: unknown): boolean {
  switch (shape.kind) {
    case 'choice':
      return typeof value === 'string' && shape.values.includes(value);
    case 'integer':
      return (
        typeof value === 'number' &&
        Number.isInteger(value) &&
        value >= shape.least &&
        value <= shape.most
      );
    case 'flag':
      return typeof value === 'boolean';
  }
}

function badField(name: string, shape: FieldShape, value: unknown, where: string): InputError {
  const allowed = {
    choice: () => `one of ${shape.kind === 'choice' ? shape.values.join(', ') : ''}`,
    integer: () =>
      shape.kind === 'integer' ? `a whole number from ${shape.least} to ${shape.most}` : '',
    flag: () => 'true or false',
  }[shape.kind]();
  return inputError(
    'field-value',
    `"${name}" in ${where} is ${JSON.stringify(value)}, but must be ${allowed}.`,
  );
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
