import { arithmetic } from '../types/expression-type.ts';
import { promoted } from '../types/conversions.ts';
import { sizeOf } from '../types/size.ts';
import { INT, LONG, pointerTo, type Type } from '../types/type.ts';
import { convert, scalar, typeOfValue } from './access.ts';
import type { Operator } from './bytecode.ts';
import { type Builder, constant, emit, fail, newRegister, shapeOf, type Value } from './builder.ts';

const COMPARISONS: ReadonlySet<string> = new Set(['<', '>', '<=', '>=', '==', '!=']);

/** An operator on two values, pointer arithmetic included. */
export function lowerBinary(
  builder: Builder,
  operator: Operator,
  left: Value,
  right: Value,
  at: number,
): Value {
  const { context } = builder;
  const a = typeOfValue(builder, left, at);
  const b = typeOfValue(builder, right, at);
  const apply = (x: number, y: number, type: Type, result: Type): Value => {
    const to = newRegister(builder);
    emit(builder, {
      op: 'binary',
      at,
      to,
      operator,
      a: x,
      b: y,
      shape: shapeOf(builder, type, at),
    });
    return { kind: 'scalar', register: to, type: result };
  };
  if (COMPARISONS.has(operator)) {
    const common =
      a.kind === 'pointer' || b.kind === 'pointer' ? pointerTo(INT) : arithmetic(context, a, b, at);
    return apply(
      convert(builder, left, common, at),
      convert(builder, right, common, at),
      common,
      INT,
    );
  }
  if (operator === '<<' || operator === '>>') {
    const type = promoted(context, a, at);
    return apply(convert(builder, left, type, at), scalar(builder, right, at), type, type);
  }
  if (a.kind === 'pointer' && b.kind === 'pointer') {
    if (operator !== '-') throw fail(builder, at, `"${operator}" does not join two pointers`);
    const difference = newRegister(builder);
    const shape = shapeOf(builder, LONG, at);
    emit(builder, {
      op: 'binary',
      at,
      to: difference,
      operator,
      a: scalar(builder, left, at),
      b: scalar(builder, right, at),
      shape,
    });
    const size = constant(builder, BigInt(Math.max(1, sizeOf(context, a.to, at))), at);
    const to = newRegister(builder);
    emit(builder, { op: 'binary', at, to, operator: '/', a: difference, b: size, shape });
    return { kind: 'scalar', register: to, type: LONG };
  }
  if (a.kind === 'pointer' || b.kind === 'pointer') {
    const [pointer, index] = a.kind === 'pointer' ? [left, right] : [right, left];
    const type = a.kind === 'pointer' ? a : b;
    if ((operator !== '+' && operator !== '-') || type.kind !== 'pointer') {
      throw fail(builder, at, `"${operator}" does not work on a pointer`);
    }
    const step = constant(builder, BigInt(sizeOf(context, type.to, at)), at);
    const scaled = newRegister(builder);
    const shape = shapeOf(builder, LONG, at);
    emit(builder, {
      op: 'binary',
      at,
      to: scaled,
      operator: '*',
      a: scalar(builder, index, at),
      b: step,
      shape,
    });
    return apply(scalar(builder, pointer, at), scaled, type, type);
  }
  const type = arithmetic(context, a, b, at);
  return apply(convert(builder, left, type, at), convert(builder, right, type, at), type, type);
}
