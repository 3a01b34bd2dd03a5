import {
  chooseBranch,
  chooseGeneric,
  memberOf,
  typeOfExpression,
} from '../types/expression-type.ts';
import { promoted } from '../types/conversions.ts';
import { typeName } from '../types/context.ts';
import { resolveType } from '../types/resolve.ts';
import { sizeOf } from '../types/size.ts';
import { decayed, INT, pointerTo, unqualified, UNSIGNED_LONG } from '../types/type.ts';
import { convert, read, scalar, temporary, typeOfValue, write } from './access.ts';
import type { Expression } from '../parse/ast.ts';
import {
  addressOf,
  type Builder,
  constant,
  emit,
  fail,
  findVariable,
  newRegister,
  shapeOf,
  type Value,
} from './builder.ts';
import { lowerCall } from './calls.ts';
import { lowerBinary } from './operators.ts';
import { lowerPlace } from './places.ts';
import { lowerConditional, lowerTruth } from './conditions.ts';

/** Evaluates an expression to a value; constants are folded first. */
export function lowerValue(builder: Builder, expression: Expression): Value {
  const folded = builder.context.rules.constant(builder.context, expression, builder.locals);
  if (folded !== null) {
    const register = constant(builder, folded.value, expression.at);
    return { kind: 'scalar', register, type: unqualified(folded.type) };
  }
  return lowerRunTime(builder, expression);
}

function lowerRunTime(builder: Builder, expression: Expression): Value {
  const { context, locals } = builder;
  const { at } = expression;
  switch (expression.kind) {
    case 'identifier':
    case 'index':
    case 'member':
    case 'compound-literal':
      return read(builder, lowerPlace(builder, expression), at);
    case 'string': {
      const to = newRegister(builder);
      emit(builder, { op: 'string', at, to, text: expression.text });
      return {
        kind: 'scalar',
        register: to,
        type: decayed(typeOfExpression(context, expression, locals)),
      };
    }
    case 'call':
      return lowerCall(builder, expression);
    case 'unary':
      return lowerUnary(builder, expression);
    case 'step':
      return lowerStep(builder, expression);
    case 'binary':
      return expression.operator === '&&' || expression.operator === '||'
        ? lowerTruth(builder, expression)
        : lowerBinary(
            builder,
            expression.operator,
            lowerValue(builder, expression.left),
            lowerValue(builder, expression.right),
            at,
          );
    case 'assign':
      return lowerAssign(builder, expression);
    case 'conditional':
      return lowerConditional(builder, expression);
    case 'comma':
      builder.lowering.effect(builder, expression.left);
      return lowerValue(builder, expression.right);
    case 'cast':
      return lowerCast(builder, expression);
    case 'statement-expression':
      return builder.lowering.block(builder, expression.body);
    case 'generic':
      return lowerValue(builder, chooseGeneric(context, expression, locals));
    case 'choose':
      return lowerValue(builder, chooseBranch(context, expression, locals));
    case 'label-address': {
      // Only compared or printed by the kernel; jumping to it stops the run.
      const to = newRegister(builder);
      emit(builder, { op: 'symbol', at, to, name: builder.name });
      return { kind: 'scalar', register: to, type: typeOfExpression(context, expression, locals) };
    }
    case 'integer':
    case 'measure-expression':
    case 'measure-type':
    case 'types-compatible':
      throw fail(builder, at, 'this constant is not known');
    case 'offsetof':
      return lowerOffset(builder, expression);
    case 'float':
      throw fail(builder, at, 'floating point is not calculated');
    case 'va-arg':
      throw fail(builder, at, 'va_arg is not known; intercept the function that uses it');
  }
}

/** `offsetof(type, member[i])` with an index known only now. */
function lowerOffset(builder: Builder, expression: Expression & { kind: 'offsetof' }): Value {
  const { at } = expression;
  let type = resolveType(builder.context, expression.type, builder.locals);
  let sum: Value = { kind: 'scalar', register: constant(builder, 0n, at), type: UNSIGNED_LONG };
  const add = (value: Value): void => {
    sum = lowerBinary(builder, '+', sum, value, at);
  };
  for (const step of expression.path) {
    if (step.kind === 'field') {
      const field = memberOf(builder.context, type, step.name, false, at);
      const register = constant(builder, BigInt(field.offset), at);
      add({ kind: 'scalar', register, type: UNSIGNED_LONG });
      type = field.type;
    } else {
      const array = decayed(type);
      if (array.kind !== 'pointer') throw fail(builder, at, 'an index of no array in offsetof');
      const size = constant(builder, BigInt(sizeOf(builder.context, array.to, at)), at);
      const index = lowerValue(builder, step.index);
      add(
        lowerBinary(
          builder,
          '*',
          index,
          { kind: 'scalar', register: size, type: UNSIGNED_LONG },
          at,
        ),
      );
      type = array.to;
    }
  }
  return sum;
}

export function lowerEffect(builder: Builder, expression: Expression): void {
  if (expression.kind === 'cast' && resolvesToVoid(builder, expression)) {
    lowerEffect(builder, expression.operand);
    return;
  }
  if (expression.kind === 'comma') {
    lowerEffect(builder, expression.left);
    lowerEffect(builder, expression.right);
    return;
  }
  lowerValue(builder, expression);
}

function resolvesToVoid(builder: Builder, expression: Expression & { kind: 'cast' }): boolean {
  return resolveType(builder.context, expression.type, builder.locals).kind === 'void';
}

function lowerUnary(builder: Builder, expression: Expression & { kind: 'unary' }): Value {
  const { at, operator, operand } = expression;
  if (operator === '*') return read(builder, lowerPlace(builder, expression), at);
  if (operator === '&') {
    const place = lowerPlace(builder, operand);
    if (place.kind === 'register' || place.bits !== null) {
      throw fail(builder, at, 'the address of this value is taken, but it has none');
    }
    return { kind: 'scalar', register: addressOf(builder, place, at), type: pointerTo(place.type) };
  }
  const value = lowerValue(builder, operand);
  if (operator === '!') {
    const from = scalar(builder, value, at);
    const to = newRegister(builder);
    emit(builder, { op: 'unary', at, to, operator, a: from, shape: shapeOf(builder, INT, at) });
    return { kind: 'scalar', register: to, type: INT };
  }
  const type = promoted(builder.context, typeOfValue(builder, value, at), at);
  const from = convert(builder, value, type, at);
  if (operator === '+') return { kind: 'scalar', register: from, type };
  const to = newRegister(builder);
  emit(builder, { op: 'unary', at, to, operator, a: from, shape: shapeOf(builder, type, at) });
  return { kind: 'scalar', register: to, type };
}

function lowerStep(builder: Builder, expression: Expression & { kind: 'step' }): Value {
  const { at } = expression;
  const place = lowerPlace(builder, expression.operand);
  const before = read(builder, place, at);
  const one: Value = { kind: 'scalar', register: constant(builder, 1n, at), type: INT };
  const operator = expression.operator === '++' ? '+' : '-';
  const after = write(builder, place, lowerBinary(builder, operator, before, one, at), at);
  return expression.prefix ? after : before;
}

function lowerAssign(builder: Builder, expression: Expression & { kind: 'assign' }): Value {
  const { at, operator } = expression;
  const place = lowerPlace(builder, expression.target);
  if (place.kind === 'register' && !isVariable(builder, expression.target)) {
    throw fail(builder, at, 'this cannot be assigned to');
  }
  if (operator === null) return write(builder, place, lowerValue(builder, expression.value), at);
  if (operator === '&&' || operator === '||') throw fail(builder, at, 'no such assignment');
  const before = read(builder, place, at);
  const value = lowerValue(builder, expression.value);
  return write(builder, place, lowerBinary(builder, operator, before, value, at), at);
}

function isVariable(builder: Builder, expression: Expression): boolean {
  let inner = expression;
  while (inner.kind === 'comma') inner = inner.right;
  if (inner.kind === 'generic' || inner.kind === 'choose') return true;
  return (
    inner.kind === 'identifier' && findVariable(builder.blocks, inner.name)?.kind === 'register'
  );
}

function lowerCast(builder: Builder, expression: Expression & { kind: 'cast' }): Value {
  const { at } = expression;
  const type = unqualified(resolveType(builder.context, expression.type, builder.locals));
  if (type.kind === 'void') {
    lowerEffect(builder, expression.operand);
    return { kind: 'void' };
  }
  const value = lowerValue(builder, expression.operand);
  if (type.kind !== 'record') {
    return { kind: 'scalar', register: convert(builder, value, type, at), type };
  }
  if (
    value.kind === 'aggregate' &&
    value.type.kind === 'record' &&
    value.type.record === type.record
  ) {
    return value;
  }
  // GNU C: a cast to a union puts the value into the member of its type.
  const place = temporary(builder, type, at);
  for (const field of builder.context.rules.layout(builder.context, type.record, at).fields) {
    const fieldType = field.type;
    if (
      typeName(builder.context, fieldType) !==
      typeName(builder.context, typeOfValue(builder, value, at))
    )
      continue;
    write(builder, { ...place, offset: field.offset, type: fieldType }, value, at);
    return { kind: 'aggregate', address: place.address, type };
  }
  throw fail(builder, at, `this value cannot be cast to ${typeName(builder.context, type)}`);
}
