import type { Expr } from '../../../program/expr.ts';
import type { ExprTable } from '../expr-table.ts';
import type { RecordedFault } from './recorded-fault.ts';

/** What is left of the instruction at `pc`, or has to happen before it. */
export type Phase =
  | { readonly kind: 'none' }
  /** An exception was taken; `pc` is where its handler starts. */
  | { readonly kind: 'enter'; readonly toEl: 1 | 2; readonly after: 'handler' | 'return' | 'end' }
  | { readonly kind: 'return'; readonly toEl: 0 | 1 }
  /** A misaligned access: bytes asked for so far, and what a load has put together from them. */
  | { readonly kind: 'pieces'; readonly done: number; readonly value: Expr }
  /** The access of a CAS was asked for; its compare is to be guessed. */
  | { readonly kind: 'compare'; readonly access: number }
  /** The compare was guessed to succeed: where the register's value comes from is to be chosen. */
  | { readonly kind: 'matched'; readonly access: number; readonly select: number };

/** No phase. */
export const NO_PHASE: Phase = { kind: 'none' };

/** A thread between two effects: immutable. */
export interface ThreadState {
  /** Index of a slot of the thread's code. */
  readonly pc: number;
  readonly phase: Phase;
  /** General registers by number. */
  readonly registers: readonly Expr[];
  /** N, Z, C, V in bits 3..0. */
  readonly flags: Expr;
  /** System registers that were written or have a reset value. */
  readonly system: ReadonlyMap<string, Expr>;
  /** Effects asked for so far: the `seq` of the next one. */
  readonly count: number;
  readonly el: 0 | 1 | 2;
  /** Stack pointer selection (PSTATE.SP), which picks the exception vector. */
  readonly spsel: 0 | 1;
  /** herd7: inside a fault handler, where a second fault is not an execution. */
  readonly inHandler: boolean;
  /** Faults so far, as a set in a canonical order. */
  readonly faults: readonly RecordedFault[];
  /** How often the thread has jumped backwards, by the slot it jumped to. */
  readonly loops: ReadonlyMap<number, number>;
  /** Nothing follows: ended, or not an execution at all. */
  readonly status: 'runs' | 'ended' | 'stuck';
}

/** Equal for states with equal futures and equal observations. */
export function stateKey(state: ThreadState, table: ExprTable): string {
  const registers = state.registers.map((expr) => table.idOf(expr)).join(',');
  const system = [...state.system]
    .map(([name, expr]) => `${name}=${table.idOf(expr)}`)
    .sort()
    .join(',');
  const faults = state.faults.map((fault) => fault.key).join(';');
  return [
    state.pc,
    phaseKey(state.phase, table),
    registers,
    table.idOf(state.flags),
    system,
    state.count,
    state.el,
    state.spsel,
    state.inHandler ? 1 : 0,
    faults,
    [...state.loops].map(([slot, times]) => `${slot}x${times}`).join(','),
    state.status,
  ].join('|');
}

function phaseKey(phase: Phase, table: ExprTable): string {
  switch (phase.kind) {
    case 'none':
      return '';
    case 'enter':
      return `e${phase.toEl}${phase.after}`;
    case 'return':
      return `r${phase.toEl}`;
    case 'pieces':
      return `p${phase.done},${table.idOf(phase.value)}`;
    case 'compare':
      return `c${phase.access}`;
    case 'matched':
      return `m${phase.access},${phase.select}`;
  }
}

/** The state with one general register changed; writes to XZR are dropped by the caller's number. */
export function withRegister(state: ThreadState, register: number, value: Expr): ThreadState {
  if (register === 31) return state;
  return {
    ...state,
    registers: state.registers.map((old, index) => (index === register ? value : old)),
  };
}

/** The state with one system register changed. */
export function withSystem(state: ThreadState, name: string, value: Expr): ThreadState {
  return { ...state, system: new Map([...state.system, [name, value]]) };
}

/** Times a thread may jump back to one place before the run is cut off, as in herd7 (opts.ml). */
const UNROLL = 2;

/** The state at a slot it jumps to. Loops are unrolled a fixed number of times; beyond, no run. */
export function jumpTo(state: ThreadState, from: number, to: number): ThreadState {
  if (to > from) return { ...state, pc: to };
  const times = (state.loops.get(to) ?? 0) + 1;
  if (times > UNROLL) return { ...state, status: 'stuck' };
  return { ...state, pc: to, loops: new Map([...state.loops, [to, times]]) };
}
