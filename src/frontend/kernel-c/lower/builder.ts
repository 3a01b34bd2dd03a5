import { FrontendError } from '../diagnostic.ts';
import type { Compound, Declaration, Expression, Initializer, Statement } from '../parse/ast.ts';
import { failType, type LocalNames, type TypeContext, typeName } from '../types/context.ts';
import { integerBehind } from '../types/conversions.ts';
import { alignmentOf, roundUp, sizeOf } from '../types/size.ts';
import type { Type } from '../types/type.ts';
import type { FrameVariable, Instruction, Shape } from './bytecode.ts';

/** Where a declared name lives. */
export type Variable =
  | { readonly kind: 'register'; readonly register: number; readonly type: Type }
  | { readonly kind: 'frame'; readonly offset: number; readonly type: Type }
  | { readonly kind: 'symbol'; readonly symbol: string; readonly type: Type }
  /** What a static object of the function cannot use for its first value, except for its type. */
  | { readonly kind: 'only-type'; readonly type: Type };

/** The value of an expression. */
export type Value =
  | { readonly kind: 'scalar'; readonly register: number; readonly type: Type }
  | { readonly kind: 'aggregate'; readonly address: number; readonly type: Type }
  | { readonly kind: 'void' };

/** What an expression designates. */
export type Place =
  | { readonly kind: 'register'; readonly register: number; readonly type: Type }
  | {
      readonly kind: 'memory';
      readonly address: number;
      readonly offset: number;
      readonly type: Type;
      readonly bits: { readonly start: number; readonly width: number } | null;
    };

export type MemoryPlace = Place & { kind: 'memory' };

export interface Block {
  readonly names: Map<string, Variable>;
  /** Calls due when the block is left, in order of declaration. */
  readonly cleanups: {
    readonly function: string;
    readonly place: MemoryPlace;
    readonly at: number;
  }[];
  /** Labels declared by `__label__`. */
  readonly labels: Map<string, Label>;
}

/** A target of jumps; its number stands in the code until `finish` knows its place. */
export interface Label {
  readonly id: number;
  /** The blocks that are open where the label stands, outermost first; `null` until it is met. */
  scope: readonly OpenBlock[] | null;
  /** Jumps from blocks with cleanups that stood before the label was met. */
  readonly detours: Detour[];
}

/** A block at some point of it: of its cleanups these many are due there. */
export interface OpenBlock {
  readonly block: Block;
  readonly due: number;
}

/** A jump forward leads here first, where the cleanups will be once it is known which are due. */
export interface Detour {
  readonly from: readonly OpenBlock[];
  readonly label: Label;
}

/** Where `break` and `continue` lead, and how many blocks are open there. */
export interface Loop {
  readonly exit: Label;
  readonly next: Label | null;
  readonly depth: number;
}

export interface SwitchDraft {
  readonly type: Type;
  readonly cases: { low: bigint; high: bigint; label: Label }[];
  /** A case that is not understood: nothing is known of where the switch leads. */
  broken: FrontendError | null;
  otherwise: Label | null;
}

/** A static local: an object of file scope with a name of its own. */
export interface StaticLocal {
  readonly symbol: string;
  readonly type: Type;
  readonly initializer: Initializer | null;
  /** The names in sight where it is declared. */
  readonly names: ReadonlyMap<string, Variable>;
}

/** The parts of the lowering reach each other through this table, as those of the parser do. */
export interface Lowering {
  readonly value: (builder: Builder, expression: Expression) => Value;
  readonly place: (builder: Builder, expression: Expression) => Place;
  /** Evaluates for the effect alone. */
  readonly effect: (builder: Builder, expression: Expression) => void;
  readonly statement: (builder: Builder, statement: Statement) => void;
  readonly declaration: (builder: Builder, declaration: Declaration) => void;
  readonly block: (builder: Builder, body: Compound) => Value;
  readonly initialise: (builder: Builder, into: MemoryPlace, initializer: Initializer) => void;
}

/** The draft of one function. */
export interface Builder {
  readonly context: TypeContext;
  readonly unit: number;
  readonly name: string;
  readonly returns: Type;
  readonly lowering: Lowering;
  readonly code: Instruction[];
  readonly targets: number[];
  readonly blocks: Block[];
  readonly loops: Loop[];
  readonly switches: SwitchDraft[];
  readonly labels: Map<string, Label>;
  /** Variables whose address is taken live in the frame. */
  readonly addressed: ReadonlySet<string>;
  readonly statics: Map<string, StaticLocal>;
  /** Objects and functions that only this function declares as `extern`. */
  readonly externs: Map<string, Type>;
  readonly locals: LocalNames;
  /** The next free register; those of a statement are free again after it. */
  registers: number;
  mostRegisters: number;
  frameSize: number;
  /** Variables of the frame by where they lie. */
  readonly variables: FrameVariable[];
}

export function emit(builder: Builder, instruction: Instruction): void {
  builder.code.push(instruction);
}

export function newRegister(builder: Builder): number {
  const register = builder.registers++;
  builder.mostRegisters = Math.max(builder.mostRegisters, builder.registers);
  return register;
}

export function newLabel(builder: Builder): Label {
  builder.targets.push(-1);
  return { id: builder.targets.length - 1, scope: null, detours: [] };
}

export function bind(builder: Builder, label: Label): void {
  builder.targets[label.id] = builder.code.length;
}

export function jump(builder: Builder, label: Label, at: number): void {
  emit(builder, { op: 'jump', at, target: label.id });
}

export function allocate(builder: Builder, type: Type, at: number, alignment = 1): number {
  const wanted = Math.max(alignment, alignmentOf(builder.context, type, at));
  const offset = roundUp(builder.frameSize, wanted);
  builder.frameSize = offset + Math.max(1, sizeOf(builder.context, type, at));
  return offset;
}

/** A place in the frame for a variable; a parameter may have no name. */
export function allocateVariable(
  builder: Builder,
  name: string | null,
  type: Type,
  at: number,
  alignment = 1,
): number {
  const offset = allocate(builder, type, at, alignment);
  if (name !== null) builder.variables.push({ name, offset, size: builder.frameSize - offset });
  return offset;
}

export function openBlock(builder: Builder): Block {
  const block: Block = { names: new Map(), cleanups: [], labels: new Map() };
  builder.blocks.push(block);
  return block;
}

export function findVariable(blocks: readonly Block[], name: string): Variable | null {
  for (let i = blocks.length - 1; i >= 0; i--) {
    const found = blocks[i]?.names.get(name);
    if (found !== undefined) return found;
  }
  return null;
}

/** All names in sight, each with its innermost meaning. */
export function namesInSight(blocks: readonly Block[]): ReadonlyMap<string, Variable> {
  return new Map(blocks.flatMap(({ names }) => [...names]));
}

export function fail(builder: Builder, at: number, message: string): FrontendError {
  return failType(builder.context, at, message);
}

/** What is not understood becomes a `stop` in its place: the paths that do not reach it can still run. */
export function stopInstead(builder: Builder, at: number, error: unknown): void {
  if (!(error instanceof FrontendError)) throw error;
  emit(builder, { op: 'stop', at, message: error.diagnostic.message });
}

/** How a scalar type is held in a register; other types are an error. */
export function shapeOf(builder: Builder, type: Type, at: number): Shape {
  if (type.kind === 'pointer' || type.kind === 'function' || type.kind === 'array') {
    return { size: 8, signed: false, bool: false };
  }
  const integer = integerBehind(builder.context, type, at);
  if (integer === null) {
    throw fail(builder, at, `values of type ${typeName(builder.context, type)} are not calculated`);
  }
  return { size: integer.size, signed: integer.signed, bool: integer.name === 'bool' };
}

export function constant(builder: Builder, value: bigint, at: number): number {
  const to = newRegister(builder);
  emit(builder, { op: 'constant', at, to, value });
  return to;
}

/** The register that holds the address of a place in memory. */
export function addressOf(builder: Builder, place: MemoryPlace, at: number): number {
  if (place.offset === 0) return place.address;
  const to = newRegister(builder);
  emit(builder, { op: 'offset', at, to, a: place.address, value: BigInt(place.offset) });
  return to;
}

export function isAggregate(type: Type): boolean {
  return type.kind === 'record' || type.kind === 'array' || type.kind === 'va_list';
}

/** The label of this name: of the innermost block that declared it, else of the function. */
export function findLabel(builder: Builder, name: string): Label {
  for (let i = builder.blocks.length - 1; i >= 0; i--) {
    const local = builder.blocks[i]?.labels.get(name);
    if (local !== undefined) return local;
  }
  let label = builder.labels.get(name);
  if (label === undefined) {
    label = newLabel(builder);
    builder.labels.set(name, label);
  }
  return label;
}
