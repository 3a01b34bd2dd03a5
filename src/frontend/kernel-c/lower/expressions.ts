import type { Expression } from '../parse/ast.ts';
import { typeName } from '../types/context.ts';
import { promoted } from '../types/conversions.ts';
import {
  arithmetic,
  chooseBranch,
  chooseGeneric,
  memberOf,
  typeOfExpression,
  typeOfName,
} from '../types/expression-type.ts';
import { resolveType } from '../types/resolve.ts';
import { sizeOf } from '../types/size.ts';
import {
  decayed,
  INT,
  LONG,
  pointerTo,
  type Type,
  unqualified,
  UNSIGNED_LONG,
} from '../types/type.ts';
import { convert, framePlace, read, scalar, temporary, typeOfValue, write } from './access.ts';
import type { Operator } from './bytecode.ts';
import {
  addressOf,
  bind,
  type Builder,
  constant,
  emit,
  fail,
  findVariable,
  isAggregate,
  jump,
  type Label,
  newLabel,
  newRegister,
  type Place,
  shapeOf,
  type Value,
} from './builder.ts';
import { lowerCall } from './calls.ts';

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

/** What an expression designates (C11 6.3.2.1); values without a place get a temporary one. */
export function lowerPlace(builder: Builder, expression: Expression): Place {
  const { context, locals } = builder;
  const { at } = expression;
  switch (expression.kind) {
    case 'identifier':
      return placeOfName(builder, expression.name, at);
    case 'unary': {
      if (expression.operator !== '*') return placeOfValue(builder, expression);
      const pointer = lowerValue(builder, expression.operand);
      if (pointer.kind !== 'scalar' || pointer.type.kind !== 'pointer') break;
      return {
        kind: 'memory',
        address: pointer.register,
        offset: 0,
        type: pointer.type.to,
        bits: null,
      };
    }
    case 'index': {
      const sum = lowerBinary(
        builder,
        '+',
        lowerValue(builder, expression.object),
        lowerValue(builder, expression.index),
        at,
      );
      if (sum.kind !== 'scalar' || sum.type.kind !== 'pointer') break;
      return { kind: 'memory', address: sum.register, offset: 0, type: sum.type.to, bits: null };
    }
    case 'member': {
      if (expression.arrow) {
        const pointer = lowerValue(builder, expression.object);
        if (pointer.kind !== 'scalar') break;
        const field = memberOf(context, pointer.type, expression.name, true, at);
        return {
          kind: 'memory',
          address: pointer.register,
          offset: field.offset,
          type: field.type,
          bits: field.bits,
        };
      }
      const object = lowerPlace(builder, expression.object);
      const field = memberOf(context, object.type, expression.name, false, at);
      if (object.kind === 'register') break;
      return {
        ...object,
        offset: object.offset + field.offset,
        type: field.type,
        bits: field.bits,
      };
    }
    case 'compound-literal': {
      const type = typeOfExpression(context, expression, locals);
      const place = temporary(builder, type, at);
      builder.lowering.initialise(builder, place, expression.initializer);
      return place;
    }
    case 'string': {
      const address = newRegister(builder);
      emit(builder, { op: 'string', at, to: address, text: expression.text });
      return {
        kind: 'memory',
        address,
        offset: 0,
        type: typeOfExpression(context, expression, locals),
        bits: null,
      };
    }
    case 'generic':
      return lowerPlace(builder, chooseGeneric(context, expression, locals));
    case 'choose':
      return lowerPlace(builder, chooseBranch(context, expression, locals));
    case 'comma':
      lowerEffect(builder, expression.left);
      return lowerPlace(builder, expression.right);
    case 'integer':
    case 'float':
    case 'call':
    case 'step':
    case 'binary':
    case 'assign':
    case 'conditional':
    case 'cast':
    case 'measure-expression':
    case 'measure-type':
    case 'statement-expression':
    case 'label-address':
    case 'offsetof':
    case 'types-compatible':
    case 'va-arg':
      return placeOfValue(builder, expression);
  }
  throw fail(builder, at, 'this expression designates no object');
}

function placeOfValue(builder: Builder, expression: Expression): Place {
  const { at } = expression;
  const value = lowerValue(builder, expression);
  if (value.kind === 'aggregate') {
    return { kind: 'memory', address: value.address, offset: 0, type: value.type, bits: null };
  }
  if (value.kind === 'void') throw fail(builder, at, 'a void expression designates nothing');
  return { kind: 'register', register: value.register, type: value.type };
}

function placeOfName(builder: Builder, name: string, at: number): Place {
  const variable = findVariable(builder.blocks, name);
  switch (variable?.kind) {
    case 'register':
      return { kind: 'register', register: variable.register, type: variable.type };
    case 'frame':
      return framePlace(builder, variable.offset, variable.type, at);
    case 'constant':
      return {
        kind: 'register',
        register: constant(builder, variable.value, at),
        type: variable.type,
      };
    case 'symbol':
    case undefined: {
      const type = variable?.type ?? typeOfName(builder.context, name, at, builder.locals);
      const address = newRegister(builder);
      if (/^__(?:func|FUNCTION|PRETTY_FUNCTION)__$/.test(name)) {
        emit(builder, { op: 'string', at, to: address, text: builder.name });
      } else {
        emit(builder, { op: 'symbol', at, to: address, name: variable?.symbol ?? name });
      }
      return { kind: 'memory', address, offset: 0, type, bits: null };
    }
  }
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

function lowerConditional(
  builder: Builder,
  expression: Expression & { kind: 'conditional' },
): Value {
  const { at } = expression;
  const { context, locals } = builder;
  const test = context.rules.constant(context, expression.test, locals);
  const type = typeOfExpression(context, expression, locals);
  if (test !== null) {
    // A branch that can never run may call functions that do not exist.
    const chosen = test.value !== 0n ? (expression.yes ?? expression.test) : expression.no;
    return settle(builder, lowerValue(builder, chosen), type, at);
  }
  const yes = newLabel(builder);
  const no = newLabel(builder);
  const end = newLabel(builder);
  const aggregate = isAggregate(type);
  const result = newRegister(builder);
  const keep = (value: Value): void => {
    if (type.kind === 'void') return;
    if (aggregate) {
      if (value.kind !== 'aggregate') throw fail(builder, at, 'the branches have different types');
      emit(builder, { op: 'move', at, to: result, from: value.address });
    } else {
      emit(builder, { op: 'move', at, to: result, from: convert(builder, value, type, at) });
    }
  };
  if (expression.yes === null) {
    const value = lowerValue(builder, expression.test);
    emit(builder, { op: 'branch', at, test: scalar(builder, value, at), yes: yes.id, no: no.id });
    bind(builder, yes);
    keep(value);
  } else {
    lowerCondition(builder, expression.test, yes, no);
    bind(builder, yes);
    keep(lowerValue(builder, expression.yes));
  }
  jump(builder, end, at);
  bind(builder, no);
  keep(lowerValue(builder, expression.no));
  bind(builder, end);
  if (type.kind === 'void') return { kind: 'void' };
  return aggregate
    ? { kind: 'aggregate', address: result, type }
    : { kind: 'scalar', register: result, type };
}

function settle(builder: Builder, value: Value, type: Type, at: number): Value {
  if (type.kind === 'void' || value.kind !== 'scalar') return value;
  return { kind: 'scalar', register: convert(builder, value, type, at), type };
}

/** Jumps to one of two labels; the right side of `&&` and `||` only runs when it is needed. */
export function lowerCondition(
  builder: Builder,
  expression: Expression,
  yes: Label,
  no: Label,
): void {
  const { at } = expression;
  const folded = builder.context.rules.constant(builder.context, expression, builder.locals);
  if (folded !== null) {
    jump(builder, folded.value !== 0n ? yes : no, at);
    return;
  }
  if (
    expression.kind === 'binary' &&
    (expression.operator === '&&' || expression.operator === '||')
  ) {
    const middle = newLabel(builder);
    if (expression.operator === '&&') lowerCondition(builder, expression.left, middle, no);
    else lowerCondition(builder, expression.left, yes, middle);
    bind(builder, middle);
    lowerCondition(builder, expression.right, yes, no);
    return;
  }
  if (expression.kind === 'unary' && expression.operator === '!') {
    lowerCondition(builder, expression.operand, no, yes);
    return;
  }
  const test = scalar(builder, lowerValue(builder, expression), at);
  emit(builder, { op: 'branch', at, test, yes: yes.id, no: no.id });
}

function lowerTruth(builder: Builder, expression: Expression): Value {
  const { at } = expression;
  const yes = newLabel(builder);
  const no = newLabel(builder);
  const end = newLabel(builder);
  const to = newRegister(builder);
  lowerCondition(builder, expression, yes, no);
  bind(builder, yes);
  emit(builder, { op: 'constant', at, to, value: 1n });
  jump(builder, end, at);
  bind(builder, no);
  emit(builder, { op: 'constant', at, to, value: 0n });
  bind(builder, end);
  return { kind: 'scalar', register: to, type: INT };
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
