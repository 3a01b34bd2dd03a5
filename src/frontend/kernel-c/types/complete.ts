import type { Initializer, InitializerItem } from '../parse/ast.ts';
import { failType, type LocalNames, type TypeContext } from './context.ts';
import { arrayOf, type Type } from './type.ts';

/** Gives an array declared as `[]` the length its initializer needs (C11 6.7.9 p22). */
export function completeType(
  context: TypeContext,
  type: Type,
  initializer: Initializer,
  locals: LocalNames,
): Type {
  if (type.kind !== 'array' || type.length !== null) return type;
  if (initializer.kind === 'expression') {
    const { expression } = initializer;
    return expression.kind === 'string' ? arrayOf(type.of, expression.text.length + 1) : type;
  }
  const only = initializer.items[0]?.value;
  if (
    initializer.items.length === 1 &&
    only?.kind === 'expression' &&
    only.expression.kind === 'string' &&
    type.of.kind === 'integer' &&
    type.of.size === 1
  ) {
    return arrayOf(type.of, only.expression.text.length + 1);
  }
  return arrayOf(type.of, lengthOf(context, type.of, initializer.items, locals));
}

function lengthOf(
  context: TypeContext,
  element: Type,
  items: readonly InitializerItem[],
  locals: LocalNames,
): number {
  let next = 0;
  let length = 0;
  // Elements without braces of their own take several items each.
  const flat =
    element.kind === 'record' || element.kind === 'array'
      ? items.every((item) => item.value.kind === 'expression' && item.designators.length === 0)
      : false;
  if (flat && items.length > 0) {
    const per = scalars(context, element);
    return Math.ceil(items.length / Math.max(1, per));
  }
  for (const item of items) {
    const first = item.designators[0];
    if (first?.kind === 'index' || first?.kind === 'range') {
      const index = first.kind === 'index' ? first.index : first.high;
      const constant = context.rules.constant(context, index, locals);
      if (constant === null) throw failType(context, first.at, 'this designator is no constant');
      next = Number(constant.value);
    }
    next += 1;
    length = Math.max(length, next);
  }
  return length;
}

/** How many scalars an aggregate takes from a list without inner braces. */
export function scalars(context: TypeContext, type: Type): number {
  if (type.kind === 'array') return (type.length ?? 0) * scalars(context, type.of);
  if (type.kind !== 'record') return 1;
  const { fields } = context.rules.layout(context, type.record, 0);
  const record = context.unit.records[type.record];
  const counts = fields.map((field) => scalars(context, field.type));
  return record?.kind === 'union' ? (counts[0] ?? 0) : counts.reduce((a, b) => a + b, 0);
}
