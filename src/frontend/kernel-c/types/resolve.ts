import type { Attributes, Expression, TypeSyntax } from '../parse/ast.ts';
import { failType, type LocalNames, type TypeContext } from './context.ts';
import {
  arrayOf,
  baseType,
  decayed,
  type IntegerType,
  integerType,
  pointerTo,
  qualified,
  type Type,
  unqualified,
} from './type.ts';

/** Works out a type as written. Each piece of syntax stands in one place, so the answer is kept. */
export function resolveType(context: TypeContext, syntax: TypeSyntax, locals: LocalNames): Type {
  const known = context.resolved.get(syntax);
  if (known !== undefined) return known;
  const type = resolve(context, syntax, locals);
  context.resolved.set(syntax, type);
  return type;
}

function resolve(context: TypeContext, syntax: TypeSyntax, locals: LocalNames): Type {
  const inner = (of: TypeSyntax): Type => resolveType(context, of, locals);
  switch (syntax.kind) {
    case 'base':
      return baseType(syntax.name);
    case 'qualified':
      return qualified(inner(syntax.of), syntax.qualifiers);
    case 'typedef':
      return inner(syntax.type);
    case 'record':
      prepareLocal(context, syntax.record, locals);
      return { kind: 'record', record: syntax.record, alignment: 0, const: false, volatile: false };
    case 'enum':
      return { kind: 'enum', enum: syntax.enum, const: false, volatile: false };
    case 'pointer':
      return pointerTo(inner(syntax.to));
    case 'array':
      return arrayOf(inner(syntax.of), bound(context, syntax.size, locals));
    case 'function':
      return {
        kind: 'function',
        returns: inner(syntax.returns),
        parameters: syntax.parameters.map((parameter) => decayed(inner(parameter.type))),
        variadic: syntax.variadic,
        const: false,
        volatile: false,
      };
    case 'typeof':
      return context.rules.typeOf(context, syntax.expression, locals);
    case 'auto':
      throw failType(context, syntax.at, '__auto_type is only known in a declaration with a value');
    case 'attributed':
      return attributed(context, inner(syntax.of), syntax.attributes, locals);
  }
}

/**
 * A struct declared in a function may have members like `typeof(x)` of its local variables: they are
 * resolved here, where those are in sight, and not when the layout is asked for.
 */
function prepareLocal(context: TypeContext, record: number, locals: LocalNames): void {
  const { unit, prepared } = context;
  if (record < unit.fileRecords || prepared.has(record)) return;
  const members = unit.records[record]?.members ?? null;
  if (members === null) return;
  prepared.add(record);
  for (const { type, bits } of members) {
    resolveType(context, type, locals);
    if (bits !== null) context.rules.constant(context, bits, locals);
  }
}

function bound(context: TypeContext, size: Expression | null, locals: LocalNames): number | null {
  if (size === null) return null;
  const constant = context.rules.constant(context, size, locals);
  if (constant === null) {
    throw failType(context, size.at, 'the bound of this array is no constant known here');
  }
  if (constant.value < 0n || constant.value > 0x7fffffffffffffffn) {
    throw failType(context, size.at, `an array cannot have ${constant.value} elements`);
  }
  return Number(constant.value);
}

const MODES: Readonly<Record<string, readonly [IntegerType, IntegerType]>> = {
  QI: [integerType('signed char'), integerType('unsigned char')],
  byte: [integerType('signed char'), integerType('unsigned char')],
  HI: [integerType('short'), integerType('unsigned short')],
  SI: [integerType('int'), integerType('unsigned int')],
  DI: [integerType('long'), integerType('unsigned long')],
  word: [integerType('long'), integerType('unsigned long')],
  pointer: [integerType('long'), integerType('unsigned long')],
  TI: [integerType('int128'), integerType('unsigned int128')],
};

function attributed(
  context: TypeContext,
  type: Type,
  attributes: Attributes,
  locals: LocalNames,
): Type {
  let result = type;
  if (attributes.mode !== null && type.kind === 'integer') {
    const mode = MODES[attributes.mode];
    if (mode !== undefined) {
      result = qualified(unqualified(type.signed ? mode[0] : mode[1]), type);
    }
  }
  if (result.kind === 'record' && attributes.aligned.length > 0) {
    const wanted = alignmentOfAttributes(context, attributes, locals);
    return { ...result, alignment: Math.max(result.alignment, wanted) };
  }
  return result;
}

/** The largest alignment that `aligned` attributes ask for, 1 for none. */
export function alignmentOfAttributes(
  context: TypeContext,
  attributes: Attributes | null,
  locals: LocalNames,
): number {
  let alignment = 1;
  for (const aligned of attributes?.aligned ?? []) {
    if (aligned === 'default') {
      alignment = Math.max(alignment, 16);
      continue;
    }
    const constant = context.rules.constant(context, aligned, locals);
    const value = constant === null ? 0 : Number(constant.value);
    if (value < 1 || !Number.isInteger(Math.log2(value))) {
      throw failType(context, aligned.at, 'the argument of aligned() must be a power of two');
    }
    alignment = Math.max(alignment, value);
  }
  return alignment;
}
