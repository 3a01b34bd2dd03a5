import type { Initializer } from '../parse/ast.ts';
import { textOf } from '../types/complete.ts';
import { walkInitializer } from '../types/initializer.ts';
import { sizeOf } from '../types/size.ts';
import { CHAR } from '../types/type.ts';
import { write } from './access.ts';
import {
  addressOf,
  type Builder,
  constant,
  emit,
  isAggregate,
  type MemoryPlace,
} from './builder.ts';

/** Fills a place from an initializer (C11 6.7.9). */
export function initialise(builder: Builder, into: MemoryPlace, initializer: Initializer): void {
  const { at } = initializer;
  const { type } = into;
  if (type.kind === 'array') {
    const text = textOf(initializer, type);
    if (text !== null) {
      zero(builder, into, at);
      fromString(builder, into, text, at);
      return;
    }
  }
  if (initializer.kind === 'expression') {
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
  const { context, locals } = builder;
  walkInitializer(context, type, initializer, locals, (part, value) => {
    const places = part.offsets.map((offset): MemoryPlace => {
      return { ...into, offset: into.offset + offset, type: part.type, bits: part.bits };
    });
    if (places.length === 1 || value.kind === 'list' || part.type.kind === 'array') {
      for (const place of places) initialise(builder, place, value);
      return;
    }
    // GNU C: a value for a range of elements is worked out once.
    const given = builder.lowering.value(builder, value.expression);
    for (const place of places) write(builder, place, given, value.at);
  });
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
