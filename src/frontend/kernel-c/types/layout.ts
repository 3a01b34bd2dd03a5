import type { Member, RecordSyntax } from '../parse/ast.ts';
import {
  type EnumValues,
  failType,
  type FieldLayout,
  NO_LOCALS,
  type RecordLayout,
  type TypeContext,
} from './context.ts';
import { alignmentOfAttributes, resolveType } from './resolve.ts';
import { alignmentOf, roundUp, sizeOf } from './size.ts';
import { INT, type IntegerType, integerType, type Type } from './type.ts';

/** Where the members of a struct or union stand (AAPCS64, 8.1.8 for bit-fields). */
export function layoutOf(context: TypeContext, record: number, at: number): RecordLayout {
  const known = context.layouts.get(record);
  if (known !== undefined) return known;
  const syntax = context.unit.records[record];
  if (syntax === undefined || syntax.members === null) {
    const name = `${syntax?.kind ?? 'struct'} ${syntax?.tag ?? ''}`;
    throw failType(context, at, `${name} is only declared here, its members are not known`);
  }
  if (context.open.has(record)) {
    throw failType(context, at, `${syntax.kind} ${syntax.tag ?? ''} contains itself`);
  }
  context.open.add(record);
  try {
    const layout = place(context, syntax, syntax.members);
    context.layouts.set(record, layout);
    return layout;
  } finally {
    context.open.delete(record);
  }
}

interface Cursor {
  /** First free bit. */
  bit: number;
  size: number;
  alignment: number;
}

function place(
  context: TypeContext,
  syntax: RecordSyntax,
  members: readonly Member[],
): RecordLayout {
  const limit = syntax.pack ?? Infinity;
  // With pack(1) bit-fields follow each other without gaps, as in a packed struct.
  const packed = syntax.attributes?.packed === true || limit === 1;
  const union = syntax.kind === 'union';
  const cursor: Cursor = { bit: 0, size: 0, alignment: 1 };
  const fields: FieldLayout[] = [];
  for (const member of members) {
    const type = resolveType(context, member.type, NO_LOCALS);
    if (union) cursor.bit = 0;
    const field =
      member.bits === null
        ? placeMember(context, member, type, packed, limit, cursor)
        : placeBits(context, member, type, packed, limit, cursor);
    if (field !== null) fields.push(field);
    cursor.size = Math.max(cursor.size, Math.ceil(cursor.bit / 8));
  }
  const wanted = alignmentOfAttributes(context, syntax.attributes, NO_LOCALS);
  const alignment = Math.max(cursor.alignment, wanted);
  return { size: roundUp(cursor.size, alignment), alignment, fields };
}

function placeMember(
  context: TypeContext,
  member: Member,
  type: Type,
  packed: boolean,
  limit: number,
  cursor: Cursor,
): FieldLayout | null {
  // `struct tag;` and `enum { A };` inside a struct declare no member.
  if (member.name === null && !isAnonymousRecord(context, type)) return null;
  const natural =
    packed || member.attributes?.packed === true
      ? 1
      : Math.min(limit, alignmentOf(context, type, member.at));
  const alignment = Math.max(natural, alignmentOfAttributes(context, member.attributes, NO_LOCALS));
  const offset = roundUp(Math.ceil(cursor.bit / 8), alignment);
  cursor.alignment = Math.max(cursor.alignment, alignment);
  cursor.bit = (offset + sizeOf(context, type, member.at)) * 8;
  return { name: member.name, type, offset, bits: null };
}

function isAnonymousRecord(context: TypeContext, type: Type): boolean {
  return type.kind === 'record' && context.unit.records[type.record]?.tag === null;
}

function placeBits(
  context: TypeContext,
  member: Member,
  type: Type,
  packed: boolean,
  limit: number,
  cursor: Cursor,
): FieldLayout | null {
  const constant =
    member.bits === null ? null : context.rules.constant(context, member.bits, NO_LOCALS);
  const unitBits = sizeOf(context, type, member.at) * 8;
  const width = constant === null ? -1 : Number(constant.value);
  if (width < 0 || width > unitBits) {
    throw failType(context, member.at, 'the width of this bit-field is no constant that fits');
  }
  const tight = packed || member.attributes?.packed === true;
  const wanted = alignmentOfAttributes(context, member.attributes, NO_LOCALS);
  if (width === 0) {
    cursor.bit = roundUp(cursor.bit, unitBits);
    if (!tight) cursor.alignment = Math.max(cursor.alignment, unitBits / 8);
    return null;
  }
  if (wanted > 1) cursor.bit = roundUp(cursor.bit, wanted * 8);
  const crosses =
    Math.floor(cursor.bit / unitBits) !== Math.floor((cursor.bit + width - 1) / unitBits);
  if (crosses && !tight) cursor.bit = roundUp(cursor.bit, unitBits);
  const start = cursor.bit;
  cursor.bit += width;
  cursor.alignment = Math.max(
    cursor.alignment,
    tight ? wanted : Math.max(wanted, Math.min(limit, unitBits / 8)),
  );
  if (member.name === null) return null;
  const offset = Math.floor(start / 8);
  return { name: member.name, type, offset, bits: { start: start - offset * 8, width } };
}

/** A member by name, anonymous structs and unions searched through; its offset is from the outside. */
export function findMember(
  context: TypeContext,
  record: number,
  name: string,
  at: number,
): FieldLayout | null {
  for (const field of layoutOf(context, record, at).fields) {
    if (field.name === name) return field;
    if (field.name !== null || field.type.kind !== 'record') continue;
    const inner = findMember(context, field.type.record, name, at);
    if (inner !== null) return { ...inner, offset: inner.offset + field.offset };
  }
  return null;
}

/** The values of an enum and the type gcc stores it in. */
export function enumValuesOf(context: TypeContext, enumeration: number, at: number): EnumValues {
  const known = context.enums.get(enumeration);
  if (known !== undefined) return known;
  const syntax = context.unit.enums[enumeration];
  if (syntax === undefined || syntax.enumerators === null) {
    throw failType(context, at, `enum ${syntax?.tag ?? ''} is only declared here`);
  }
  const values: bigint[] = [];
  // Values may name earlier ones of the same enum: the list is visible while it grows.
  context.enums.set(enumeration, { underlying: INT, values });
  let next = 0n;
  for (const { value, at: token } of syntax.enumerators) {
    if (value !== null) {
      const constant = context.rules.constant(context, value, NO_LOCALS);
      if (constant === null) {
        context.enums.delete(enumeration);
        throw failType(context, token, 'the value of this enumerator is no constant known here');
      }
      next = constant.value;
    }
    values.push(next);
    next += 1n;
  }
  const result = { underlying: underlying(values, syntax.attributes?.packed === true), values };
  context.enums.set(enumeration, result);
  return result;
}

function underlying(values: readonly bigint[], packed: boolean): IntegerType {
  const low = values.reduce((a, b) => (b < a ? b : a), 0n);
  const high = values.reduce((a, b) => (b > a ? b : a), 0n);
  const small = [
    ['signed char', 'unsigned char', 8n],
    ['short', 'unsigned short', 16n],
  ] as const;
  const normal = [['int', 'unsigned int', 32n]] as const;
  for (const [signed, unsigned, bits] of packed ? [...small, ...normal] : normal) {
    if (low >= 0n && high < 1n << bits) return integerType(unsigned);
    if (low >= -(1n << (bits - 1n)) && high < 1n << (bits - 1n)) return integerType(signed);
  }
  return integerType(low < 0n ? 'long' : 'unsigned long');
}
