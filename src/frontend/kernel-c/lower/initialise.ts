import type { Designator, Initializer, InitializerItem } from '../parse/ast.ts';
import { compatible } from '../types/conversions.ts';
import { typeOfExpression } from '../types/expression-type.ts';
import { findMember } from '../types/layout.ts';
import { sizeOf } from '../types/size.ts';
import { CHAR, type Type } from '../types/type.ts';
import { write } from './access.ts';
import {
  addressOf,
  type Builder,
  constant,
  emit,
  fail,
  isAggregate,
  type MemoryPlace,
} from './builder.ts';

const MAX_RANGE = 65_536;

/** Fills a place from an initializer (C11 6.7.9 with the designated ranges of GNU C). */
export function initialise(builder: Builder, into: MemoryPlace, initializer: Initializer): void {
  const { at } = initializer;
  const { type } = into;
  if (initializer.kind === 'expression') {
    if (type.kind === 'array' && initializer.expression.kind === 'string') {
      zero(builder, into, at);
      fromString(builder, into, initializer.expression.text, at);
      return;
    }
    if (type.kind === 'array' && initializer.expression.kind === 'compound-literal') {
      initialise(builder, into, initializer.expression.initializer);
      return;
    }
    write(builder, into, builder.lowering.value(builder, initializer.expression), at);
    return;
  }
  if (!isAggregate(type)) {
    const only = initializer.items[0];
    if (only === undefined)
      write(builder, into, { kind: 'scalar', register: constant(builder, 0n, at), type: CHAR }, at);
    else initialise(builder, into, only.value);
    return;
  }
  zero(builder, into, at);
  fill(builder, into, initializer.items);
}

function zero(builder: Builder, into: MemoryPlace, at: number): void {
  const size = sizeOf(builder.context, into.type, at);
  if (size > 0) emit(builder, { op: 'zero', at, address: addressOf(builder, into, at), size });
}

function fromString(builder: Builder, into: MemoryPlace, text: string, at: number): void {
  if (into.type.kind !== 'array') return;
  const length = Math.min(text.length, into.type.length ?? text.length);
  const size = sizeOf(builder.context, into.type.of, at);
  for (let i = 0; i < length; i++) {
    const register = constant(builder, BigInt(text.charCodeAt(i)), at);
    const element = { ...into, offset: into.offset + i * size, type: into.type.of };
    write(builder, element, { kind: 'scalar', register, type: into.type.of }, at);
  }
}

/** The items of a braced list, each at its designator or after the one before. */
function fill(builder: Builder, into: MemoryPlace, items: readonly InitializerItem[]): void {
  const only = items[0]?.value;
  if (
    items.length === 1 &&
    only?.kind === 'expression' &&
    only.expression.kind === 'string' &&
    isText(into.type)
  ) {
    fromString(builder, into, only.expression.text, only.at);
    return;
  }
  let position = 0;
  let index = 0;
  while (index < items.length) {
    const item = items[index];
    if (item === undefined) return;
    const [first, ...rest] = item.designators;
    if (first?.kind === 'range') {
      const low = number(builder, first.low);
      const high = number(builder, first.high);
      if (high - low > MAX_RANGE) throw fail(builder, first.at, 'this range is too long to fill');
      for (position = low; position <= high; position++) {
        initialise(builder, element(builder, into, position, first.at), item.value);
      }
      index += 1;
      continue;
    }
    if (first !== undefined) {
      const start = designated(builder, into, first);
      position = start.position;
      if (rest.length > 0 || start.nested) {
        let place = start.place;
        for (const designator of rest) place = designated(builder, place, designator).place;
        initialise(builder, place, item.value);
        index += 1;
        position += 1;
        continue;
      }
    }
    const place = element(builder, into, position, item.value.at);
    index = put(builder, place, items, index);
    position += 1;
  }
}

/** Puts an item into a place; without inner braces an aggregate takes several items. */
function put(
  builder: Builder,
  place: MemoryPlace,
  items: readonly InitializerItem[],
  index: number,
): number {
  const item = items[index];
  if (item === undefined) return index;
  const { value } = item;
  const { type } = place;
  const whole =
    value.kind === 'list' ||
    !isAggregate(type) ||
    (value.expression.kind === 'string' && isText(type)) ||
    compatible(
      builder.context,
      typeOfExpression(builder.context, value.expression, builder.locals),
      type,
      value.at,
    );
  if (whole) {
    initialise(builder, place, value);
    return index + 1;
  }
  const count = elements(builder, place.type, value.at);
  let next = index;
  for (let i = 0; i < count && next < items.length; i++) {
    if (i > 0 && (items[next]?.designators.length ?? 0) > 0) break;
    next = put(builder, element(builder, place, i, value.at), items, next);
  }
  return Math.max(next, index + 1);
}

function isText(type: Type): boolean {
  return type.kind === 'array' && type.of.kind === 'integer' && type.of.size === 1;
}

function elements(builder: Builder, type: Type, at: number): number {
  if (type.kind === 'array') return type.length ?? 0;
  if (type.kind !== 'record') return 1;
  const union = builder.context.unit.records[type.record]?.kind === 'union';
  return union ? 1 : builder.context.rules.layout(builder.context, type.record, at).fields.length;
}

/** Element or member number `position`. */
function element(builder: Builder, into: MemoryPlace, position: number, at: number): MemoryPlace {
  const { type } = into;
  if (type.kind === 'array') {
    if (type.length !== null && position >= type.length) {
      throw fail(builder, at, 'more values than the array has elements');
    }
    const size = sizeOf(builder.context, type.of, at);
    return { ...into, offset: into.offset + position * size, type: type.of, bits: null };
  }
  if (type.kind === 'record') {
    const field = builder.context.rules.layout(builder.context, type.record, at).fields[position];
    if (field !== undefined) {
      return { ...into, offset: into.offset + field.offset, type: field.type, bits: field.bits };
    }
  }
  throw fail(builder, at, 'more values than members');
}

function designated(
  builder: Builder,
  into: MemoryPlace,
  designator: Designator,
): { readonly place: MemoryPlace; readonly position: number; readonly nested: boolean } {
  const { at } = designator;
  const { type } = into;
  if (designator.kind === 'field') {
    if (type.kind !== 'record') throw fail(builder, at, 'a designator names a member of no struct');
    const { fields } = builder.context.rules.layout(builder.context, type.record, at);
    const position = fields.findIndex(
      (field) =>
        field.name === designator.name ||
        (field.name === null &&
          field.type.kind === 'record' &&
          findMember(builder.context, field.type.record, designator.name, at) !== null),
    );
    const field = findMember(builder.context, type.record, designator.name, at);
    if (field === null) throw fail(builder, at, `there is no member "${designator.name}"`);
    const place = {
      ...into,
      offset: into.offset + field.offset,
      type: field.type,
      bits: field.bits,
    };
    return { place, position, nested: fields[position]?.name === null };
  }
  const index = designator.kind === 'index' ? designator.index : designator.low;
  const position = number(builder, index);
  return { place: element(builder, into, position, at), position, nested: false };
}

function number(builder: Builder, expression: Parameters<Builder['lowering']['value']>[1]): number {
  const found = builder.context.rules.constant(builder.context, expression, builder.locals);
  if (found === null) throw fail(builder, expression.at, 'a designator must be a constant');
  return Number(found.value);
}
