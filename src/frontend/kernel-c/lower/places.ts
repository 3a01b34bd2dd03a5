import {
  chooseBranch,
  chooseGeneric,
  memberOf,
  typeOfExpression,
  typeOfName,
} from '../types/expression-type.ts';
import { framePlace, temporary } from './access.ts';
import type { Expression } from '../parse/ast.ts';
import { type Builder, emit, fail, findVariable, newRegister, type Place } from './builder.ts';
import { lowerBinary } from './operators.ts';

/** What an expression designates (C11 6.3.2.1); values without a place get a temporary one. */
export function lowerPlace(builder: Builder, expression: Expression): Place {
  const { context, locals } = builder;
  const { at } = expression;
  switch (expression.kind) {
    case 'identifier':
      return placeOfName(builder, expression.name, at);
    case 'unary': {
      if (expression.operator !== '*') return placeOfValue(builder, expression);
      const pointer = builder.lowering.value(builder, expression.operand);
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
        builder.lowering.value(builder, expression.object),
        builder.lowering.value(builder, expression.index),
        at,
      );
      if (sum.kind !== 'scalar' || sum.type.kind !== 'pointer') break;
      return { kind: 'memory', address: sum.register, offset: 0, type: sum.type.to, bits: null };
    }
    case 'member': {
      if (expression.arrow) {
        const pointer = builder.lowering.value(builder, expression.object);
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
      builder.lowering.effect(builder, expression.left);
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

function placeOfName(builder: Builder, name: string, at: number): Place {
  const variable = findVariable(builder.blocks, name);
  switch (variable?.kind) {
    case 'register':
      return { kind: 'register', register: variable.register, type: variable.type };
    case 'frame':
      return framePlace(builder, variable.offset, variable.type, at);
    case 'only-type':
      throw fail(builder, at, `the first value of a static object cannot depend on "${name}"`);
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

function placeOfValue(builder: Builder, expression: Expression): Place {
  const { at } = expression;
  const value = builder.lowering.value(builder, expression);
  if (value.kind === 'aggregate') {
    return { kind: 'memory', address: value.address, offset: 0, type: value.type, bits: null };
  }
  if (value.kind === 'void') throw fail(builder, at, 'a void expression designates nothing');
  return { kind: 'register', register: value.register, type: value.type };
}
