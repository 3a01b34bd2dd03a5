import type { BaseType } from '../parse/ast.ts';

/**
 * A resolved type: typedefs, tags, `typeof` and array bounds are worked out. Sizes are those of arm64
 * Linux (AAPCS64, LP64). Qualifiers stand on the type they qualify.
 */
export type Type =
  | VoidType
  | IntegerType
  | FloatType
  | PointerType
  | ArrayType
  | FunctionShape
  | RecordType
  | EnumType
  | VaListType;

export interface Qualified {
  readonly const: boolean;
  readonly volatile: boolean;
}

export interface VoidType extends Qualified {
  readonly kind: 'void';
}

export interface IntegerType extends Qualified {
  readonly kind: 'integer';
  /** Distinguishes `long` from `long long`, which have the same size. */
  readonly name: BaseType;
  readonly size: number;
  readonly signed: boolean;
  /** The width of the bit-field this value was read from; `null` for any other value. */
  readonly bits: number | null;
}

export interface FloatType extends Qualified {
  readonly kind: 'float';
  readonly size: number;
}

export interface PointerType extends Qualified {
  readonly kind: 'pointer';
  readonly to: Type;
}

export interface ArrayType extends Qualified {
  readonly kind: 'array';
  readonly of: Type;
  /** `null` for `[]`. */
  readonly length: number | null;
}

export interface FunctionShape extends Qualified {
  readonly kind: 'function';
  readonly returns: Type;
  readonly parameters: readonly Type[];
  readonly variadic: boolean;
}

export interface RecordType extends Qualified {
  readonly kind: 'record';
  /** Number in `Unit.records`. */
  readonly record: number;
  /** Raised by an `aligned` attribute on a typedef or variable; 0 when not. */
  readonly alignment: number;
}

export interface EnumType extends Qualified {
  readonly kind: 'enum';
  /** Number in `Unit.enums`. */
  readonly enum: number;
}

export interface VaListType extends Qualified {
  readonly kind: 'va_list';
}

const PLAIN: Qualified = { const: false, volatile: false };

export const VOID: VoidType = { kind: 'void', ...PLAIN };
export const VA_LIST: VaListType = { kind: 'va_list', ...PLAIN };

/** The integers of arm64 Linux; plain `char` is unsigned there. */
const INTEGERS: readonly (readonly [BaseType, number, boolean])[] = [
  ['bool', 1, false],
  ['char', 1, false],
  ['signed char', 1, true],
  ['unsigned char', 1, false],
  ['short', 2, true],
  ['unsigned short', 2, false],
  ['int', 4, true],
  ['unsigned int', 4, false],
  ['long', 8, true],
  ['unsigned long', 8, false],
  ['long long', 8, true],
  ['unsigned long long', 8, false],
  ['int128', 16, true],
  ['unsigned int128', 16, false],
];

const BASES: ReadonlyMap<BaseType, Type> = new Map<BaseType, Type>([
  ['void', VOID],
  ['va_list', VA_LIST],
  ['float', { kind: 'float', size: 4, ...PLAIN }],
  ['double', { kind: 'float', size: 8, ...PLAIN }],
  ['long double', { kind: 'float', size: 16, ...PLAIN }],
  ...INTEGERS.map(([name, size, signed]) => [name, integerNamed(name, size, signed)] as const),
]);

function integerNamed(name: BaseType, size: number, signed: boolean): IntegerType {
  return { kind: 'integer', name, size, signed, bits: null, ...PLAIN };
}

export function baseType(name: BaseType): Type {
  return BASES.get(name) ?? VOID;
}

export function integerType(name: BaseType): IntegerType {
  const type = baseType(name);
  return type.kind === 'integer' ? type : INT;
}

export const INT: IntegerType = integerNamed('int', 4, true);
export const UNSIGNED_INT: IntegerType = integerNamed('unsigned int', 4, false);
export const LONG: IntegerType = integerNamed('long', 8, true);
export const UNSIGNED_LONG: IntegerType = integerNamed('unsigned long', 8, false);
export const CHAR: IntegerType = integerNamed('char', 1, false);
export const BOOL: IntegerType = integerNamed('bool', 1, false);

export function pointerTo(to: Type): PointerType {
  return { kind: 'pointer', to, ...PLAIN };
}

export function arrayOf(of: Type, length: number | null): ArrayType {
  return { kind: 'array', of, length, ...PLAIN };
}

/** Adds qualifiers; those of an array stand on its elements (C11 6.7.3 p9). */
export function qualified(type: Type, more: Qualified): Type {
  const isConst = type.const || more.const;
  const isVolatile = type.volatile || more.volatile;
  if (isConst === type.const && isVolatile === type.volatile) return type;
  if (type.kind === 'array') return { ...type, of: qualified(type.of, more) };
  return { ...type, const: isConst, volatile: isVolatile };
}

export function unqualified(type: Type): Type {
  return type.const || type.volatile ? { ...type, const: false, volatile: false } : type;
}

/** What a value of this type becomes where it is used: arrays and functions turn into pointers. */
export function decayed(type: Type): Type {
  if (type.kind === 'array') return pointerTo(type.of);
  return type.kind === 'function' ? pointerTo(type) : unqualified(type);
}
