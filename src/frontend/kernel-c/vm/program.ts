import { FrontendError } from '../diagnostic.ts';
import type { CompiledFunction } from '../lower/bytecode.ts';
import type { StaticLocal } from '../lower/builder.ts';
import { type Liveness, livenessOf } from '../lower/liveness.ts';
import { lowerFunction, lowerInitializer } from '../lower/lower.ts';
import type { FunctionDefinition } from '../parse/ast.ts';
import type { Unit } from '../parse/unit.ts';
import { originOf, type TokenOrigin, useOf } from '../preprocess/token-stream.ts';
import { NO_LOCALS, type TypeContext } from '../types/context.ts';
import { typeOfName } from '../types/expression-type.ts';
import { alignmentOf, sizeOf } from '../types/size.ts';
import type { Type } from '../types/type.ts';
import { typesOf } from '../types/types.ts';
import type { EventPlace } from './event.ts';

/**
 * The units of a scenario linked together. Functions are lowered when first called and objects get
 * their addresses when first named, so the tables grow; what they hold never changes, and no part of a
 * thread's state is kept here. Beside them stand notes about what was executed.
 */
export interface Program {
  readonly units: readonly TypeContext[];
  readonly options: ProgramOptions;
  readonly functions: Map<string, CompiledFunction>;
  readonly statics: Map<string, StaticLocal>;
  /** Names declared as `extern` inside functions only. */
  readonly externs: Map<string, Type>;
  readonly symbols: Map<string, Symbol>;
  readonly byAddress: Symbol[];
  readonly byFunctionAddress: Map<bigint, FunctionRef>;
  readonly functionAddresses: Map<string, bigint>;
  readonly strings: Map<string, Symbol>;
  readonly initializers: Map<string, CompiledFunction | null>;
  readonly liveness: Map<CompiledFunction, Liveness>;
  /** Which instructions a machine has come to in any run, and which way the branches went. */
  readonly reached: Map<CompiledFunction, ReachedCode>;
  /** For each object with a first value, 1 for each byte of it that was read in any run. */
  readonly read: Map<string, Uint8Array>;
  /** Where in its object each instruction of a first value has stored something: offset and size. */
  readonly firstStores: Map<CompiledFunction, Map<number, readonly [number, number]>>;
  /** Functions that were handed out as `call` events in any run. */
  readonly handedOut: Set<string>;
  nextObject: bigint;
  nextFunction: bigint;
}

export interface ProgramOptions {
  /** Functions that are handed out as `call` events although they have a body. */
  readonly intercepts: ReadonlySet<string>;
  /** Functions of the first unit that are called in place of others, of whatever unit, by name. */
  readonly standIns: ReadonlyMap<string, string>;
  /** Objects of file scope whose every access is an event: shared between threads. */
  readonly shared: ReadonlySet<string>;
  /**
   * What an object of file scope holds that has no initializer. `zero` is what C says; `stop` is what a
   * scenario needs, because the kernel sets such objects at boot, which nobody ran: reading one that
   * neither the scenario nor the code has written ends the run and names it. Objects of texts that were
   * appended to a unit are always zero.
   */
  readonly unset: 'zero' | 'stop';
  /** Paths of the texts that were appended to a unit. */
  readonly appended: ReadonlySet<string>;
  /** Instructions between two events; a loop that never asks for anything ends there. */
  readonly fuel: number;
}

/** An object of file scope. */
export interface Symbol {
  readonly key: string;
  readonly name: string;
  readonly unit: number;
  readonly address: bigint;
  readonly size: number;
  /** True when it is defined here and private to the thread: its bytes are the thread's own. */
  readonly owned: boolean;
  /** The text of a string literal. */
  readonly text: string | null;
}

export interface FunctionRef {
  readonly unit: number;
  readonly name: string;
  /** `null` when no unit has a body for it, or it is intercepted. */
  readonly definition: FunctionDefinition | null;
}

const OBJECT_BASE = 0xffff_8000_4000_0000n;
const FUNCTION_BASE = 0xffff_8000_1000_0000n;

export function createProgram(
  units: readonly Unit[],
  options: Partial<ProgramOptions> = {},
): Program {
  return {
    units: units.map(typesOf),
    options: {
      intercepts: options.intercepts ?? new Set(),
      standIns: options.standIns ?? new Map(),
      shared: options.shared ?? new Set(),
      unset: options.unset ?? 'zero',
      appended: options.appended ?? new Set(),
      fuel: options.fuel ?? 20_000_000,
    },
    functions: new Map(),
    statics: new Map(),
    externs: new Map(),
    symbols: new Map(),
    byAddress: [],
    byFunctionAddress: new Map(),
    functionAddresses: new Map(),
    strings: new Map(),
    initializers: new Map(),
    liveness: new Map(),
    reached: new Map(),
    read: new Map(),
    firstStores: new Map(),
    handedOut: new Set(),
    nextObject: OBJECT_BASE,
    nextFunction: FUNCTION_BASE,
  };
}

export function unitOf(program: Program, unit: number): TypeContext {
  const context = program.units[unit];
  if (context === undefined) throw new FrontendError('<program>', 0, 0, `there is no unit ${unit}`);
  return context;
}

/** File, line and macros of an event. */
export function placeOf(program: Program, { unit, token }: EventPlace): TokenOrigin {
  return originOf(unitOf(program, unit).unit.stream, token);
}

/** The function a name means in a unit: its own, else the one that another unit exports. */
export function findFunction(program: Program, unit: number, name: string): FunctionRef {
  if (program.options.intercepts.has(name)) return { unit, name, definition: null };
  const standIn = program.options.standIns.get(name);
  if (standIn !== undefined) return findFunction(program, 0, standIn);
  const own = program.units[unit]?.unit.functions.get(name);
  if (own !== undefined) return { unit, name, definition: own };
  for (let other = 0; other < program.units.length; other++) {
    const found = program.units[other]?.unit.functions.get(name);
    if (found !== undefined && found.storage !== 'static') {
      return { unit: other, name, definition: found };
    }
  }
  return { unit, name, definition: null };
}

export function compiled(program: Program, ref: FunctionRef): CompiledFunction | null {
  if (ref.definition === null) return null;
  const key = `${ref.unit}:${ref.name}`;
  const known = program.functions.get(key);
  if (known !== undefined) return known;
  const lowered = lowerFunction(unitOf(program, ref.unit), ref.unit, ref.definition);
  if (lowered.kind === 'failed') {
    const { file, line, column, message } = lowered.diagnostic;
    throw new FrontendError(file, line, column, message);
  }
  for (const [symbol, local] of lowered.value.statics) {
    program.statics.set(`${ref.unit}:${symbol}`, local);
  }
  for (const [name, type] of lowered.value.externs) program.externs.set(name, type);
  program.functions.set(key, lowered.value.code);
  return lowered.value.code;
}

/** What was executed of a function. */
export interface ReachedCode {
  /** 1 for each instruction that a run came to. */
  readonly instructions: Uint8Array;
  /** For each branch: 1 if its condition held in some run, plus 2 if it did not in some run. */
  readonly outcomes: Uint8Array;
}

/** The notes about a function; nothing that runs depends on them. */
export function reachedCode(program: Program, code: CompiledFunction): ReachedCode {
  let known = program.reached.get(code);
  if (known === undefined) {
    const { length } = code.code;
    known = { instructions: new Uint8Array(length), outcomes: new Uint8Array(length) };
    program.reached.set(code, known);
  }
  return known;
}

export function liveness(program: Program, code: CompiledFunction): Liveness {
  let known = program.liveness.get(code);
  if (known === undefined) {
    known = livenessOf(code);
    program.liveness.set(code, known);
  }
  return known;
}

/** The address of an object or function that a unit names. */
export function addressOfName(program: Program, unit: number, name: string): bigint {
  const context = unitOf(program, unit);
  if (!program.statics.has(`${unit}:${name}`) && isFunction(program, context, name)) {
    return functionAddress(program, findFunction(program, unit, name));
  }
  return symbolOf(program, unit, name).address;
}

function isFunction(program: Program, context: TypeContext, name: string): boolean {
  if (context.unit.functions.has(name)) return true;
  const declared = context.unit.objects.get(name)?.[0];
  if (declared === undefined) return program.externs.get(name)?.kind === 'function';
  return typeOfName(context, name, declared.declarator.at, NO_LOCALS).kind === 'function';
}

function functionAddress(program: Program, ref: FunctionRef): bigint {
  const own = ref.definition !== null && ref.definition.storage === 'static';
  const key = own ? `${ref.unit}:${ref.name}` : ref.name;
  const known = program.functionAddresses.get(key);
  if (known !== undefined) return known;
  const address = program.nextFunction;
  program.nextFunction += 16n;
  program.functionAddresses.set(key, address);
  program.byFunctionAddress.set(address, ref);
  return address;
}

export function symbolOf(program: Program, unit: number, name: string): Symbol {
  const { key, home } = findObject(program, unit, name);
  const known = program.symbols.get(key);
  if (known !== undefined) return known;
  const context = unitOf(program, home);
  const local = program.statics.get(key);
  const declaredHere = context.unit.objects.has(name) ? undefined : program.externs.get(name);
  const type = local?.type ?? declaredHere ?? typeOfName(context, name, 0, NO_LOCALS);
  const incomplete = type.kind === 'record' && context.unit.records[type.record]?.members === null;
  const size = incomplete ? 0 : sizeOf(context, type, 0);
  const alignment = incomplete ? 16 : Math.max(16, alignmentOf(context, type, 0));
  const owned =
    !program.options.shared.has(name) && (local !== undefined || isDefined(context, name));
  return addSymbol(program, { key, name, unit: home, size, owned, text: null }, alignment);
}

/** Which unit's object a name means: its own definition, else another unit's, else nobody's. */
function findObject(
  program: Program,
  unit: number,
  name: string,
): { readonly key: string; readonly home: number } {
  if (program.statics.has(`${unit}:${name}`)) return { key: `${unit}:${name}`, home: unit };
  const own = program.units[unit]?.unit.objects.get(name);
  if (own?.some(({ storage }) => storage === 'static') === true) {
    return { key: `${unit}:${name}`, home: unit };
  }
  for (let other = 0; other < program.units.length; other++) {
    const context = program.units[other];
    if (context === undefined || !isDefined(context, name)) continue;
    if (context.unit.objects.get(name)?.some(({ storage }) => storage === 'static') === true)
      continue;
    return { key: name, home: other };
  }
  return { key: name, home: unit };
}

function isDefined(context: TypeContext, name: string): boolean {
  const declared = context.unit.objects.get(name) ?? [];
  return declared.some(
    ({ storage, declarator }) =>
      (storage !== 'extern' || declarator.initializer !== null) &&
      declarator.type.kind !== 'function',
  );
}

export function stringSymbol(program: Program, text: string): Symbol {
  const known = program.strings.get(text);
  if (known !== undefined) return known;
  const key = `"${program.strings.size}`;
  const draft = { key, name: '<string>', unit: 0, size: text.length + 1, owned: true, text };
  const symbol = addSymbol(program, draft, 16);
  program.strings.set(text, symbol);
  return symbol;
}

function addSymbol(program: Program, draft: Omit<Symbol, 'address'>, alignment: number): Symbol {
  const align = BigInt(alignment);
  const address = ((program.nextObject + align - 1n) / align) * align;
  // Objects that are only declared may be larger than they seem; they get a page of their own.
  const room = draft.owned ? BigInt(draft.size) + 16n : BigInt(draft.size) + 4096n;
  program.nextObject = address + room;
  const symbol: Symbol = { ...draft, address };
  program.symbols.set(draft.key, symbol);
  program.byAddress.push(symbol);
  return symbol;
}

/** The object an address lies in; `null` when it is none of file scope. */
export function symbolAt(program: Program, address: bigint): Symbol | null {
  if (address < OBJECT_BASE || address >= program.nextObject) return null;
  const list = program.byAddress;
  let low = 0;
  let high = list.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((list[middle]?.address ?? 0n) <= address) low = middle;
    else high = middle - 1;
  }
  const symbol = list[low];
  return symbol !== undefined && symbol.address <= address ? symbol : null;
}

/** True when reading the object before it was written must stop the run. */
export function startsUnset(program: Program, symbol: Symbol): boolean {
  if (program.options.unset === 'zero' || program.statics.has(symbol.key)) return false;
  return isOfTree(program, symbol);
}

/** True for an object of file scope that a file of the tree defines, not a text appended to a unit. */
export function isOfTree(program: Program, symbol: Symbol): boolean {
  const { unit } = unitOf(program, symbol.unit);
  const declared = unit.objects.get(symbol.name)?.[0];
  if (declared === undefined) return false;
  const { file } = useOf(unit.stream, declared.declarator.at);
  return !file.startsWith('<') && !program.options.appended.has(file);
}

/** The code that gives an object its first value; `null` when that is all zero. */
export function initializerOf(program: Program, symbol: Symbol): CompiledFunction | null {
  const known = program.initializers.get(symbol.key);
  if (known !== undefined) return known;
  const context = unitOf(program, symbol.unit);
  const local = program.statics.get(symbol.key);
  const declared = context.unit.objects.get(symbol.name) ?? [];
  const initializer =
    local === undefined
      ? (declared.find(({ declarator }) => declarator.initializer !== null)?.declarator
          .initializer ?? null)
      : local.initializer;
  let code: CompiledFunction | null = null;
  if (initializer !== null) {
    const type = local?.type ?? typeOfName(context, symbol.name, initializer.at, NO_LOCALS);
    const names = local?.names ?? new Map();
    const lowered = lowerInitializer(context, symbol.unit, symbol.name, type, initializer, names);
    if (lowered.kind === 'failed') {
      const { file, line, column, message } = lowered.diagnostic;
      throw new FrontendError(file, line, column, message);
    }
    code = lowered.value;
  }
  program.initializers.set(symbol.key, code);
  return code;
}
