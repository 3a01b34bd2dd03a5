import type { TypeContext } from './context.ts';
import {
  decayed,
  INT,
  type IntegerType,
  integerType,
  type Type,
  UNSIGNED_INT,
  unqualified,
} from './type.ts';

/** The integer behind an integer or enum type; `null` for any other. */
export function integerBehind(context: TypeContext, type: Type, at: number): IntegerType | null {
  if (type.kind === 'integer') return type;
  return type.kind === 'enum' ? context.rules.enumValues(context, type.enum, at).underlying : null;
}

/** The integer promotions (C11 6.3.1.1 p2); other types only decay. */
export function promoted(context: TypeContext, type: Type, at: number): Type {
  const integer = integerBehind(context, type, at);
  if (integer === null) return decayed(type);
  if (integer.bits !== null) {
    if (integer.bits < 32) return INT;
    if (integer.bits === 32 && integer.size <= 4) return integer.signed ? INT : UNSIGNED_INT;
    return integerType(integer.name);
  }
  return integer.size < 4 ? INT : unqualified(integer);
}

const RANK: Readonly<Record<string, number>> = {
  int: 1,
  'unsigned int': 1,
  long: 2,
  'unsigned long': 2,
  'long long': 3,
  'unsigned long long': 3,
  int128: 4,
  'unsigned int128': 4,
};

/** The usual arithmetic conversions (C11 6.3.1.8) of two promoted integers. */
export function commonInteger(a: IntegerType, b: IntegerType): IntegerType {
  const rankA = RANK[a.name] ?? 1;
  const rankB = RANK[b.name] ?? 1;
  if (a.signed === b.signed) return rankA >= rankB ? a : b;
  const [signed, unsigned] = a.signed ? [a, b] : [b, a];
  const rankSigned = a.signed ? rankA : rankB;
  const rankUnsigned = a.signed ? rankB : rankA;
  if (rankUnsigned >= rankSigned) return unsigned;
  if (signed.size > unsigned.size) return signed;
  return integerType(signed.name === 'long' ? 'unsigned long' : 'unsigned long long');
}

/** Cuts a value to what a type can hold. */
export function wrapTo(type: IntegerType, value: bigint): bigint {
  if (type.name === 'bool') return value === 0n ? 0n : 1n;
  const bits = type.size * 8;
  return type.signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
}

/** `__builtin_types_compatible_p`: the same type, qualifiers at the top left out (C11 6.2.7). */
export function compatible(context: TypeContext, a: Type, b: Type, at: number): boolean {
  if (a.kind === 'enum' && b.kind === 'integer') return compatibleEnum(context, a, b, at);
  if (b.kind === 'enum' && a.kind === 'integer') return compatibleEnum(context, b, a, at);
  switch (a.kind) {
    case 'void':
    case 'va_list':
      return a.kind === b.kind;
    case 'integer':
      return b.kind === 'integer' && a.name === b.name;
    case 'float':
      return b.kind === 'float' && a.size === b.size;
    case 'pointer':
      return b.kind === 'pointer' && same(context, a.to, b.to, at);
    case 'array':
      return (
        b.kind === 'array' &&
        (a.length === null || b.length === null || a.length === b.length) &&
        same(context, a.of, b.of, at)
      );
    case 'record':
      return b.kind === 'record' && a.record === b.record;
    case 'enum':
      return b.kind === 'enum' && a.enum === b.enum;
    case 'function':
      return (
        b.kind === 'function' &&
        a.variadic === b.variadic &&
        a.parameters.length === b.parameters.length &&
        compatible(context, a.returns, b.returns, at) &&
        a.parameters.every((parameter, i) => {
          const other = b.parameters[i];
          return other !== undefined && compatible(context, parameter, other, at);
        })
      );
  }
}

function same(context: TypeContext, a: Type, b: Type, at: number): boolean {
  return a.const === b.const && a.volatile === b.volatile && compatible(context, a, b, at);
}

function compatibleEnum(
  context: TypeContext,
  a: Type & { kind: 'enum' },
  b: IntegerType,
  at: number,
): boolean {
  return context.rules.enumValues(context, a.enum, at).underlying.name === b.name;
}
