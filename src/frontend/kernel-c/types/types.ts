import { attempt, type Outcome } from '../diagnostic.ts';
import type { TypeSyntax } from '../parse/ast.ts';
import type { Unit } from '../parse/unit.ts';
import { completeType } from './complete.ts';
import { evaluateConstant } from './constant.ts';
import { type FieldLayout, NO_LOCALS, type TypeContext } from './context.ts';
import { typeOfExpression } from './expression-type.ts';
import { enumValuesOf, findMember, layoutOf } from './layout.ts';
import { resolveType } from './resolve.ts';
import { sizeOf } from './size.ts';
import type { Type } from './type.ts';

/** Begins to work out the types of a unit. */
export function typesOf(unit: Unit): TypeContext {
  return {
    unit,
    resolved: new Map(),
    types: new Map(),
    constants: new Map(),
    layouts: new Map(),
    enums: new Map(),
    prepared: new Set(),
    open: new Set(),
    rules: {
      resolve: resolveType,
      layout: layoutOf,
      enumValues: enumValuesOf,
      typeOf: typeOfExpression,
      constant: evaluateConstant,
      complete: completeType,
    },
  };
}

/** The type `struct tag` or `union tag`, `enum tag` or a typedef name of file scope; `null` for none. */
export function namedType(context: TypeContext, name: string): Type | null {
  const { unit } = context;
  const [word = '', tag = ''] = name.split(' ');
  let syntax: TypeSyntax | undefined;
  if (word === 'struct' || word === 'union') {
    const record = unit.tags.get(tag);
    if (record !== undefined) syntax = { kind: 'record', record };
  } else if (word === 'enum') {
    const enumeration = unit.enumTags.get(tag);
    if (enumeration !== undefined) syntax = { kind: 'enum', enum: enumeration };
  } else {
    syntax = unit.typedefs.get(name);
  }
  return syntax === undefined ? null : resolveType(context, syntax, NO_LOCALS);
}

/** `sizeof` of a named type, for profiles and tests. */
export function sizeOfNamed(context: TypeContext, name: string): Outcome<number | null> {
  return attempt(() => {
    const type = namedType(context, name);
    return type === null ? null : sizeOf(context, type, 0);
  });
}

/** A member of a named struct; `null` when there is no such type or member. */
export function memberOfNamed(
  context: TypeContext,
  name: string,
  member: string,
): Outcome<FieldLayout | null> {
  return attempt(() => {
    const type = namedType(context, name);
    return type?.kind === 'record' ? findMember(context, type.record, member, 0) : null;
  });
}

/** The value of an enumerator of file scope; `null` when there is none: profiles probe with this. */
export function enumeratorValue(context: TypeContext, name: string): Outcome<bigint | null> {
  return attempt(() => {
    const found = context.unit.enumerators.get(name);
    if (found === undefined) return null;
    return enumValuesOf(context, found.enum, 0).values[found.index] ?? null;
  });
}
