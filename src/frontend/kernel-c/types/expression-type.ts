import type {
  BinaryOperator,
  Compound,
  Declaration,
  Expression,
  Statement,
  TypeSyntax,
} from '../parse/ast.ts';
import { builtinReturns } from './builtins.ts';
import { failType, type LocalNames, type TypeContext, typeName } from './context.ts';
import { commonInteger, compatible, integerBehind, promoted, wrapTo } from './conversions.ts';
import { findMember } from './layout.ts';
import { resolveType } from './resolve.ts';
import {
  arrayOf,
  CHAR,
  decayed,
  INT,
  integerType,
  LONG,
  pointerTo,
  qualified,
  type Type,
  UNSIGNED_INT,
  UNSIGNED_LONG,
  unqualified,
  VOID,
} from './type.ts';

const GIVES_INT: ReadonlySet<BinaryOperator> = new Set([
  '<',
  '>',
  '<=',
  '>=',
  '==',
  '!=',
  '&&',
  '||',
] as const);

/** The type of an expression, before arrays and functions turn into pointers. */
export function typeOfExpression(
  context: TypeContext,
  expression: Expression,
  locals: LocalNames,
): Type {
  const known = context.types.get(expression);
  if (known !== undefined) return known;
  const type = workOut(context, expression, locals);
  context.types.set(expression, type);
  return type;
}

function workOut(context: TypeContext, expression: Expression, locals: LocalNames): Type {
  const of = (inner: Expression): Type => typeOfExpression(context, inner, locals);
  const { at } = expression;
  switch (expression.kind) {
    case 'integer':
      return integerType(expression.type);
    case 'float':
      return {
        kind: 'float',
        size: /[fF]$/.test(expression.text) ? 4 : 8,
        const: false,
        volatile: false,
      };
    case 'string':
      return arrayOf(expression.wide ? UNSIGNED_INT : CHAR, expression.text.length + 1);
    case 'identifier':
      return typeOfName(context, expression.name, at, locals);
    case 'call':
      return typeOfCall(context, expression.callee, at, locals);
    case 'index': {
      const object = decayed(of(expression.object));
      if (object.kind === 'pointer') return object.to;
      const index = decayed(of(expression.index));
      if (index.kind === 'pointer') return index.to;
      throw failType(context, at, `${typeName(context, object)} cannot be indexed`);
    }
    case 'member':
      return memberOf(context, of(expression.object), expression.name, expression.arrow, at).type;
    case 'unary':
      return typeOfUnary(context, expression.operator, of(expression.operand), at);
    case 'step':
      return unqualified(of(expression.operand));
    case 'binary': {
      const { operator, left, right } = expression;
      if (GIVES_INT.has(operator)) return INT;
      if (operator === '<<' || operator === '>>') return promoted(context, of(left), at);
      return arithmetic(context, of(left), of(right), at);
    }
    case 'assign':
      return unqualified(of(expression.target));
    case 'conditional':
      return typeOfConditional(context, expression, locals);
    case 'comma':
      return decayed(of(expression.right));
    case 'cast':
      return unqualified(resolveType(context, expression.type, locals));
    case 'compound-literal': {
      const type = resolveType(context, expression.type, locals);
      return context.rules.complete(context, type, expression.initializer, locals);
    }
    case 'measure-expression':
    case 'measure-type':
    case 'offsetof':
      return UNSIGNED_LONG;
    case 'statement-expression':
      return typeOfBlock(context, expression.body, locals);
    case 'label-address':
      return pointerTo(VOID);
    case 'generic':
      return of(chooseGeneric(context, expression, locals));
    case 'types-compatible':
      return INT;
    case 'choose':
      return of(chooseBranch(context, expression, locals));
    case 'va-arg':
      return unqualified(resolveType(context, expression.type, locals));
  }
}

/** `extern typeof(x) x;`, as EXPORT_SYMBOL has it: it says nothing that another declaration does not say. */
function isOwnType(type: TypeSyntax, name: string): boolean {
  if (type.kind === 'attributed' || type.kind === 'qualified') return isOwnType(type.of, name);
  return (
    type.kind === 'typeof' && type.expression.kind === 'identifier' && type.expression.name === name
  );
}

/** The type of a name: of a local, an enumerator, an object or a function. */
export function typeOfName(
  context: TypeContext,
  name: string,
  at: number,
  locals: LocalNames,
): Type {
  const local = locals(name);
  if (local !== null) return local;
  const { unit } = context;
  const enumerator = unit.enumerators.get(name);
  if (enumerator !== undefined) {
    const { underlying, values } = context.rules.enumValues(context, enumerator.enum, at);
    const value = values[enumerator.index] ?? 0n;
    return wrapTo(INT, value) === value ? INT : underlying;
  }
  const definition = unit.functions.get(name);
  if (definition !== undefined) return resolveType(context, definition.type, locals);
  const declared = unit.objects.get(name);
  if (declared !== undefined) {
    // The declaration with a value or a bound says more than an `extern` one.
    for (const { declarator } of declared) {
      if (declarator.initializer === null) continue;
      const type = resolveType(context, declarator.type, locals);
      return context.rules.complete(context, type, declarator.initializer, locals);
    }
    let type: Type | null = null;
    for (const { declarator } of declared) {
      if (isOwnType(declarator.type, name)) continue;
      const next = resolveType(context, declarator.type, locals);
      if (type === null || (type.kind === 'array' && type.length === null)) type = next;
    }
    if (type !== null) return type;
  }
  if (name === '__func__' || name === '__FUNCTION__' || name === '__PRETTY_FUNCTION__') {
    return arrayOf(qualified(CHAR, { const: true, volatile: false }), 64);
  }
  throw failType(context, at, `"${name}" is not declared in this unit`);
}

function typeOfCall(
  context: TypeContext,
  callee: Expression,
  at: number,
  locals: LocalNames,
): Type {
  if (callee.kind === 'identifier' && locals(callee.name) === null) {
    const builtin = builtinReturns(callee.name);
    if (builtin !== null) return builtin;
  }
  const type = decayed(typeOfExpression(context, callee, locals));
  if (type.kind === 'pointer' && type.to.kind === 'function') return unqualified(type.to.returns);
  throw failType(context, at, `${typeName(context, type)} cannot be called`);
}

export interface MemberAccess {
  readonly type: Type;
  readonly offset: number;
  readonly bits: { readonly start: number; readonly width: number } | null;
}

/** The member an access names; qualifiers of the object pass on to it. */
export function memberOf(
  context: TypeContext,
  object: Type,
  name: string,
  arrow: boolean,
  at: number,
): MemberAccess {
  let record = object;
  if (arrow) {
    const pointer = decayed(object);
    if (pointer.kind !== 'pointer') {
      throw failType(context, at, `"->${name}" needs a pointer, not ${typeName(context, object)}`);
    }
    record = pointer.to;
  }
  if (record.kind !== 'record') {
    throw failType(
      context,
      at,
      `${typeName(context, record)} has no members, ".${name}" is not known`,
    );
  }
  const field = findMember(context, record.record, name, at);
  if (field === null) {
    throw failType(context, at, `${typeName(context, record)} has no member "${name}"`);
  }
  const type = qualified(field.type, record);
  const integer = field.bits === null ? null : integerBehind(context, type, at);
  if (integer === null || field.bits === null) return { ...field, type };
  return {
    ...field,
    type: { ...integer, const: type.const, volatile: type.volatile, bits: field.bits.width },
  };
}

function typeOfUnary(context: TypeContext, operator: string, operand: Type, at: number): Type {
  switch (operator) {
    case '&':
      return pointerTo(operand);
    case '*': {
      const pointer = decayed(operand);
      if (pointer.kind === 'pointer') return pointer.to;
      throw failType(context, at, `${typeName(context, operand)} cannot be dereferenced`);
    }
    case '!':
      return INT;
    default:
      return promoted(context, operand, at);
  }
}

/** `+`, `-`, `*`, `/`, `%`, `&`, `^`, `|` and the two values of a conditional. */
export function arithmetic(context: TypeContext, a: Type, b: Type, at: number): Type {
  const left = promoted(context, a, at);
  const right = promoted(context, b, at);
  if (left.kind === 'integer' && right.kind === 'integer') return commonInteger(left, right);
  if (left.kind === 'pointer' && right.kind === 'pointer') return LONG;
  if (left.kind === 'pointer') return left;
  if (right.kind === 'pointer') return right;
  if (left.kind === 'float' && right.kind === 'float')
    return left.size >= right.size ? left : right;
  if (left.kind === 'float') return left;
  if (right.kind === 'float') return right;
  throw failType(
    context,
    at,
    `no operator joins ${typeName(context, left)} and ${typeName(context, right)}`,
  );
}

/**
 * C11 6.5.15 with the rule on null pointer constants, on which the kernel's test for constant
 * expressions rests.
 */
function typeOfConditional(
  context: TypeContext,
  expression: Expression & { kind: 'conditional' },
  locals: LocalNames,
): Type {
  const { at } = expression;
  const yesExpression = expression.yes ?? expression.test;
  const yes = decayed(typeOfExpression(context, yesExpression, locals));
  const no = decayed(typeOfExpression(context, expression.no, locals));
  if (yes.kind === 'void' || no.kind === 'void') return VOID;
  if (yes.kind === 'record') return yes;
  if (yes.kind === 'pointer' || no.kind === 'pointer') {
    if (yes.kind !== 'pointer' || isNullPointer(context, yesExpression, locals)) return no;
    if (no.kind !== 'pointer' || isNullPointer(context, expression.no, locals)) return yes;
    const qualifiers = {
      const: yes.to.const || no.to.const,
      volatile: yes.to.volatile || no.to.volatile,
    };
    const to = yes.to.kind === 'void' || no.to.kind === 'void' ? VOID : unqualified(yes.to);
    return pointerTo(qualified(to, qualifiers));
  }
  return arithmetic(context, yes, no, at);
}

/** A constant 0, or one cast to `void *` (C11 6.3.2.3 p3). */
function isNullPointer(context: TypeContext, expression: Expression, locals: LocalNames): boolean {
  let inner = expression;
  if (inner.kind === 'cast') {
    const type = resolveType(context, inner.type, locals);
    if (type.kind === 'pointer') {
      if (type.to.kind !== 'void' || type.to.const || type.to.volatile) return false;
      inner = inner.operand;
    }
  }
  const constant = context.rules.constant(context, inner, locals);
  return constant !== null && constant.value === 0n && constant.type.kind !== 'pointer';
}

/** The association of `_Generic` that fits the selector after its conversion to a value. */
export function chooseGeneric(
  context: TypeContext,
  expression: Expression & { kind: 'generic' },
  locals: LocalNames,
): Expression {
  const { at } = expression;
  const selector = decayed(typeOfExpression(context, expression.selector, locals));
  let fallback: Expression | null = null;
  for (const { type, value } of expression.choices) {
    if (type === null) {
      fallback = value;
      continue;
    }
    const candidate = resolveType(context, type, locals);
    const sameQualifiers = !candidate.const && !candidate.volatile;
    if (sameQualifiers && compatible(context, selector, candidate, at)) return value;
  }
  if (fallback !== null) return fallback;
  throw failType(context, at, `no association of _Generic fits ${typeName(context, selector)}`);
}

export function chooseBranch(
  context: TypeContext,
  expression: Expression & { kind: 'choose' },
  locals: LocalNames,
): Expression {
  const test = context.rules.constant(context, expression.test, locals);
  if (test === null) {
    throw failType(context, expression.at, '__builtin_choose_expr needs a constant to choose by');
  }
  return test.value !== 0n ? expression.yes : expression.no;
}

/** The type of a statement expression: that of its last expression, its declarations in sight. */
function typeOfBlock(context: TypeContext, body: Compound, locals: LocalNames): Type {
  const names = new Map<string, Type>();
  const inside: LocalNames = (name) => names.get(name) ?? locals(name);
  let last: Type = VOID;
  for (const item of body.items) {
    last = VOID;
    if (item.kind === 'declaration') {
      declareLocals(context, item, inside, names);
    } else {
      let statement: Statement = item;
      while (statement.kind === 'label') statement = statement.body;
      if (statement.kind === 'expression' && item === body.items.at(-1)) {
        last = decayed(typeOfExpression(context, statement.expression, inside));
      }
    }
  }
  return last;
}

function declareLocals(
  context: TypeContext,
  declaration: Declaration,
  locals: LocalNames,
  names: Map<string, Type>,
): void {
  if (declaration.storage === 'typedef') return;
  for (const { name, type, initializer } of declaration.declarators) {
    if (type.kind === 'auto' || (type.kind === 'qualified' && type.of.kind === 'auto')) {
      if (initializer?.kind !== 'expression') continue;
      names.set(name, decayed(typeOfExpression(context, initializer.expression, locals)));
      continue;
    }
    const resolved = resolveType(context, type, locals);
    names.set(
      name,
      initializer === null
        ? resolved
        : context.rules.complete(context, resolved, initializer, locals),
    );
  }
}
