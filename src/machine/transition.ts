import type { Fact } from './facts.ts';
import type { State } from './state.ts';

/** What kind of event a transition is. */
export const EVENT = {
  /** The T event: choose a translation. */
  translate: 0,
  /** The fault event of a faulting access. */
  fault: 1,
  /** The explicit read. */
  read: 2,
  /** The explicit write. */
  write: 3,
  /** Barrier completes, TLBI issues, maintenance, lock, free, announcement ... */
  fire: 4,
  /** A TLBI takes effect at one PE. */
  deliver: 5,
  /** A dirty line is written back. */
  writeBack: 6,
  /** A branch is guessed. */
  guess: 7,
  /** Hardware sets the access flag or dirty state in a descriptor. */
  update: 8,
} as const;

/** One step of the machine: an event on the line. */
export interface Transition {
  /**
   * PE that the event belongs to; for `deliver` the PE it happens at; -1 for `writeBack` and for an
   * `update` on behalf of no instruction.
   */
  readonly pe: number;
  /** Index in the window; for `deliver` the ledger slot; where `pe` is -1 the cell. */
  readonly index: number;
  readonly event: number;
  /** Which choice, where there are several; unique among those of this event. */
  readonly choice: number;
  readonly next: State;
  readonly facts: readonly Fact[];
}

/** A place at which a state may have transitions. */
export interface Site {
  /** As in `Transition`. */
  readonly pe: number;
  readonly index: number;
  readonly kind: 'instance' | 'deliver' | 'write-back' | 'update';
}

/** Why a state has no transitions. */
export type End =
  /** All threads have ended. */
  | 'finished'
  /** Some PE waits for a lock that is held, and nothing else can happen. */
  | 'deadlock'
  /** The order of events chosen so far cannot be completed coherently: not a run of the machine. */
  | 'impossible';
