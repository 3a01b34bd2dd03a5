import type { CallExpression, Expression } from '../parse/ast.ts';
import { type Constant, failType, type LocalNames, type TypeContext } from './context.ts';
import { commonInteger, compatible, integerBehind, promoted, wrapTo } from './conversions.ts';
import { chooseBranch, chooseGeneric, memberOf, typeOfExpression } from './expression-type.ts';
import { resolveType } from './resolve.ts';
import { alignmentOf, sizeOf } from './size.ts';
import { decayed, INT, integerType, LONG, pointerTo, type Type, UNSIGNED_LONG } from './type.ts';

/**
 * Evaluates an integer or address constant the way gcc folds it; `null` when something in it is only
 * known at run time. Branches that are not taken need not be constant.
 */
export function evaluateConstant(
  context: TypeContext,
  expression: Expression,
  locals: LocalNames,
): Constant | null {
  const known = context.constants.get(expression);
  if (known !== undefined) return known;
  const constant = fold(context, expression, locals);
  context.constants.set(expression, constant);
  return constant;
}

function fold(context: TypeContext, expression: Expression, locals: LocalNames): Constant | null {
  const evaluate = (inner: Expression): Constant | null => evaluateConstant(context, inner, locals);
  const { at } = expression;
  switch (expression.kind) {
    case 'integer':
      return {
        value: wrapTo(integerType(expression.type), expression.value),
        type: integerType(expression.type),
      };
    case 'identifier': {
      if (locals(expression.name) !== null) return null;
      const enumerator = context.unit.enumerators.get(expression.name);
      if (enumerator === undefined) return null;
      const { values, underlying } = context.rules.enumValues(context, enumerator.enum, at);
      const value = values[enumerator.index];
      if (value === undefined) return null;
      return { value, type: wrapTo(INT, value) === value ? INT : underlying };
    }
    case 'cast': {
      const inner = evaluate(expression.operand);
      if (inner === null) return null;
      return convert(context, inner, resolveType(context, expression.type, locals), at);
    }
    case 'unary':
      if (expression.operator === '&') return addressOf(context, expression.operand, locals);
      if (expression.operator === '*') return null;
      return unary(context, expression.operator, evaluate(expression.operand), at);
    case 'binary':
      return binary(context, expression, locals);
    case 'conditional': {
      const test = evaluate(expression.test);
      if (test === null) return null;
      const chosen = test.value !== 0n ? (expression.yes ?? expression.test) : expression.no;
      const value = evaluate(chosen);
      if (value === null) return null;
      const type = typeOfExpression(context, expression, locals);
      return convert(context, value, type, at);
    }
    case 'measure-type':
    case 'measure-expression': {
      const type =
        expression.kind === 'measure-type'
          ? resolveType(context, expression.type, locals)
          : typeOfExpression(context, expression.operand, locals);
      const measured =
        expression.what === 'size' ? sizeOf(context, type, at) : alignmentOf(context, type, at);
      return { value: BigInt(measured), type: UNSIGNED_LONG };
    }
    case 'offsetof':
      return offset(context, expression, locals);
    case 'types-compatible': {
      const a = resolveType(context, expression.a, locals);
      const b = resolveType(context, expression.b, locals);
      return { value: compatible(context, a, b, at) ? 1n : 0n, type: INT };
    }
    case 'choose':
      return evaluate(chooseBranch(context, expression, locals));
    case 'generic':
      return evaluate(chooseGeneric(context, expression, locals));
    case 'call':
      return call(context, expression, locals);
    case 'statement-expression': {
      // `({ 1; })` is folded by gcc; anything with a declaration or an effect is not.
      const only = expression.body.items;
      const first = only[0];
      return only.length === 1 && first?.kind === 'expression' ? evaluate(first.expression) : null;
    }
    case 'float':
    case 'string':
    case 'index':
    case 'member':
    case 'step':
    case 'assign':
    case 'comma':
    case 'compound-literal':
    case 'label-address':
    case 'va-arg':
      return null;
  }
}

/** A constant converted to a scalar type; `null` when the type is none. */
export function convert(
  context: TypeContext,
  constant: Constant,
  type: Type,
  at: number,
): Constant | null {
  if (type.kind === 'pointer') return { value: BigInt.asUintN(64, constant.value), type };
  const integer = integerBehind(context, type, at);
  return integer === null ? null : { value: wrapTo(integer, constant.value), type };
}

function unary(
  context: TypeContext,
  operator: string,
  operand: Constant | null,
  at: number,
): Constant | null {
  if (operand === null) return null;
  if (operator === '!') return { value: operand.value === 0n ? 1n : 0n, type: INT };
  const type = promoted(context, operand.type, at);
  if (type.kind !== 'integer') return null;
  const value =
    operator === '-' ? -operand.value : operator === '~' ? ~operand.value : operand.value;
  return { value: wrapTo(type, value), type };
}

function binary(
  context: TypeContext,
  expression: Expression & { kind: 'binary' },
  locals: LocalNames,
): Constant | null {
  const { at, operator } = expression;
  const left = evaluateConstant(context, expression.left, locals);
  if (operator === '&&' || operator === '||') {
    if (left === null) return null;
    if ((left.value !== 0n) === (operator === '||')) {
      return { value: operator === '||' ? 1n : 0n, type: INT };
    }
    const right = evaluateConstant(context, expression.right, locals);
    return right === null ? null : { value: right.value !== 0n ? 1n : 0n, type: INT };
  }
  if (left === null) return null;
  const right = evaluateConstant(context, expression.right, locals);
  if (right === null) return null;
  const a = promoted(context, left.type, at);
  const b = promoted(context, right.type, at);
  if (a.kind === 'pointer' || b.kind === 'pointer') {
    return pointerArithmetic(
      context,
      operator,
      { value: left.value, type: a },
      { value: right.value, type: b },
      at,
    );
  }
  if (a.kind !== 'integer' || b.kind !== 'integer') return null;
  if (operator === '<<' || operator === '>>') {
    const count = right.value;
    if (count < 0n || count >= BigInt(a.size * 8)) return null;
    const shifted = operator === '<<' ? left.value << count : left.value >> count;
    return { value: wrapTo(a, shifted), type: a };
  }
  const type = commonInteger(a, b);
  const x = wrapTo(type, left.value);
  const y = wrapTo(type, right.value);
  const truth = compare(operator, x, y);
  if (truth !== null) return { value: truth ? 1n : 0n, type: INT };
  const value = calculate(operator, x, y);
  return value === null ? null : { value: wrapTo(type, value), type };
}

export function compare(operator: string, x: bigint, y: bigint): boolean | null {
  switch (operator) {
    case '==':
      return x === y;
    case '!=':
      return x !== y;
    case '<':
      return x < y;
    case '>':
      return x > y;
    case '<=':
      return x <= y;
    case '>=':
      return x >= y;
    default:
      return null;
  }
}

export function calculate(operator: string, x: bigint, y: bigint): bigint | null {
  switch (operator) {
    case '+':
      return x + y;
    case '-':
      return x - y;
    case '*':
      return x * y;
    case '/':
      return y === 0n ? null : x / y;
    case '%':
      return y === 0n ? null : x % y;
    case '&':
      return x & y;
    case '^':
      return x ^ y;
    case '|':
      return x | y;
    default:
      return null;
  }
}

function pointerArithmetic(
  context: TypeContext,
  operator: string,
  left: Constant,
  right: Constant,
  at: number,
): Constant | null {
  const truth = compare(operator, BigInt.asUintN(64, left.value), BigInt.asUintN(64, right.value));
  if (truth !== null) return { value: truth ? 1n : 0n, type: INT };
  const step = (type: Type): bigint =>
    type.kind === 'pointer' ? BigInt(sizeOf(context, type.to, at)) : 1n;
  if (left.type.kind === 'pointer' && right.type.kind === 'pointer') {
    const size = step(left.type);
    if (operator !== '-' || size === 0n) return null;
    return { value: (left.value - right.value) / size, type: LONG };
  }
  const type = left.type.kind === 'pointer' ? left.type : right.type;
  const moved = calculate(operator, left.value * step(right.type), right.value * step(left.type));
  if (moved === null || (operator !== '+' && operator !== '-')) return null;
  return { value: BigInt.asUintN(64, moved), type };
}

/** `&((struct x *)0)->member` and the like: an address that does not depend on any object. */
function addressOf(
  context: TypeContext,
  expression: Expression,
  locals: LocalNames,
): Constant | null {
  const place = placeOfLvalue(context, expression, locals);
  return place === null ? null : { value: place.value, type: pointerTo(place.type) };
}

function placeOfLvalue(
  context: TypeContext,
  expression: Expression,
  locals: LocalNames,
): Constant | null {
  const { at } = expression;
  if (expression.kind === 'unary' && expression.operator === '*') {
    return pointee(evaluateConstant(context, expression.operand, locals));
  }
  if (expression.kind === 'member') {
    const base = expression.arrow
      ? pointee(evaluateConstant(context, expression.object, locals))
      : placeOfLvalue(context, expression.object, locals);
    if (base === null) return null;
    const field = memberOf(context, base.type, expression.name, false, at);
    return { value: base.value + BigInt(field.offset), type: field.type };
  }
  if (expression.kind === 'index') {
    const array = placeOfLvalue(context, expression.object, locals);
    const index = evaluateConstant(context, expression.index, locals);
    if (array?.type.kind !== 'array' || index === null) return null;
    const size = BigInt(sizeOf(context, array.type.of, at));
    return { value: array.value + index.value * size, type: array.type.of };
  }
  return null;
}

function pointee(constant: Constant | null): Constant | null {
  return constant?.type.kind === 'pointer'
    ? { value: constant.value, type: constant.type.to }
    : null;
}

function offset(
  context: TypeContext,
  expression: Expression & { kind: 'offsetof' },
  locals: LocalNames,
): Constant | null {
  let type = resolveType(context, expression.type, locals);
  let value = 0n;
  for (const step of expression.path) {
    if (step.kind === 'field') {
      const field = memberOf(context, type, step.name, false, expression.at);
      if (field.bits !== null) {
        throw failType(context, expression.at, 'a bit-field has no offset');
      }
      value += BigInt(field.offset);
      type = field.type;
    } else {
      const array = decayed(type);
      const index = evaluateConstant(context, step.index, locals);
      if (array.kind !== 'pointer' || index === null) return null;
      value += index.value * BigInt(sizeOf(context, array.to, expression.at));
      type = array.to;
    }
  }
  return { value, type: UNSIGNED_LONG };
}

/** Builtins of constant arguments; any other call is left to run time. */
function call(
  context: TypeContext,
  expression: CallExpression,
  locals: LocalNames,
): Constant | null {
  const { callee, at } = expression;
  if (callee.kind !== 'identifier' || !callee.name.startsWith('__builtin_')) return null;
  const name = callee.name.slice('__builtin_'.length);
  const first = expression.arguments[0];
  if (first === undefined) return null;
  if (name === 'constant_p') {
    const isConstant = first.kind === 'string' || evaluateConstant(context, first, locals) !== null;
    return { value: isConstant ? 1n : 0n, type: INT };
  }
  if (name === 'strlen' && first.kind === 'string') {
    const end = first.text.indexOf('\0');
    return { value: BigInt(end < 0 ? first.text.length : end), type: UNSIGNED_LONG };
  }
  const argument = evaluateConstant(context, first, locals);
  if (argument === null) return null;
  if (name === 'expect' || name === 'expect_with_probability') {
    return convert(context, argument, LONG, at);
  }
  const counted = countBits(name, argument.value);
  return counted === null ? null : { value: counted.value, type: counted.type };
}

/** The bit-counting builtins and byte swaps; `null` for any other name or an undefined result. */
export function countBits(name: string, argument: bigint): Constant | null {
  const match = /^(ffs|clz|ctz|clrsb|popcount|parity|bswap)(l|ll|16|32|64)?$/.exec(name);
  if (match === null) return null;
  const [, what = '', suffix = ''] = match;
  const width = suffix === '16' ? 16 : suffix === '' || suffix === '32' ? 32 : 64;
  const value = BigInt.asUintN(width, argument);
  const ones = value.toString(2).replace(/0/g, '').length;
  const trailing = value === 0n ? width : (value & -value).toString(2).length - 1;
  const int = (result: number): Constant => ({ value: BigInt(result), type: INT });
  switch (what) {
    case 'ffs':
      return int(value === 0n ? 0 : trailing + 1);
    case 'clz':
      return value === 0n ? null : int(width - value.toString(2).length);
    case 'ctz':
      return value === 0n ? null : int(trailing);
    case 'clrsb': {
      // How many bits below the sign are as the sign is.
      const signed = BigInt.asIntN(width, argument);
      const others = signed < 0n ? ~signed : signed;
      return int(width - 1 - (others === 0n ? 0 : others.toString(2).length));
    }
    case 'popcount':
      return int(ones);
    case 'parity':
      return int(ones & 1);
    default: {
      let swapped = 0n;
      for (let i = 0; i < width; i += 8) swapped = (swapped << 8n) | ((value >> BigInt(i)) & 0xffn);
      const name64 =
        width === 64 ? 'unsigned long' : width === 32 ? 'unsigned int' : 'unsigned short';
      return { value: swapped, type: integerType(name64) };
    }
  }
}
