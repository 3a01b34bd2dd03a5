import type { Machine } from '../machine/machine.ts';
import type { State, Step } from '../machine/state.ts';
import { EVENT } from '../machine/transition.ts';

/**
 * What a piece costs in a search for the cheapest violation: choices and fault events are free, as they
 * are where they are explored one by one.
 */
export function costOfPiece(steps: readonly Step[]): number {
  let cost = 0;
  for (const { event } of steps) if (event !== EVENT.fire && event !== EVENT.fault) cost += 1;
  return cost;
}

/**
 * Accesses of PEs at rest in one piece (docs/reduction.md): such a PE chooses, translates and performs
 * an access with nothing in between; or it chooses and translates, and a TLBI is delivered to it with
 * nothing in between, when that makes a difference; or its translation faults, and, where eager steps are
 * explored alone, the fault event comes at once.
 */
export interface WholeAccesses {
  /**
   * Calls `visit` with each of the pieces of a PE at rest: its steps, and the state after them. Both
   * are good until `visit` returns, which says whether to go on.
   */
  forEach(
    state: State,
    pe: number,
    visit: (steps: readonly Step[], next: State) => boolean,
  ): boolean;
}

/** The whole accesses of a machine; `eagerFaults`: fault events come at once. */
export function createWholeAccesses(machine: Machine, eagerFaults: boolean): WholeAccesses {
  const width = machine.initial.length;
  const chosen = new Int32Array(width);
  const translated = new Int32Array(width);
  const done = new Int32Array(width);
  const early = new Int32Array(width);
  const earlyChosen = new Int32Array(width);
  const earlyTranslated = new Int32Array(width);
  const path: Step[] = [];

  function go(from: State, step: Step, to: State): void {
    to.set(from);
    machine.apply(step, to);
  }

  function faultEvent(state: State, pe: number): Step | undefined {
    return machine.stepsOf(state, pe).find(({ event }) => event === EVENT.fault);
  }

  /** Whether the delivery first, then the choice and some translation, come to the same state. */
  function commutes(state: State, choice: Step | null, pe: number, delivery: Step): boolean {
    go(state, delivery, early);
    if (choice === null) earlyChosen.set(early);
    else go(early, choice, earlyChosen);
    for (const translation of machine.stepsOf(earlyChosen, pe)) {
      go(earlyChosen, translation, earlyTranslated);
      let i = 0;
      while (i < width && earlyTranslated[i] === done[i]) i += 1;
      if (i === width) return true;
    }
    return false;
  }

  function fromChoice(
    state: State,
    choice: Step | null,
    pe: number,
    deliveries: readonly Step[],
    visit: (steps: readonly Step[], next: State) => boolean,
  ): boolean {
    const start = choice === null ? 0 : 1;
    for (const translation of machine.stepsOf(chosen, pe)) {
      path.length = start;
      path.push(translation);
      go(chosen, translation, translated);
      if (translation.facts.length > 0) {
        // A fault: the thread goes on with its handler.
        const event = eagerFaults ? faultEvent(translated, pe) : undefined;
        if (event === undefined) {
          if (!visit(path, translated)) return false;
          continue;
        }
        go(translated, event, done);
        path.push(event);
        if (!visit(path, done)) return false;
        continue;
      }
      for (const access of machine.stepsOf(translated, pe)) {
        go(translated, access, done);
        path.length = start + 1;
        path.push(access);
        if (!visit(path, done)) return false;
      }
      if (deliveries.length === 0) continue;
      for (const delivery of machine.deliveriesTo(translated, pe)) {
        go(translated, delivery, done);
        const first = deliveries.find(({ index }) => index === delivery.index);
        if (first !== undefined && commutes(state, choice, pe, first)) continue;
        path.length = start + 1;
        path.push(delivery);
        if (!visit(path, done)) return false;
      }
    }
    return true;
  }

  return {
    forEach(state, pe, visit) {
      const deliveries = machine.deliveriesTo(state, pe);
      const first = machine.stepsOf(state, pe);
      path.length = 0;
      if (first.every(({ event }) => event === EVENT.translate)) {
        chosen.set(state);
        return fromChoice(state, null, pe, deliveries, visit);
      }
      for (const choice of first) {
        path.length = 0;
        path.push(choice);
        go(state, choice, chosen);
        if (!fromChoice(state, choice, pe, deliveries, visit)) return false;
      }
      return true;
    },
  };
}
