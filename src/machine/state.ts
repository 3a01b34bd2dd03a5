import type { Fact } from './facts.ts';

/**
 * A state: one integer per component, each the id of a hash-consed content.
 * `memory, ledger, ghost, (window, TLB, context, pending context, I-cache)*`, the last group once per PE.
 */
export type State = Int32Array;

/** Offsets of a state's shared components, and of the group of a PE. */
export const STATE = { memory: 0, ledger: 1, ghost: 2, pes: 3, perPe: 5 } as const;

/** Offsets inside the group of a PE. */
export const PE = { window: 0, tlb: 1, context: 2, pending: 3, icache: 4 } as const;

/** Where a component of a PE is in a state. */
export function peComponent(pe: number, offset: number): number {
  return STATE.pes + pe * STATE.perPe + offset;
}

/**
 * A step as what it changes, so that one step serves all states that look alike to it: plain data,
 * shared, never changed.
 */
export interface Step {
  /** As in `Transition`. */
  readonly pe: number;
  readonly index: number;
  readonly event: number;
  readonly choice: number;
  readonly facts: readonly Fact[];
  /** Components that get a new content: component, id, component, id ... */
  readonly components: readonly number[];
  /** Cells of memory that get a new slot: cell, slot, cell, slot ... */
  readonly slots: readonly number[];
  /** Changes of the ghost state, by number. */
  readonly ghost: readonly number[];
}
