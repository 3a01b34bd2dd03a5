/**
 * A 64-bit value a thread computes from the results of its own earlier effects.
 *
 * A front end that knows its data flow (an assembler) hands the machine expressions, so that an
 * access may run before earlier loads have answered and dependencies are exactly the `result` leaves.
 * A front end that does not (a generator) only uses constants.
 */
export type Expr =
  | { readonly kind: 'const'; readonly value: bigint }
  /** The value produced by the `seq`-th effect of the same thread, in program order from 0. */
  | { readonly kind: 'result'; readonly seq: number }
  /** A pure function of other expressions; `fn` must mask its result to 64 bits itself. */
  | {
      readonly kind: 'apply';
      readonly name: string;
      readonly fn: (args: readonly bigint[]) => bigint;
      readonly args: readonly Expr[];
    }
  /**
   * `value`, because the `seq`-th effect (a `select`) chose it. Evaluates to `value` and has only its
   * data dependencies; that it was chosen is a pick dependency, which orders a later store but not a
   * later load (aarch64deps.cat of herd7: `pick-dep`).
   */
  | { readonly kind: 'picked'; readonly seq: number; readonly value: Expr };

/** A constant expression. */
export function constant(value: bigint): Expr {
  return { kind: 'const', value };
}

/** The value of an expression, or `undefined` while a result it needs is not known yet. */
export function evaluate(
  expr: Expr,
  resultOf: (seq: number) => bigint | undefined,
): bigint | undefined {
  switch (expr.kind) {
    case 'const':
      return expr.value;
    case 'result':
      return resultOf(expr.seq);
    case 'apply': {
      const args: bigint[] = [];
      for (const arg of expr.args) {
        const value = evaluate(arg, resultOf);
        if (value === undefined) return undefined;
        args.push(value);
      }
      return expr.fn(args);
    }
    case 'picked':
      return evaluate(expr.value, resultOf);
  }
}

/** Program-order indices of the effects whose results the expression needs. */
export function sources(expr: Expr, into: number[] = []): readonly number[] {
  switch (expr.kind) {
    case 'const':
      return into;
    case 'result':
      if (!into.includes(expr.seq)) into.push(expr.seq);
      return into;
    case 'apply':
      for (const arg of expr.args) sources(arg, into);
      return into;
    case 'picked':
      return sources(expr.value, into);
  }
}

/** Program-order indices of the selects that picked the expression or parts of it. */
export function picks(expr: Expr, into: number[] = []): readonly number[] {
  switch (expr.kind) {
    case 'const':
    case 'result':
      return into;
    case 'apply':
      for (const arg of expr.args) picks(arg, into);
      return into;
    case 'picked':
      if (!into.includes(expr.seq)) into.push(expr.seq);
      return picks(expr.value, into);
  }
}
