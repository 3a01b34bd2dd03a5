import { typeOfExpression } from '../types/expression-type.ts';
import { INT, type Type } from '../types/type.ts';
import { convert, scalar } from './access.ts';
import type { Expression } from '../parse/ast.ts';
import {
  bind,
  type Builder,
  emit,
  fail,
  isAggregate,
  jump,
  type Label,
  newLabel,
  newRegister,
  stopInstead,
  type Value,
} from './builder.ts';

export function lowerConditional(
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
    return settle(builder, builder.lowering.value(builder, chosen), type, at);
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
  const arm = (chosen: Expression): void => {
    try {
      keep(builder.lowering.value(builder, chosen));
    } catch (error) {
      stopInstead(builder, chosen.at, error);
    }
  };
  if (expression.yes === null) {
    const value = builder.lowering.value(builder, expression.test);
    emit(builder, { op: 'branch', at, test: scalar(builder, value, at), yes: yes.id, no: no.id });
    bind(builder, yes);
    keep(value);
  } else {
    lowerCondition(builder, expression.test, yes, no);
    bind(builder, yes);
    arm(expression.yes);
  }
  jump(builder, end, at);
  bind(builder, no);
  arm(expression.no);
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

/** Jumps to one of two labels. A part that is not understood stops the run only where it is needed. */
export function lowerCondition(
  builder: Builder,
  expression: Expression,
  yes: Label,
  no: Label,
): void {
  try {
    branchOn(builder, expression, yes, no);
  } catch (error) {
    stopInstead(builder, expression.at, error);
  }
}

/** The right side of `&&` and `||` only runs when it is needed. */
function branchOn(builder: Builder, expression: Expression, yes: Label, no: Label): void {
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
  const test = scalar(builder, builder.lowering.value(builder, expression), at);
  emit(builder, { op: 'branch', at, test, yes: yes.id, no: no.id });
}

export function lowerTruth(builder: Builder, expression: Expression): Value {
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
