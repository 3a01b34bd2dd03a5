import {
  decodeScenario,
  encodeScenario,
  FORMAT,
  formatError,
  parseJson,
  unknownField,
} from '../../scenario/codec.ts';
import { inputError, isInputError, type InputError } from '../../scenario/input-error.ts';
import type { Leg } from '../random.ts';
import type { Entry, Origin } from './entry.ts';
import { isRunFact, RUN_FACT_NAMES } from './fact.ts';

/**
 * Files of a corpus, one JSON object each, with `format` 1 and a `kind`:
 *
 *   fuzz-entry     scenario, legs: [[seed, steps] ... [seed, null]], facts, steps,
 *                  found: {seed, shard, run}
 *   fuzz-progress  seed, shard, runs: how many runs this shard of this seed has done
 *
 * Seeds are whole numbers of 32 bits; a leg with `null` goes on to the end of the run.
 */
const ENTRY_FIELDS = ['format', 'kind', 'scenario', 'legs', 'facts', 'steps', 'found'];
const PROGRESS_FIELDS = ['format', 'kind', 'seed', 'shard', 'runs'];

type Json = { readonly [key: string]: unknown };

/** The text of the file of an entry. */
export function writeEntry({ scenario, legs, facts, steps, found }: Entry): string {
  const { seed, shard, run } = found;
  return text({
    format: FORMAT,
    kind: 'fuzz-entry',
    scenario: encodeScenario(scenario),
    legs: legs.map((leg) => [leg.seed, Number.isFinite(leg.steps) ? leg.steps : null]),
    facts,
    steps,
    found: { seed, shard, run },
  });
}

/** Reads the text of the file of an entry; `where` names it in the sentence about a mistake. */
export function readEntry(content: string, where: string): Entry | InputError {
  const value = readKind(content, where, 'fuzz-entry', ENTRY_FIELDS);
  if (isInputError(value)) return value;
  const bad = (field: string, what: string): InputError =>
    inputError('field-value', `"${field}" in ${where} must be ${what}.`);
  if (!isObject(value['scenario'])) return bad('scenario', 'the scenario of the run');
  const scenario = decodeScenario(value['scenario'], where);
  if (isInputError(scenario)) return scenario;
  const legs = decodeLegs(value['legs']);
  if (legs === null)
    return bad('legs', 'a list of [seed, steps], the last with null for its steps');
  const { facts, steps } = value;
  if (!Array.isArray(facts) || !facts.every(isRunFact)) {
    return bad('facts', 'a list of facts that this version of tlbgate knows');
  }
  if (!isCount(steps)) return bad('steps', 'a whole number');
  const found = decodeOrigin(value['found']);
  if (found === null) return bad('found', 'an object with the seed, the shard and the run');
  const named = new Set(facts);
  return { scenario, legs, facts: RUN_FACT_NAMES.filter((fact) => named.has(fact)), steps, found };
}

/** How far a shard of a seed has come. */
export interface Progress {
  readonly seed: number;
  readonly shard: string;
  readonly runs: number;
}

/** The text of the file of a shard's progress. */
export function writeProgress({ seed, shard, runs }: Progress): string {
  return text({ format: FORMAT, kind: 'fuzz-progress', seed, shard, runs });
}

/** Reads the text of the file of a shard's progress. */
export function readProgress(content: string, where: string): Progress | InputError {
  const value = readKind(content, where, 'fuzz-progress', PROGRESS_FIELDS);
  if (isInputError(value)) return value;
  const { seed, shard, runs } = value;
  return isSeed(seed) && isShard(shard) && isCount(runs)
    ? { seed, shard, runs }
    : inputError(
        'field-value',
        `${where} must have a seed, a shard such as "1/4", and a number of runs.`,
      );
}

function readKind(
  content: string,
  where: string,
  kind: string,
  fields: readonly string[],
): Json | InputError {
  const value = parseJson(content, where);
  if (isInputError(value)) return value;
  if (value['format'] !== FORMAT) return formatError(value['format'], where);
  if (value['kind'] !== kind) {
    return inputError('field-value', `${where} is of another kind ("kind" must be "${kind}").`);
  }
  const unknown = Object.keys(value).find((key) => !fields.includes(key));
  return unknown === undefined ? value : unknownField(unknown, fields, where);
}

function decodeLegs(value: unknown): readonly Leg[] | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  const legs: Leg[] = [];
  for (const [i, leg] of value.entries()) {
    if (!Array.isArray(leg) || leg.length !== 2) return null;
    const [seed, steps] = leg as readonly unknown[];
    if (!isSeed(seed)) return null;
    if (i === value.length - 1 ? steps !== null : !isCount(steps)) return null;
    legs.push({ seed, steps: isCount(steps) ? steps : Infinity });
  }
  return legs;
}

function decodeOrigin(value: unknown): Origin | null {
  if (!isObject(value)) return null;
  const { seed, shard, run } = value;
  return isSeed(seed) && isShard(shard) && isCount(run) ? { seed, shard, run } : null;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isSeed(value: unknown): value is number {
  return isCount(value) && value < 2 ** 32;
}

function isShard(value: unknown): value is string {
  return typeof value === 'string' && /^[1-9]\d*\/[1-9]\d*$/.test(value);
}

function text(value: Json): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}
