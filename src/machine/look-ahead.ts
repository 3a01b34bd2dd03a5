import type { Memory } from './memory.ts';
import { createLookMemo, type LookMemo, type PartOf } from './look-memo.ts';
import { createReadTrail, READ, READ_INTS } from './read-trail.ts';
import { STATE, type Change, type State, type Step } from './state.ts';

/** A state some steps ahead of one, as far as it is a function of what was looked at of that one. */
export interface Ahead {
  /** The state that a step leads to. */
  go(step: Step): Ahead;
  /** `Machine.stepsOf`. */
  stepsOf(pe: number): readonly Step[];
  /** `Machine.deliveriesTo`. */
  deliveriesTo(pe: number): readonly Step[];
  /** Whether another way has come to the same state. */
  isSameAs(other: Ahead): boolean;
}

/** Looks at what the steps of states come to, and remembers it. */
export interface LookAhead {
  /**
   * What `find` comes to from a state. It may ask for nothing but what an `Ahead` tells, so what it comes
   * to is the same for all states that look alike to it, and is found once for them (look-memo.ts).
   */
  remember<Result extends object>(
    find: (from: Ahead, site: number) => Result,
  ): (site: number, state: State) => Result;
  /** Forgets everything: memory is freed, nothing else changes. */
  forget(): void;
}

/** What looking ahead needs of a machine. */
export interface StepSource {
  readonly memory: Memory;
  readonly part: PartOf;
  apply(change: Change, state: State): void;
  /** The sites (as of a step memo) of the instructions of a PE, and of a delivery to it. */
  instancesSite(pe: number): number;
  deliverySite(slot: number, pe: number): number;
  steps(site: number, state: State): readonly Step[];
  /** What these steps depend on, as `ReadTrail.stop`. */
  looks(site: number, state: State): readonly number[];
}

/** How a component ahead is related to the one at the start. */
const IS = {
  /** The same. */
  same: 0,
  /** New: what it is follows from the steps. */
  given: 1,
  /** Made from the one at the start. */
  altered: 2,
} as const;

/** Looks ahead in states of so many components. */
export function createLookAhead(source: StepSource, components: number): LookAhead {
  const trail = createReadTrail(components);
  const memos: LookMemo<object>[] = [];

  /** Writes down looks at a state that is ahead of `base`, as looks at `base`. */
  function note(looks: readonly number[], relation: Uint8Array, base: State): void {
    for (let i = 0; i < looks.length; i += READ_INTS) {
      const kind = looks[i] as number;
      const component = looks[i + 1] as number;
      // What is not of the state is as it is.
      const is = component < 0 ? IS.same : (relation[component] as number);
      if (is === IS.given) continue;
      if (is === IS.altered) trail.whole(component, base[component] as number);
      else if (kind === READ.whole) trail.whole(component, looks[i + 3] as number);
      else trail.part(kind, component, looks[i + 2] as number, looks[i + 3] as number);
    }
  }

  interface Place extends Ahead {
    readonly state: State;
    readonly relation: Uint8Array;
  }

  function ahead(base: State, state: State, relation: Uint8Array): Place {
    function stepsAt(site: number): readonly Step[] {
      const steps = source.steps(site, state);
      note(source.looks(site, state), relation, base);
      return steps;
    }
    return {
      state,
      relation,
      go(step) {
        const next = state.slice();
        source.apply(step, next);
        const after = relation.slice();
        for (let i = 0; i < step.components.length; i += 2) {
          after[step.components[i] as number] = IS.given;
        }
        if (step.slots.length > 0) after[STATE.memory] = IS.altered;
        if (step.ghost.length > 0) after[STATE.ghost] = IS.altered;
        return ahead(base, next, after);
      },
      stepsOf: (pe) => stepsAt(source.instancesSite(pe)),
      deliveriesTo(pe) {
        const slots = source.part(state, READ.pendingTo, STATE.ledger, pe);
        note([READ.pendingTo, STATE.ledger, pe, slots], relation, base);
        const all: Step[] = [];
        for (let slot = 0; slots >> slot !== 0; slot += 1) {
          if (((slots >> slot) & 1) !== 0) all.push(...stepsAt(source.deliverySite(slot, pe)));
        }
        return all;
      },
      isSameAs(other) {
        const { state: theirs, relation: related } = other as Place;
        for (let i = 0; i < components; i += 1) {
          // One way may give what the other leaves as it is.
          if (relation[i] !== IS.same || related[i] !== IS.same) {
            trail.whole(i, base[i] as number);
          }
        }
        return state.every((id, i) => id === theirs[i]);
      },
    };
  }

  return {
    remember(find) {
      const memo = createLookMemo<ReturnType<typeof find>>(source.part);
      memos.push(memo as LookMemo<object>);
      const learn = (site: number, state: State): ReturnType<typeof find> => {
        for (;;) {
          const linesWereWalked = source.memory.linesAreWalked();
          trail.start();
          const result = find(ahead(state, state.slice(), new Uint8Array(components)), site);
          const looks = trail.stop();
          // As in step-memo.ts.
          if (source.memory.linesAreWalked() !== linesWereWalked) continue;
          memo.learn(site, looks, result);
          return result;
        }
      };
      return (site, state) => memo.get(site, state) ?? learn(site, state);
    },
    forget() {
      for (const memo of memos) memo.forget();
    },
  };
}
