import type { Context, Fault, Place } from '../../../program/effect.ts';
import type { Expr } from '../../../program/expr.ts';
import type { Code } from '../assembly/code.ts';
import type { ExprTable } from '../expr-table.ts';
import type { ThreadState } from './thread-state.ts';

/** Why control leaves the running code. */
export type ExceptionCause =
  | { readonly kind: 'fault'; readonly fault: Fault }
  | { readonly kind: 'svc' | 'hvc'; readonly immediate: bigint }
  | { readonly kind: 'undefined' };

/** Everything about a thread that does not change while it runs. */
export interface ThreadProgram {
  /** `P0`, as reports name the thread. */
  readonly name: string;
  readonly table: ExprTable;
  readonly code: Code;
  readonly initial: ThreadState;
  /** Whether an address is used as it is or through the translation under test. */
  place(address: Expr, el: 0 | 1 | 2, unprivileged: boolean): Place;
  /** Value of a label or variable named by ADR; undefined when there is none. */
  addressOf(symbol: string): bigint | undefined;
  /** The state after the instruction at `state.pc` took an exception. */
  takeException(state: ThreadState, cause: ExceptionCause): ThreadState;
  /** The state after ERET at `state.pc`. */
  returnFromException(state: ThreadState): ThreadState;
  /** What a write to a system register changes in the translation context; null: nothing. */
  contextChange(system: string, value: bigint, state: ThreadState): Partial<Context> | null;
}
