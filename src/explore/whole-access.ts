import type { Machine } from '../machine/machine.ts';
import type { Ahead } from '../machine/look-ahead.ts';
import { together, type Change, type State, type Step } from '../machine/state.ts';
import { EVENT } from '../machine/transition.ts';

/**
 * Accesses of PEs at rest in one piece (docs/reduction.md): such a PE chooses, translates and performs
 * an access with nothing in between; or it chooses and translates, and a TLBI is delivered to it with
 * nothing in between, when that makes a difference; or its translation faults, and, where eager steps are
 * explored alone, the fault event comes at once.
 */
export interface WholeAccesses {
  /** The choices of a PE at rest, as numbers for `pieces`; one number where there is nothing to choose. */
  choices(state: State, pe: number): readonly number[];
  /** The pieces that begin with a choice of that state. */
  pieces(choice: number, state: State): readonly Piece[];
  /** Calls `visit` with each piece of a PE at rest, until it returns false. */
  forEach(state: State, pe: number, visit: (piece: Piece) => boolean): boolean;
}

/** Steps that follow each other with nothing in between, and what they change together. */
export interface Piece extends Change {
  readonly steps: readonly Step[];
  /**
   * What it costs in a search for the cheapest violation: choices and fault events are free, as they are
   * where they are explored one by one.
   */
  readonly cost: number;
}

function pieceOf(steps: readonly Step[]): Piece {
  let cost = 0;
  for (const { event } of steps) if (event !== EVENT.fire && event !== EVENT.fault) cost += 1;
  return { steps, cost, ...together(steps) };
}

/** By machine, without and with fault events that come at once: searches of one machine share what is found. */
const known = new WeakMap<Machine, (WholeAccesses | undefined)[]>();

/** The whole accesses of a machine; `eagerFaults`: fault events come at once. */
export function wholeAccessesOf(machine: Machine, eagerFaults: boolean): WholeAccesses {
  const both = known.get(machine) ?? [];
  known.set(machine, both);
  return (both[eagerFaults ? 1 : 0] ??= createWholeAccesses(machine, eagerFaults));
}

function createWholeAccesses(machine: Machine, eagerFaults: boolean): WholeAccesses {
  /** What a piece begins with, by the number of the choice; null where there is nothing to choose. */
  const begins: { readonly pe: number; readonly choice: Step | null }[] = [];

  function number(pe: number, choice: Step | null): number {
    begins.push({ pe, choice });
    return begins.length - 1;
  }

  const choicesAt = machine.lookAhead(({ stepsOf }, pe): readonly number[] => {
    const first = stepsOf(pe);
    if (first.every(({ event }) => event === EVENT.translate)) return [number(pe, null)];
    return first.map((choice) => number(pe, choice));
  });

  /** Whether the delivery first, then the choice and some translation, come to the same state. */
  function commutes(from: Ahead, pe: number, choice: Step | null, delivery: Step, done: Ahead) {
    const early = from.go(delivery);
    const chosen = choice === null ? early : early.go(choice);
    return chosen.stepsOf(pe).some((translation) => chosen.go(translation).isSameAs(done));
  }

  const piecesAt = machine.lookAhead((from, site): readonly Piece[] => {
    const { pe, choice } = begins[site] as (typeof begins)[number];
    const deliveries = from.deliveriesTo(pe);
    const chosen = choice === null ? from : from.go(choice);
    const start = choice === null ? [] : [choice];
    const all: Piece[] = [];
    for (const translation of chosen.stepsOf(pe)) {
      const translated = chosen.go(translation);
      const path = [...start, translation];
      const goOn = (last: Step): number => all.push(pieceOf([...path, last]));
      if (translation.facts.length > 0) {
        // A fault: the thread goes on with its handler.
        const event = eagerFaults
          ? translated.stepsOf(pe).find((step) => step.event === EVENT.fault)
          : undefined;
        if (event === undefined) all.push(pieceOf(path));
        else goOn(event);
        continue;
      }
      translated.stepsOf(pe).forEach(goOn);
      if (deliveries.length === 0) continue;
      for (const delivery of translated.deliveriesTo(pe)) {
        const first = deliveries.find(({ index }) => index === delivery.index);
        const done = translated.go(delivery);
        if (first === undefined || !commutes(from, pe, choice, first, done)) goOn(delivery);
      }
    }
    return all;
  });

  function choices(state: State, pe: number): readonly number[] {
    return choicesAt(pe, state);
  }

  return {
    choices,
    pieces: piecesAt,
    forEach: (state, pe, visit) =>
      choices(state, pe).every((choice) => piecesAt(choice, state).every(visit)),
  };
}
