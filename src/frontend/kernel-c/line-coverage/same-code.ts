import { attempt } from '../diagnostic.ts';
import type { CompiledFunction } from '../lower/bytecode.ts';
import type { Place } from '../preprocess/sources.ts';
import { originOf, type TokenStream, useOf } from '../preprocess/token-stream.ts';
import {
  compiled,
  createProgram,
  findFunction,
  initializerOf,
  type Program,
  symbolOf,
} from '../vm/program.ts';
import { reachableFrom } from './reach.ts';

/** How the code of two programs of the same units differs. */
export interface CodeDifference {
  /** Functions and objects that were compared. */
  readonly compared: number;
  /** Those whose code or first value differs, or that only one side has, by `unit:name`. */
  readonly differing: ReadonlySet<string>;
}

/**
 * Compares two programs as they are lowered: all that some functions can come to, and every function that
 * stands in one of `files`. A type, an enumerator or a macro changes code in which no line has changed.
 * Places in the source do not count.
 */
export function differingCode(
  before: Program,
  after: Program,
  entries: readonly string[],
  files: ReadonlySet<string>,
): CodeDifference {
  const names = new Set([before, after].flatMap((program) => partsOf(program, entries, files)));
  // What is lowered for a comparison leaves no traces in the programs that are run.
  const [one, other] = [copyOf(before), copyOf(after)];
  const differing = new Set<string>();
  for (const key of names) {
    const { unit, name } = partOf(key);
    if (before.units[unit]?.unit === after.units[unit]?.unit) continue;
    if (codeText(one, unit, name) !== codeText(other, unit, name)) differing.add(key);
  }
  return { compared: names.size, differing };
}

/** Whether any of a function was executed, or any byte of an object read, in some run. */
export function wasExecuted(program: Program, key: string): boolean {
  const code = program.functions.get(key);
  const { name } = partOf(key);
  const notes =
    code === undefined
      ? (program.read.get(key) ?? program.read.get(name))
      : program.reached.get(code)?.instructions;
  return notes?.includes(1) === true;
}

/** Where a function or an object is defined; `null` where a program has none, or our own text has it. */
export function definitionOf(program: Program, key: string): Place | null {
  const { unit, name } = partOf(key);
  const syntax = program.units[unit]?.unit;
  const at = syntax?.functions.get(name)?.at ?? syntax?.objects.get(name)?.[0]?.declarator.at;
  if (syntax === undefined || at === undefined) return null;
  const place = useOf(syntax.stream, at);
  return place.file.startsWith('<') || program.options.appended.has(place.file) ? null : place;
}

function partsOf(
  program: Program,
  entries: readonly string[],
  files: ReadonlySet<string>,
): readonly string[] {
  const own = program.units.flatMap(({ unit }, number) =>
    [...unit.functions.values()]
      .filter(({ name }) => !program.options.intercepts.has(name))
      .filter(({ at }) => files.has(useOf(unit.stream, at).file))
      .map(({ name }) => `${number}:${name}`),
  );
  return [...reachableFrom(program, entries), ...own];
}

function partOf(key: string): { readonly unit: number; readonly name: string } {
  const [unit = '', name = ''] = key.split(':');
  return { unit: Number(unit), name };
}

function copyOf({ units, options }: Program): Program {
  return createProgram(
    units.map(({ unit }) => unit),
    options,
  );
}

/** The code of a function or of a first value as text, without places; a failure is its sentence. */
function codeText(program: Program, unit: number, name: string): string {
  const made = attempt((): CompiledFunction | null => {
    const syntax = program.units[unit]?.unit;
    if (syntax?.functions.has(name) === true) {
      return compiled(program, findFunction(program, unit, name));
    }
    return syntax?.objects.has(name) === true
      ? initializerOf(program, symbolOf(program, unit, name))
      : null;
  });
  if (made.kind !== 'ok') return made.diagnostic.message;
  const stream = program.units[unit]?.unit.stream;
  return JSON.stringify(made.value, function text(this: unknown, key, value: unknown) {
    if (key === 'at') return undefined;
    if (key === 'value' && stream !== undefined && isLineNumber(stream, this)) return LINE;
    return typeof value === 'bigint' ? `${value}n` : value;
  });
}

const LINE = '__LINE__';

/** A constant that is the number of its own line, as `might_sleep()` hands it on: a place, too. */
function isLineNumber(stream: TokenStream, part: unknown): boolean {
  if (typeof part !== 'object' || part === null || !('at' in part)) return false;
  const { at } = part;
  return typeof at === 'number' && originOf(stream, at).macros.some(({ name }) => name === LINE);
}
