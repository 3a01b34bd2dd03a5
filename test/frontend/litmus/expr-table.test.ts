import { describe, expect, it } from 'vitest';
import { evaluate, sources } from '../../../src/program/expr.ts';
import { exprTable } from '../../../src/frontend/litmus/expr-table.ts';

const add = (args: readonly bigint[]): bigint => args.reduce((sum, arg) => sum + arg, 0n);

describe('the expression table', () => {
  it('shares equal expressions and computes constant ones', () => {
    const table = exprTable();
    const sum = table.apply('add', add, [table.result(0), table.constant(1n)]);
    expect(table.apply('add', add, [table.result(0), table.constant(1n)])).toBe(sum);
    expect(table.apply('add', add, [table.constant(2n), table.constant(1n)])).toBe(
      table.constant(3n),
    );
    expect(sources(sum)).toEqual([0]);
    expect(evaluate(sum, () => 4n)).toBe(5n);
    expect(evaluate(sum, () => undefined)).toBeUndefined();
  });

  it('keeps results and constants to 64 bits', () => {
    const table = exprTable();
    expect(table.constant(-1n)).toBe(table.constant((1n << 64n) - 1n));
    const sum = table.apply('add', add, [table.result(0), table.constant(-1n)]);
    expect(evaluate(sum, () => 1n)).toBe(0n);
  });

  it('refuses expressions of another table', () => {
    const foreign = exprTable().result(1);
    const table = exprTable();
    expect(() => table.apply('add', add, [foreign])).toThrow('another table');
  });
});
