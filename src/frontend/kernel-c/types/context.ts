import { FrontendError } from '../diagnostic.ts';
import type { Expression, Initializer, TypeSyntax } from '../parse/ast.ts';
import type { Unit } from '../parse/unit.ts';
import { useOf } from '../preprocess/token-stream.ts';
import type { IntegerType, Type } from './type.ts';

/** The types of names that are declared inside functions; `null` for a name of file scope. */
export type LocalNames = (name: string) => Type | null;

export const NO_LOCALS: LocalNames = () => null;

export interface FieldLayout {
  /** `null` for an anonymous struct or union. */
  readonly name: string | null;
  readonly type: Type;
  /** Offset in bytes; for a bit-field that of the byte in which it begins. */
  readonly offset: number;
  /** Bits from the beginning of that byte, and width; `null` for any other member. */
  readonly bits: { readonly start: number; readonly width: number } | null;
}

export interface RecordLayout {
  readonly size: number;
  readonly alignment: number;
  readonly fields: readonly FieldLayout[];
}

export interface EnumValues {
  readonly underlying: IntegerType;
  readonly values: readonly bigint[];
}

/** A value known at compile time, and its type. */
export interface Constant {
  readonly value: bigint;
  readonly type: Type;
}

/**
 * What is known about the types of one unit, worked out as it is asked for. The rules refer to each
 * other in circles (a bound needs a size, a size needs a type, a type may be that of an expression) and
 * reach each other through `rules`.
 */
export interface TypeContext {
  readonly unit: Unit;
  readonly resolved: Map<TypeSyntax, Type>;
  /** Answers kept: an expression stands in one place, so its type and value there are fixed. */
  readonly types: Map<Expression, Type>;
  readonly constants: Map<Expression, Constant | null>;
  readonly layouts: Map<number, RecordLayout>;
  readonly enums: Map<number, EnumValues>;
  /** Records of function bodies whose members were resolved where they stand. */
  readonly prepared: Set<number>;
  /** Records and enums being worked out: an infinite struct is an error, not a hang. */
  readonly open: Set<number>;
  readonly rules: TypeRules;
}

export interface TypeRules {
  readonly resolve: (context: TypeContext, syntax: TypeSyntax, locals: LocalNames) => Type;
  readonly layout: (context: TypeContext, record: number, at: number) => RecordLayout;
  readonly enumValues: (context: TypeContext, enumeration: number, at: number) => EnumValues;
  readonly typeOf: (context: TypeContext, expression: Expression, locals: LocalNames) => Type;
  /** `null` when the expression is no constant. */
  readonly constant: (
    context: TypeContext,
    expression: Expression,
    locals: LocalNames,
  ) => Constant | null;
  /** Gives `int x[] = { 1, 2 }` its length. */
  readonly complete: (
    context: TypeContext,
    type: Type,
    initializer: Initializer,
    locals: LocalNames,
  ) => Type;
}

export function failType(context: TypeContext, at: number, message: string): FrontendError {
  const place = useOf(context.unit.stream, at);
  return new FrontendError(place.file, place.line, place.column, message);
}

/** A name for messages. */
export function typeName(context: TypeContext, type: Type): string {
  const prefix = `${type.const ? 'const ' : ''}${type.volatile ? 'volatile ' : ''}`;
  switch (type.kind) {
    case 'void':
      return `${prefix}void`;
    case 'integer':
      return prefix + type.name;
    case 'float':
      return `${prefix}float${type.size * 8}`;
    case 'pointer':
      return `${prefix}${typeName(context, type.to)} *`;
    case 'array':
      return `${typeName(context, type.of)}[${type.length ?? ''}]`;
    case 'function':
      return `${typeName(context, type.returns)} (${type.parameters.map((p) => typeName(context, p)).join(', ')})`;
    case 'record': {
      const record = context.unit.records[type.record];
      return `${prefix}${record?.kind ?? 'struct'} ${record?.tag ?? '<anonymous>'}`;
    }
    case 'enum':
      return `${prefix}enum ${context.unit.enums[type.enum]?.tag ?? '<anonymous>'}`;
    case 'va_list':
      return 'va_list';
  }
}
