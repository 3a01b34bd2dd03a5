import type { Fact } from '../machine/facts.ts';
import type { Machine } from '../machine/machine.ts';
import type { State, Step } from '../machine/state.ts';
import type { Transition } from '../machine/transition.ts';
import type { StateSet } from '../util/state-set.ts';
import { createRecordedSteps } from './recorded-steps.ts';
import { parentOf } from './state-link.ts';
import type { WholeAccesses } from './whole-access.ts';

/**
 * Runs to what a search has found. A search keeps states, and from which state each was first reached: not
 * the steps between them, nor the states that it passes through, and of states that differ in the
 * names of PEs only one. Here a real run is found again.
 */
export interface SearchRuns {
  /** To a state of the set, or to one that differs from it in the names of PEs. */
  to(id: number): readonly Transition[];
  /**
   * To state `id` and on by some steps, one of which breaks a rule, to a state like `goal`. The state
   * reached may carry other names for the PEs than the one the steps were found in, so they are looked up there by
   * what they break.
   */
  through(id: number, steps: readonly Step[], goal: State): readonly Transition[];
  /**
   * To state `id`, on by some steps to a state like `reached`, and through so many states more to a step that
   * breaks a rule.
   */
  throughPassed(
    id: number,
    steps: readonly Step[],
    reached: State,
    passed: number,
  ): readonly Transition[];
}

/** How the search was made. */
export interface SearchMade {
  readonly machine: Machine;
  readonly seen: StateSet;
  /** Integers that the set keeps of a state; those of the state come first. */
  readonly width: number;
  /** How pieces of PEs at rest were taken, if they were. */
  readonly pieces: WholeAccesses | null;
  /** Replaces a state by the one that was kept for it. */
  readonly representative: (of: State) => void;
  /** The step by which a state is passed through, if it is. */
  readonly onlyStep: (of: State) => Step | null;
  /** Most states passed through at a stretch. */
  readonly mostPassed: number;
  /** Whether facts break a rule. */
  readonly breaks: (facts: readonly Fact[]) => boolean;
}

/** The runs of a search. */
export function createSearchRuns(made: SearchMade): SearchRuns {
  const { machine, seen, width, representative, onlyStep } = made;
  const recorded = createRecordedSteps(machine, made.pieces);

  /** Whether two states have the same representative. */
  function isAlike(of: State, target: State): boolean {
    const copy = of.slice();
    representative(copy);
    return copy.every((int, i) => int === target[i]);
  }

  /** A state and those that eager steps pass through from it; the last is the one that is kept. */
  function passedFrom(start: State): readonly State[] {
    const at = start.slice();
    representative(at);
    const states = [at.slice()];
    for (let step = onlyStep(at); step !== null; step = onlyStep(at)) {
      machine.apply(step, at);
      representative(at);
      states.push(at.slice());
      if (states.length > made.mostPassed) break;
    }
    return states;
  }

  const endOf = (run: readonly Transition[]): State => run.at(-1)?.next ?? machine.initial;

  /** The first way on from the end of a run that is accepted. */
  function wayOn(
    run: readonly Transition[],
    accept: (way: readonly Step[], to: State) => boolean,
  ): readonly Transition[] {
    return recorded.wayOn(endOf(run), accept);
  }

  /** Adds to a run the steps to states that are like these. */
  function goAlong(run: Transition[], states: readonly State[]): void {
    for (const state of states) run.push(...wayOn(run, (_, reached) => isAlike(reached, state)));
  }

  function runTo(id: number): Transition[] {
    const ids: number[] = [];
    for (let at = id; at > 0; at = parentOf(seen.parent(at))) ids.push(at);
    const run: Transition[] = [];
    const goal = new Int32Array(width);
    for (const to of ids.reverse()) {
      seen.read(to, goal);
      let passed: readonly State[] = [];
      const first = wayOn(run, (_, reached) => {
        passed = passedFrom(reached);
        return isAlike(passed.at(-1) as State, goal);
      });
      run.push(...first);
      goAlong(run, passed.slice(1));
    }
    return run;
  }

  function eventsOf(steps: readonly Step[]): string {
    return steps.map(({ event }) => event).join();
  }

  return {
    to: runTo,
    through(id, steps, goal) {
      const run = runTo(id);
      const events = eventsOf(steps);
      const target = goal.slice();
      const last = wayOn(
        run,
        (way, to) =>
          eventsOf(way) === events &&
          isAlike(to, target) &&
          way.some(({ facts }) => facts.length > 0 && made.breaks(facts)),
      );
      return [...run, ...last];
    },
    throughPassed(id, steps, reached, passed) {
      const run = runTo(id);
      const states = passedFrom(reached);
      const events = eventsOf(steps);
      run.push(
        ...wayOn(run, (way, to) => eventsOf(way) === events && isAlike(to, states[0] as State)),
      );
      goAlong(run, states.slice(1, passed + 1));
      const last = wayOn(
        run,
        (way, to) =>
          way.length === 1 &&
          isAlike(to, states[passed + 1] as State) &&
          made.breaks((way[0] as Step).facts),
      );
      return [...run, ...last];
    },
  };
}
