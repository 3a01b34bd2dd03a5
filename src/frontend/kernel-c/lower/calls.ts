import type { CallExpression, Expression } from '../parse/ast.ts';
import { builtinReturns } from '../types/builtins.ts';
import { typeName } from '../types/context.ts';
import { promoted } from '../types/conversions.ts';
import { typeOfExpression, typeOfName } from '../types/expression-type.ts';
import { sizeOf } from '../types/size.ts';
import {
  BOOL,
  decayed,
  type FunctionShape,
  INT,
  integerType,
  LONG,
  pointerTo,
  type Type,
  unqualified,
  UNSIGNED_LONG,
  VOID,
} from '../types/type.ts';
import { convert, scalar, temporary, typeOfValue, write } from './access.ts';
import type { Argument, CallInstruction, CallResult, Shape } from './bytecode.ts';
import {
  type Builder,
  constant,
  emit,
  fail,
  findVariable,
  isAggregate,
  newRegister,
  shapeOf,
  type Value,
} from './builder.ts';

const MEMORY: ReadonlySet<string> = new Set(['memcpy', 'memmove', 'memset', 'memcmp']);

/** Lowers a call: of a builtin, of a named function, or through a pointer. */
export function lowerCall(builder: Builder, expression: CallExpression): Value {
  const { callee, at } = expression;
  if (callee.kind === 'identifier' && findVariable(builder.blocks, callee.name) === null) {
    const { name } = callee;
    const bare = name.replace(/^__builtin_(?:__)?/, '').replace(/_chk$/, '');
    const isBuiltin = builtinReturns(name) !== null;
    const isMemory = MEMORY.has(bare) && !builder.context.unit.functions.has(name);
    if (isMemory && (isBuiltin || name === bare)) return lowerMemory(builder, bare, expression);
    if (isBuiltin) return lowerBuiltin(builder, bare, name, expression);
    const type = typeOfName(builder.context, name, at, builder.locals);
    if (type.kind === 'function') {
      return finishCall(builder, { kind: 'name', name }, type, expression);
    }
  }
  const target = builder.lowering.value(builder, callee);
  const type = typeOfValue(builder, target, at);
  if (type.kind !== 'pointer' || type.to.kind !== 'function') {
    throw fail(builder, at, `${typeName(builder.context, type)} cannot be called`);
  }
  const register = scalar(builder, target, at);
  return finishCall(builder, { kind: 'register', register }, type.to, expression);
}

function finishCall(
  builder: Builder,
  callee: CallInstruction['callee'],
  type: FunctionShape,
  expression: CallExpression,
): Value {
  const { at } = expression;
  const args = expression.arguments.map((argument, i) =>
    lowerArgument(builder, argument, type.parameters[i] ?? null),
  );
  const returns = unqualified(type.returns);
  let result: CallResult = { kind: 'none' };
  let value: Value = { kind: 'void' };
  if (isAggregate(returns)) {
    const { address } = temporary(builder, returns, at);
    result = { kind: 'memory', address, size: sizeOf(builder.context, returns, at) };
    value = { kind: 'aggregate', address, type: returns };
  } else if (returns.kind !== 'void') {
    const to = newRegister(builder);
    result = { kind: 'register', to, shape: shapeOf(builder, returns, at) };
    value = { kind: 'scalar', register: to, type: returns };
  }
  emit(builder, { op: 'call', at, callee, arguments: args, result });
  return value;
}

/** An argument: converted to its parameter, or promoted where there is none (C11 6.5.2.2 p6, p7). */
function lowerArgument(builder: Builder, argument: Expression, parameter: Type | null): Argument {
  const { at } = argument;
  const value = builder.lowering.value(builder, argument);
  if (value.kind === 'aggregate') {
    let type = parameter ?? value.type;
    if (!isAggregate(type)) type = value.type;
    // A copy is made by the callee; the size is that of the value.
    return { kind: 'aggregate', address: value.address, size: sizeOf(builder.context, type, at) };
  }
  const given = typeOfValue(builder, value, at);
  if (parameter?.kind === 'record') return wrapInUnion(builder, value, parameter, at);
  const type = parameter ?? promoted(builder.context, given, at);
  const from = convert(builder, value, type, at);
  return { kind: 'scalar', from, size: shapeOf(builder, type, at).size };
}

/** A parameter of a transparent union takes any of its members. */
function wrapInUnion(builder: Builder, value: Value, type: Type, at: number): Argument {
  const place = temporary(builder, type, at);
  const given = typeOfValue(builder, value, at);
  write(builder, { ...place, type: given }, value, at);
  return {
    kind: 'aggregate',
    address: place.address,
    size: sizeOf(builder.context, type, at),
  };
}

function lowerMemory(builder: Builder, name: string, expression: CallExpression): Value {
  const { at } = expression;
  const parameters = [
    pointerTo(VOID),
    name === 'memset' ? INT : pointerTo(VOID),
    UNSIGNED_LONG,
  ] as const;
  const registers = parameters.map((type, i) => {
    const argument = expression.arguments[i];
    if (argument === undefined) throw fail(builder, at, `${name} takes three arguments`);
    return convert(builder, builder.lowering.value(builder, argument), type, at);
  });
  const [a = 0, b = 0, c = 0] = registers;
  const to = newRegister(builder);
  if (name === 'memcpy' || name === 'memmove' || name === 'memset' || name === 'memcmp') {
    emit(builder, { op: 'memory', at, to, name, arguments: [a, b, c] });
  }
  return { kind: 'scalar', register: to, type: name === 'memcmp' ? INT : pointerTo(VOID) };
}

function lowerBuiltin(
  builder: Builder,
  bare: string,
  name: string,
  expression: CallExpression,
): Value {
  const { at } = expression;
  const value = (i: number): Value => {
    const argument = expression.arguments[i];
    if (argument === undefined) throw fail(builder, at, `${name} needs more arguments`);
    return builder.lowering.value(builder, argument);
  };
  switch (bare) {
    case 'expect':
    case 'expect_with_probability':
      return { kind: 'scalar', register: convert(builder, value(0), LONG, at), type: LONG };
    case 'unreachable':
    case 'trap':
      emit(builder, { op: 'stop', at, message: `${name} was reached` });
      return { kind: 'void' };
    case 'prefetch':
      value(0);
      return { kind: 'void' };
    case 'object_size':
    case 'dynamic_object_size': {
      const kind = expression.arguments[1];
      const which =
        kind === undefined
          ? null
          : builder.context.rules.constant(builder.context, kind, builder.locals);
      const unknown = (which?.value ?? 0n) < 2n ? 0xffffffffffffffffn : 0n;
      return { kind: 'scalar', register: constant(builder, unknown, at), type: UNSIGNED_LONG };
    }
    case 'add_overflow':
    case 'sub_overflow':
    case 'mul_overflow':
      return lowerOverflow(builder, bare, [value(0), value(1), value(2)], at);
    default:
      break;
  }
  const counting = /^(ffs|clz|ctz|popcount|parity|clrsb|bswap|abs|labs)(l|ll|16|32|64)?$/.exec(
    bare,
  );
  const returns = builtinReturns(name) ?? VOID;
  if (counting === null) {
    if (bare.startsWith('va_') || bare === 'alloca') {
      throw fail(builder, at, `${name} is not known; intercept the function that uses it`);
    }
    const parameters = expression.arguments.map((argument) =>
      decayed(typeOfExpression(builder.context, argument, builder.locals)),
    );
    const type: FunctionShape = {
      kind: 'function',
      returns,
      parameters,
      variadic: false,
      const: false,
      volatile: false,
    };
    return finishCall(builder, { kind: 'name', name }, type, expression);
  }
  const [, what = '', suffix = ''] = counting;
  const wide = suffix === 'l' || suffix === 'll' || suffix === '64' || what === 'labs';
  const signed = what === 'abs' || what === 'labs';
  const parameter = integerType(
    wide
      ? signed
        ? 'long'
        : 'unsigned long'
      : suffix === '16'
        ? 'unsigned short'
        : signed
          ? 'int'
          : 'unsigned int',
  );
  const argument = convert(builder, value(0), parameter, at);
  const to = newRegister(builder);
  const shape = shapeOf(builder, returns, at);
  emit(builder, { op: 'builtin', at, to, name: bare, arguments: [argument], shape });
  return { kind: 'scalar', register: to, type: returns };
}

/** The exact result is calculated in 256 bits, cut to the type of the result and compared. */
function lowerOverflow(
  builder: Builder,
  name: 'add_overflow' | 'sub_overflow' | 'mul_overflow',
  [left, right, result]: readonly [Value, Value, Value],
  at: number,
): Value {
  const exact: Shape = { size: 32, signed: true, bool: false };
  const operator = ({ add_overflow: '+', sub_overflow: '-', mul_overflow: '*' } as const)[name];
  const pointer = typeOfValue(builder, result, at);
  if (pointer.kind !== 'pointer') throw fail(builder, at, `${name} needs a pointer to the result`);
  const sum = newRegister(builder);
  const a = scalar(builder, left, at);
  const b = scalar(builder, right, at);
  emit(builder, { op: 'binary', at, to: sum, operator, a, b, shape: exact });
  const wrapped = newRegister(builder);
  const shape = shapeOf(builder, pointer.to, at);
  emit(builder, { op: 'convert', at, to: wrapped, from: sum, shape });
  emit(builder, {
    op: 'store',
    at,
    address: scalar(builder, result, at),
    from: wrapped,
    shape,
    volatile: pointer.to.volatile,
  });
  const to = newRegister(builder);
  emit(builder, { op: 'binary', at, to, operator: '!=', a: sum, b: wrapped, shape: exact });
  return { kind: 'scalar', register: to, type: BOOL };
}
