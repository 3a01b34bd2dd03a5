import type { Expr } from '../../../program/expr.ts';
import {
  aluFunction,
  conditionFunction,
  ones,
  signed,
  type Condition,
  type Width,
} from '../assembly/alu.ts';
import type { AddressOperand, Modifier, Operand, Register, Test } from '../assembly/instruction.ts';
import { ZR } from '../assembly/instruction.ts';
import type { ExprTable } from '../expr-table.ts';
import type { ThreadState } from './thread-state.ts';

/** What stands in a register that nobody will read. */
export function deadRegister(table: ExprTable): Expr {
  return table.result(-1);
}

/** The full 64-bit contents of a register. */
export function readRegister(table: ExprTable, state: ThreadState, register: Register): Expr {
  if (register === ZR) return table.constant(0n);
  const value = state.registers[register] ?? table.constant(0n);
  if (value.kind === 'result' && value.seq < 0) throw new Error('a dead register is read');
  return value;
}

/** The low bits of a value. */
export function cut(table: ExprTable, value: Expr, width: number): Expr {
  if (width >= 64) return value;
  const mask = ones(width);
  if (value.kind === 'apply' && value.name === `cut${width}`) return value;
  return table.apply(`cut${width}`, (args) => (args[0] ?? 0n) & mask, [value]);
}

/** The value of a source operand, cut to the width. */
export function readOperand(
  table: ExprTable,
  state: ThreadState,
  operand: Operand,
  width: Width,
): Expr {
  if (operand.kind === 'immediate') return table.constant(operand.value & ones(width));
  const value = cut(table, readRegister(table, state, operand.register), width);
  return operand.modifier === null ? value : modify(table, value, operand.modifier, width);
}

function modify(table: ExprTable, value: Expr, modifier: Modifier, width: Width): Expr {
  const { kind, amount } = modifier;
  if (kind === 'lsl' || kind === 'lsr' || kind === 'asr' || kind === 'ror') {
    if (amount === 0) return value;
    const by = table.constant(BigInt(amount));
    return table.apply(`${kind}${width}`, aluFunction(kind, width), [value, by]);
  }
  const bits = { b: 8, h: 16, w: 32, x: 64 }[kind.slice(3)] ?? 64;
  const isSigned = kind.startsWith('s');
  const mask = ones(width);
  return table.apply(
    `${kind}${amount},${width}`,
    ([given = 0n]) => {
      const low = given & ones(bits);
      return ((isSigned ? signed(low, bits) : low) << BigInt(amount)) & mask;
    },
    [value],
  );
}

/** The sum of two 64-bit values. */
export function plus(table: ExprTable, left: Expr, right: Expr): Expr {
  if (right.kind === 'const' && right.value === 0n) return left;
  return table.apply('add64', aluFunction('add', 64), [left, right]);
}

/** The address an operand names, and the base register's new value if it is updated. */
export function readAddress(
  table: ExprTable,
  state: ThreadState,
  operand: AddressOperand,
): { readonly address: Expr; readonly base: Expr | null } {
  const base = readRegister(table, state, operand.base);
  if (operand.offset === null) return { address: base, base: null };
  const moved = plus(table, base, readOperand(table, state, operand.offset, 64));
  if (operand.index === 'none') return { address: moved, base: null };
  return { address: operand.index === 'pre' ? moved : base, base: moved };
}

/** 1 when the condition holds for the flags. */
export function readCondition(table: ExprTable, state: ThreadState, condition: Condition): Expr {
  const holds = conditionFunction(condition);
  return table.apply(`is-${condition}`, (args) => holds(args[0] ?? 0n), [state.flags]);
}

/** 1 when a branch with the test is taken. */
export function readTest(table: ExprTable, state: ThreadState, test: Test): Expr {
  if (test.kind === 'flags') return readCondition(table, state, test.condition);
  const value = readRegister(table, state, test.register);
  if (test.kind === 'zero') {
    const when = test.negate ? 1n : 0n;
    return table.apply(`zero${when}`, (args) => ((args[0] ?? 0n) === 0n ? 1n - when : when), [
      cut(table, value, test.width),
    ]);
  }
  const bit = BigInt(test.bit);
  const clear = test.negate ? 0n : 1n;
  return table.apply(`bit${bit},${clear}`, (args) => (((args[0] ?? 0n) >> bit) & 1n) ^ clear, [
    value,
  ]);
}
