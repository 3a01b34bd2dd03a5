import { compatible } from '../types/conversions.ts';
import { typeName } from '../types/context.ts';
import { sizeOf } from '../types/size.ts';
import { decayed, type Type, unqualified } from '../types/type.ts';
import type { Shape } from './bytecode.ts';
import {
  addressOf,
  allocate,
  type Builder,
  emit,
  fail,
  isAggregate,
  type MemoryPlace,
  newRegister,
  type Place,
  shapeOf,
  type Value,
} from './builder.ts';

/** Reads a place: scalars into a register, aggregates by their address, arrays as pointers. */
export function read(builder: Builder, place: Place, at: number): Value {
  const { type } = place;
  if (place.kind === 'register') {
    // A later assignment in the same expression must not change a value already read.
    const to = newRegister(builder);
    emit(builder, { op: 'move', at, to, from: place.register });
    return { kind: 'scalar', register: to, type: unqualified(type) };
  }
  if (type.kind === 'array' || type.kind === 'function') {
    return { kind: 'scalar', register: addressOf(builder, place, at), type: decayed(type) };
  }
  if (type.kind === 'void') return { kind: 'void' };
  if (isAggregate(type)) {
    return { kind: 'aggregate', address: addressOf(builder, place, at), type };
  }
  const shape = shapeOf(builder, type, at);
  const address = addressOf(builder, place, at);
  const to = newRegister(builder);
  const { volatile } = type;
  if (place.bits === null) emit(builder, { op: 'load', at, to, address, shape, volatile });
  else {
    const bits = { ...place.bits, signed: shape.signed, bool: shape.bool };
    emit(builder, { op: 'load-bits', at, to, address, bits, volatile });
  }
  return { kind: 'scalar', register: to, type: unqualified(type) };
}

/** Writes a value, converted to the type of the place; gives what reading the place would give. */
export function write(builder: Builder, place: Place, value: Value, at: number): Value {
  const { type } = place;
  if (place.kind === 'register') {
    const from = convert(builder, value, type, at);
    emit(builder, { op: 'move', at, to: place.register, from });
    return { kind: 'scalar', register: from, type: unqualified(type) };
  }
  if (isAggregate(type)) {
    if (value.kind !== 'aggregate' || !compatible(builder.context, value.type, type, at)) {
      throw fail(builder, at, `this value is no ${typeName(builder.context, type)}`);
    }
    const to = addressOf(builder, place, at);
    const size = sizeOf(builder.context, type, at);
    const volatile = type.volatile || value.type.volatile;
    emit(builder, { op: 'copy', at, to, from: value.address, size, volatile });
    return value;
  }
  const shape = shapeOf(builder, type, at);
  const from = convert(builder, value, type, at);
  const address = addressOf(builder, place, at);
  const { volatile } = type;
  if (place.bits === null) {
    emit(builder, { op: 'store', at, address, from, shape, volatile });
    return { kind: 'scalar', register: from, type: unqualified(type) };
  }
  const bits = { ...place.bits, signed: shape.signed, bool: shape.bool };
  emit(builder, { op: 'store-bits', at, address, from, bits, volatile });
  return { kind: 'scalar', register: cut(builder, from, bits, at), type: unqualified(type) };
}

/** What is left of a value in a bit-field: shifted up and down again. */
function cut(
  builder: Builder,
  from: number,
  bits: { readonly width: number; readonly signed: boolean; readonly bool: boolean },
  at: number,
): number {
  const to = newRegister(builder);
  const shape: Shape = { size: bits.width / 8, signed: bits.signed, bool: bits.bool };
  emit(builder, { op: 'convert', at, to, from, shape });
  return to;
}

/** A register with the value converted to a scalar type (C11 6.3). */
export function convert(builder: Builder, value: Value, type: Type, at: number): number {
  if (value.kind !== 'scalar') {
    const what = value.kind === 'void' ? 'void' : typeName(builder.context, value.type);
    throw fail(builder, at, `${what} is used where a ${typeName(builder.context, type)} is needed`);
  }
  const from = shapeOf(builder, value.type, at);
  const shape = shapeOf(builder, type, at);
  if (fits(from, shape)) return value.register;
  const to = newRegister(builder);
  emit(builder, { op: 'convert', at, to, from: value.register, shape });
  return to;
}

/** True when every value of one shape is a value of the other. */
function fits(from: Shape, into: Shape): boolean {
  if (into.bool) return from.bool;
  if (from.bool) return true;
  if (from.signed === into.signed) return from.size <= into.size;
  return !from.signed && from.size < into.size;
}

/** A place in the frame for a value that needs an address. */
export function temporary(builder: Builder, type: Type, at: number): MemoryPlace {
  const offset = allocate(builder, type, at);
  return framePlace(builder, offset, type, at);
}

export function framePlace(builder: Builder, offset: number, type: Type, at: number): MemoryPlace {
  const address = newRegister(builder);
  emit(builder, { op: 'frame', at, to: address, offset });
  return { kind: 'memory', address, offset: 0, type, bits: null };
}

export function typeOfValue(builder: Builder, value: Value, at: number): Type {
  if (value.kind === 'void') throw fail(builder, at, 'a void value is used');
  return value.type;
}

/** The register of a scalar. */
export function scalar(builder: Builder, value: Value, at: number): number {
  if (value.kind === 'scalar') return value.register;
  const what = value.kind === 'void' ? 'void' : typeName(builder.context, value.type);
  throw fail(builder, at, `${what} is used as a number or pointer`);
}
