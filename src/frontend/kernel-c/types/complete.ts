import type { Initializer } from '../parse/ast.ts';
import type { LocalNames, TypeContext } from './context.ts';
import { isText, walkInitializer } from './initializer.ts';
import { arrayOf, type Type } from './type.ts';

/** Gives an array declared as `[]` the length its initializer needs (C11 6.7.9 p22). */
export function completeType(
  context: TypeContext,
  type: Type,
  initializer: Initializer,
  locals: LocalNames,
): Type {
  if (type.kind !== 'array' || type.length !== null) return type;
  const text = textOf(initializer, type);
  if (text !== null) return arrayOf(type.of, text.length + 1);
  if (initializer.kind === 'expression') return type;
  return arrayOf(
    type.of,
    walkInitializer(context, type, initializer, locals, () => {}),
  );
}

/** The string that an array of characters is given, with or without braces; `null` for another value. */
export function textOf(initializer: Initializer, type: Type): string | null {
  if (initializer.kind === 'expression') {
    return initializer.expression.kind === 'string' ? initializer.expression.text : null;
  }
  const [only, ...others] = initializer.items;
  const isOnly = only !== undefined && others.length === 0 && only.designators.length === 0;
  return isOnly && only.value.kind === 'expression' && isText(type)
    ? textOf(only.value, type)
    : null;
}
