import type { Expr } from '../../program/expr.ts';

/**
 * Expressions interned by structure: equal expressions are one object with one small number, which is
 * what makes a thread's register file hashable. Applications to constants are computed at once.
 */
export interface ExprTable {
  constant(value: bigint): Expr;
  result(seq: number): Expr;
  /** `name` must determine `fn`: applications with equal names and arguments are shared. */
  apply(name: string, fn: (args: readonly bigint[]) => bigint, args: readonly Expr[]): Expr;
  picked(seq: number, value: Expr): Expr;
  /** Number of an expression of this table. */
  idOf(expr: Expr): number;
}

const MASK64 = (1n << 64n) - 1n;

/** An empty table. */
export function exprTable(): ExprTable {
  const byKey = new Map<string, Expr>();
  const ids = new Map<Expr, number>();

  function intern(key: string, make: () => Expr): Expr {
    const known = byKey.get(key);
    if (known !== undefined) return known;
    const made = make();
    byKey.set(key, made);
    ids.set(made, ids.size);
    return made;
  }

  function idOf(expr: Expr): number {
    const id = ids.get(expr);
    if (id === undefined) throw new Error('expression of another table');
    return id;
  }

  function constant(value: bigint): Expr {
    const masked = value & MASK64;
    return intern(`c${masked}`, () => ({ kind: 'const', value: masked }));
  }

  return {
    constant,
    result: (seq) => intern(`r${seq}`, () => ({ kind: 'result', seq })),
    apply(name, fn, args) {
      const values: bigint[] = [];
      for (const arg of args) if (arg.kind === 'const') values.push(arg.value);
      if (values.length === args.length) return constant(fn(values));
      return intern(`${name}(${args.map(idOf).join(',')})`, () => ({
        kind: 'apply',
        name,
        fn: (given) => fn(given) & MASK64,
        args,
      }));
    },
    picked: (seq, value) =>
      intern(`p${seq}:${idOf(value)}`, () => ({ kind: 'picked', seq, value })),
    idOf,
  };
}
