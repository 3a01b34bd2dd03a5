import type { Machine } from '../machine/machine.ts';
import type { State } from '../machine/state.ts';

/**
 * Counts preemptions along a run: a PE that could go on with its instructions is kept from it, for
 * another PE takes the next step. Free are the first step, going on, and taking over from a PE that
 * waits or has ended; so are the steps no PE decides on, which leave it to the same PE to go on: deliveries,
 * what memory does by itself, and eager steps, which could as well have come at another time.
 *
 * So every run with at most k preemptions has a rearrangement that a reduced search takes for one with
 * at most k (docs/reduction.md).
 */
export interface SwitchCount {
  /** Whether a step of a PE after one of `last` (-1: nobody) is a preemption. */
  isPreemption(state: State, last: number, pe: number): boolean;
}

/** Counts preemptions of a machine. */
export function createSwitchCount(machine: Machine): SwitchCount {
  return {
    isPreemption: (state, last, pe) =>
      last >= 0 && last !== pe && machine.stepsOf(state, last).length > 0,
  };
}
