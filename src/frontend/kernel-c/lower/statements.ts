import { FrontendError } from '../diagnostic.ts';
import type { Compound, Declaration, Declarator, Expression, Statement } from '../parse/ast.ts';
import { integerBehind, promoted, wrapTo } from '../types/conversions.ts';
import { alignmentOfAttributes, resolveType } from '../types/resolve.ts';
import { sizeOf } from '../types/size.ts';
import { decayed, LONG, type Type, unqualified } from '../types/type.ts';
import { convert, framePlace, scalar, temporary, typeOfValue, write } from './access.ts';
import { lowerAsm } from './asm.ts';
import {
  allocateVariable,
  bind,
  type Builder,
  constant,
  emit,
  fail,
  findLabel,
  isAggregate,
  jump,
  type Label,
  type Loop,
  namesInSight,
  newLabel,
  newRegister,
  openBlock,
  stopInstead,
  type SwitchDraft,
  type Value,
  type Variable,
} from './builder.ts';
import { cleanUp, goTo, leaveTo, putLabel } from './cleanups.ts';
import { lowerCondition } from './conditions.ts';

/** Lowers a statement. */
export function lowerStatement(builder: Builder, statement: Statement): void {
  // What a statement calculated is not used after it; only a declaration leaves registers behind.
  const mark = builder.registers;
  tryStatement(builder, statement);
  let inner = statement;
  while (inner.kind === 'label' || inner.kind === 'case' || inner.kind === 'default') {
    inner = inner.body;
  }
  if (inner.kind !== 'declaration') builder.registers = mark;
}

function tryStatement(builder: Builder, statement: Statement): void {
  try {
    lower(builder, statement);
  } catch (error) {
    stopInstead(builder, statement.at, error);
  }
}

function lower(builder: Builder, statement: Statement): void {
  const { at } = statement;
  switch (statement.kind) {
    case 'compound':
      lowerBlock(builder, statement);
      return;
    case 'declaration':
      lowerDeclaration(builder, statement);
      return;
    case 'expression':
      builder.lowering.effect(builder, statement.expression);
      return;
    case 'empty':
    case 'static-assert':
      return;
    case 'local-labels': {
      const block = builder.blocks.at(-1);
      for (const name of statement.names) block?.labels.set(name, newLabel(builder));
      return;
    }
    case 'if':
      lowerIf(builder, statement);
      return;
    case 'while':
    case 'do':
    case 'for':
      lowerLoop(builder, statement);
      return;
    case 'switch':
      lowerSwitch(builder, statement);
      return;
    case 'case':
    case 'default':
      lowerCase(builder, statement);
      return;
    case 'label':
      putLabel(builder, findLabel(builder, statement.name), at);
      lowerStatement(builder, statement.body);
      return;
    case 'goto':
      goTo(builder, findLabel(builder, statement.label), at);
      return;
    case 'goto-address':
      throw fail(builder, at, 'a jump to a computed address is not known');
    case 'break': {
      const loop = builder.loops.at(-1);
      if (loop === undefined) throw fail(builder, at, 'break outside a loop or switch');
      leaveTo(builder, loop.depth);
      jump(builder, loop.exit, at);
      return;
    }
    case 'continue': {
      const loop = innermostLoop(builder);
      if (loop === undefined || loop.next === null)
        throw fail(builder, at, 'continue outside a loop');
      leaveTo(builder, loop.depth);
      jump(builder, loop.next, at);
      return;
    }
    case 'return':
      lowerReturn(builder, statement.value, at);
      return;
    case 'asm':
      lowerAsm(builder, statement);
  }
}

/** The loop that `continue` goes on with: a switch is none. */
function innermostLoop(builder: Builder): Loop | undefined {
  for (let i = builder.loops.length - 1; i >= 0; i--) {
    const loop = builder.loops[i];
    if (loop !== undefined && loop.next !== null) return loop;
  }
  return undefined;
}

/** Lowers a block; its value is that of its last expression, as a statement expression needs. */
export function lowerBlock(builder: Builder, body: Compound): Value {
  const depth = builder.blocks.length;
  const block = openBlock(builder);
  let value: Value = { kind: 'void' };
  for (const item of body.items) {
    let last = item;
    if (item === body.items.at(-1)) {
      while (last.kind === 'label') {
        putLabel(builder, findLabel(builder, last.name), last.at);
        last = last.body;
      }
    }
    if (item === body.items.at(-1) && last.kind === 'expression') {
      try {
        value = builder.lowering.value(builder, last.expression);
      } catch (error) {
        stopInstead(builder, last.at, error);
      }
    } else {
      lowerStatement(builder, last);
    }
  }
  cleanUp(builder, block);
  builder.blocks.length = depth;
  return value;
}

function lowerIf(builder: Builder, statement: Statement & { kind: 'if' }): void {
  const { at } = statement;
  const yes = newLabel(builder);
  const no = newLabel(builder);
  lowerCondition(builder, statement.test, yes, no);
  bind(builder, yes);
  lowerStatement(builder, statement.yes);
  if (statement.no === null) {
    bind(builder, no);
    return;
  }
  const end = newLabel(builder);
  jump(builder, end, at);
  bind(builder, no);
  lowerStatement(builder, statement.no);
  bind(builder, end);
}

function lowerLoop(
  builder: Builder,
  statement: Statement & { kind: 'while' | 'do' | 'for' },
): void {
  const { at } = statement;
  const depth = builder.blocks.length;
  if (statement.kind === 'for') {
    openBlock(builder);
    const { init } = statement;
    if (init !== null) {
      tryStatement(
        builder,
        init.kind === 'declaration' ? init : { kind: 'expression', at: init.at, expression: init },
      );
    }
  }
  const body = newLabel(builder);
  const next = newLabel(builder);
  const test = newLabel(builder);
  const exit = newLabel(builder);
  if (statement.kind !== 'do') jump(builder, test, at);
  bind(builder, body);
  builder.loops.push({ exit, next, depth: builder.blocks.length });
  lowerStatement(builder, statement.body);
  builder.loops.pop();
  bind(builder, next);
  if (statement.kind === 'for' && statement.step !== null) {
    const { step } = statement;
    tryStatement(builder, { kind: 'expression', at: step.at, expression: step });
  }
  bind(builder, test);
  if (statement.test === null) jump(builder, body, at);
  else lowerCondition(builder, statement.test, body, exit);
  bind(builder, exit);
  const block = builder.blocks[depth];
  if (block !== undefined) cleanUp(builder, block);
  builder.blocks.length = depth;
}

function lowerSwitch(builder: Builder, statement: Statement & { kind: 'switch' }): void {
  const { at } = statement;
  const { type, register } = switchedOn(builder, statement.value);
  const dispatch = newLabel(builder);
  const exit = newLabel(builder);
  const draft: SwitchDraft = { type, cases: [], broken: null, otherwise: null };
  jump(builder, dispatch, at);
  builder.switches.push(draft);
  builder.loops.push({ exit, next: null, depth: builder.blocks.length });
  lowerStatement(builder, statement.body);
  builder.loops.pop();
  builder.switches.pop();
  jump(builder, exit, at);
  bind(builder, dispatch);
  if (draft.broken !== null) stopInstead(builder, at, draft.broken);
  const cases = draft.cases.map(({ low, high, label }) => ({ low, high, target: label.id }));
  emit(builder, {
    op: 'switch',
    at,
    value: register,
    cases,
    otherwise: (draft.otherwise ?? exit).id,
  });
  bind(builder, exit);
}

/** What a switch compares. A value that is not understood stops it, but its body may have labels. */
function switchedOn(
  builder: Builder,
  expression: Expression,
): { readonly type: Type; readonly register: number } {
  const { at } = expression;
  try {
    const value = builder.lowering.value(builder, expression);
    const type = promoted(builder.context, typeOfValue(builder, value, at), at);
    return { type, register: convert(builder, value, type, at) };
  } catch (error) {
    stopInstead(builder, at, error);
    return { type: LONG, register: constant(builder, 0n, at) };
  }
}

function lowerCase(builder: Builder, statement: Statement & { kind: 'case' | 'default' }): void {
  const draft = builder.switches.at(-1);
  if (draft === undefined) throw fail(builder, statement.at, 'a case outside a switch');
  const label = newLabel(builder);
  bind(builder, label);
  if (statement.kind === 'default') draft.otherwise = label;
  else addCase(builder, draft, statement, label);
  lowerStatement(builder, statement.body);
}

function addCase(
  builder: Builder,
  draft: SwitchDraft,
  { low: from, high: to }: Statement & { kind: 'case' },
  label: Label,
): void {
  try {
    const low = caseValue(builder, draft.type, from);
    const high = to === null ? low : caseValue(builder, draft.type, to);
    draft.cases.push({ low, high, label });
  } catch (error) {
    if (!(error instanceof FrontendError)) throw error;
    draft.broken ??= error;
  }
}

function caseValue(builder: Builder, type: Type, expression: Expression): bigint {
  const found = builder.context.rules.constant(builder.context, expression, builder.locals);
  const integer = integerBehind(builder.context, type, expression.at);
  if (found === null || integer === null) {
    throw fail(builder, expression.at, 'the value of a case must be a constant');
  }
  return wrapTo(integer, found.value);
}

function lowerReturn(builder: Builder, expression: Expression | null, at: number): void {
  const type = unqualified(builder.returns);
  if (expression === null) {
    leaveTo(builder, 0);
    emit(builder, { op: 'return', at, value: { kind: 'none' } });
    return;
  }
  if (type.kind === 'void') {
    builder.lowering.effect(builder, expression);
    leaveTo(builder, 0);
    emit(builder, { op: 'return', at, value: { kind: 'none' } });
    return;
  }
  const value = builder.lowering.value(builder, expression);
  if (isAggregate(type)) {
    if (value.kind !== 'aggregate') throw fail(builder, at, 'a struct must be returned here');
    const size = sizeOf(builder.context, type, at);
    leaveTo(builder, 0);
    emit(builder, { op: 'return', at, value: { kind: 'memory', address: value.address, size } });
    return;
  }
  const from = convert(builder, value, type, at);
  leaveTo(builder, 0);
  emit(builder, { op: 'return', at, value: { kind: 'register', from } });
}

export function lowerDeclaration(builder: Builder, declaration: Declaration): void {
  if (declaration.storage === 'typedef') return;
  for (const declarator of declaration.declarators) {
    declare(builder, declaration, declarator);
  }
}

function declare(builder: Builder, declaration: Declaration, declarator: Declarator): void {
  const { name, at, initializer } = declarator;
  const block = builder.blocks.at(-1);
  if (block === undefined) return;
  const auto =
    declarator.type.kind === 'auto' ||
    (declarator.type.kind === 'qualified' && declarator.type.of.kind === 'auto');
  if (auto) {
    if (initializer?.kind !== 'expression') throw fail(builder, at, '__auto_type needs a value');
    const value = builder.lowering.value(builder, initializer.expression);
    const variable = place(builder, declarator, decayed(typeOfValue(builder, value, at)));
    store(builder, variable, value, at);
    block.names.set(name, variable);
    return;
  }
  let type = resolveType(builder.context, declarator.type, builder.locals);
  if (initializer !== null) {
    type = builder.context.rules.complete(builder.context, type, initializer, builder.locals);
  }
  if (type.kind === 'function' || declaration.storage === 'extern') {
    block.names.set(name, { kind: 'symbol', symbol: name, type });
    builder.externs.set(name, type);
    return;
  }
  if (declaration.storage === 'static') {
    const symbol = `${builder.name}.${name}.${builder.statics.size}`;
    block.names.set(name, { kind: 'symbol', symbol, type });
    const names = namesInSight(builder.blocks);
    builder.statics.set(symbol, { symbol, type, initializer, names });
    return;
  }
  const variable = place(builder, declarator, type);
  // The name is in scope in its own initializer, as in `struct list x = { &x }`.
  block.names.set(name, variable);
  if (initializer === null) {
    if (variable.kind === 'register') emit(builder, { op: 'unset', at, to: variable.register });
  } else {
    if (variable.kind === 'register') {
      const expression = initializer.kind === 'expression' ? initializer.expression : null;
      if (expression !== null) {
        store(builder, variable, builder.lowering.value(builder, expression), at);
      } else {
        const scratch = temporary(builder, type, at);
        builder.lowering.initialise(builder, scratch, initializer);
        const to = newRegister(builder);
        const shape = { size: sizeOf(builder.context, type, at), signed: false, bool: false };
        emit(builder, { op: 'load', at, to, address: scratch.address, shape, volatile: false });
        store(builder, variable, { kind: 'scalar', register: to, type }, at);
      }
    } else if (variable.kind === 'frame') {
      const into = framePlace(builder, variable.offset, type, at);
      builder.lowering.initialise(builder, into, initializer);
    }
  }
  const cleanup = declarator.attributes?.cleanup ?? null;
  if (cleanup !== null && variable.kind === 'frame') {
    const into = framePlace(builder, variable.offset, type, at);
    if (into.kind === 'memory') block.cleanups.push({ function: cleanup, place: into, at });
  }
}

/** A register for a scalar nobody takes the address of, else a place in the frame. */
function place(builder: Builder, declarator: Declarator, type: Type): Variable {
  const { name, at, attributes } = declarator;
  const needsMemory =
    isAggregate(type) ||
    type.volatile ||
    builder.addressed.has(name) ||
    (attributes?.cleanup ?? null) !== null;
  if (!needsMemory) return { kind: 'register', register: newRegister(builder), type };
  const alignment = alignmentOfAttributes(builder.context, attributes, builder.locals);
  return { kind: 'frame', offset: allocateVariable(builder, name, type, at, alignment), type };
}

function store(builder: Builder, variable: Variable, value: Value, at: number): void {
  const { type } = variable;
  if (variable.kind === 'register') {
    if (value.kind !== 'scalar') scalar(builder, value, at);
    const from = convert(builder, value, type, at);
    emit(builder, { op: 'move', at, to: variable.register, from });
  } else if (variable.kind === 'frame') {
    write(builder, framePlace(builder, variable.offset, type, at), value, at);
  }
}
