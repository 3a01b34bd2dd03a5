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

/** What steps change of a state: plain data, shared, never changed. */
export interface Change {
  /** Components that get a new content: component, id, component, id ... */
  readonly components: readonly number[];
  /** Cells of memory that get a new slot: numbers of replacements (`Memory.replaced`). */
  readonly slots: readonly number[];
  /** Changes of the ghost state, by number. */
  readonly ghost: readonly number[];
}

/** What steps change that follow each other. */
export function together(steps: readonly Change[]): Change {
  const components = new Map<number, number>();
  for (const step of steps) {
    for (let i = 0; i < step.components.length; i += 2) {
      components.set(step.components[i] as number, step.components[i + 1] as number);
    }
  }
  return {
    components: [...components].flat(),
    slots: steps.flatMap(({ slots }) => slots),
    ghost: steps.flatMap(({ ghost }) => ghost),
  };
}

/**
 * A step as what it changes, so that one step serves all states that look alike to it: plain data,
 * shared, never changed.
 */
export interface Step extends Change {
  /** As in `Transition`. */
  readonly pe: number;
  readonly index: number;
  readonly event: number;
  readonly choice: number;
  readonly facts: readonly Fact[];
}
