import type { Machine } from '../machine/machine.ts';
import type { State, Step } from '../machine/state.ts';
import type { Transition } from '../machine/transition.ts';
import type { WholeAccesses } from './whole-access.ts';

/**
 * Searches record which states follow each other, not by which steps. Here the steps are found again.
 */
export interface RecordedSteps {
  /**
   * The first way on from a state that is accepted: one step, or one piece of a PE at rest. Throws when
   * there is none, which would be a mistake of the search.
   */
  wayOn(from: State, accept: (steps: readonly Step[], to: State) => boolean): readonly Transition[];
  /** Steps along a list of states. */
  along(states: readonly State[]): readonly Transition[];
}

/** Recorded steps of a machine; `pieces`: how pieces of PEs at rest were taken, if they were. */
export function createRecordedSteps(machine: Machine, pieces: WholeAccesses | null): RecordedSteps {
  function withStates(from: State, steps: readonly Step[]): readonly Transition[] {
    let at = from;
    return steps.map((step) => {
      at = at.slice();
      machine.apply(step, at);
      const { pe, index, event, choice, facts } = step;
      return { pe, index, event, choice, facts, next: at };
    });
  }

  function wayOn(
    from: State,
    accept: (steps: readonly Step[], to: State) => boolean,
  ): readonly Transition[] {
    let found: readonly Step[] | null = null;
    const goOn = (steps: readonly Step[], to: State): boolean => {
      if (accept(steps, to)) found = [...steps];
      return found === null;
    };
    for (const step of machine.steps(from).slice()) {
      const to = from.slice();
      machine.apply(step, to);
      if (!goOn([step], to)) break;
    }
    const mask = pieces === null ? 0 : machine.resting(from);
    for (let pe = 0; mask >> pe !== 0 && found === null; pe += 1) {
      if ((mask & (1 << pe)) === 0) continue;
      pieces?.forEach(from, pe, (piece) => {
        const to = from.slice();
        machine.apply(piece, to);
        return goOn(piece.steps, to);
      });
    }
    if (found === null) throw new Error('a recorded step cannot be found again');
    return withStates(from, found);
  }

  return {
    wayOn,
    along: (states) =>
      states
        .slice(1)
        .flatMap((target, i) =>
          wayOn(states[i] as State, (_, to) => to.every((int, k) => int === target[k])),
        ),
  };
}
