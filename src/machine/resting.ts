import type { Draft } from './draft.ts';
import { KIND, type EffectInfo } from './effect-info.ts';
import { translationPending } from './local-order.ts';
import { PE, peComponent, type State, type Step } from './state.ts';
import { FLAG, flagsOf, HEAD_WAITS } from './window.ts';

/**
 * PEs at rest: nothing is in flight on them but one access that is not translated yet, or a choice
 * between such accesses. What a PE at rest does next can be put off until it is performed at once, or
 * until a TLBI is delivered to it: docs/reduction.md, accesses in one piece.
 */
export interface Resting {
  /** The PEs at rest in a state, a bit each. */
  resting(state: State): number;
}

/** Which PEs of a machine are at rest; `stepsOf` gives the steps of one PE. */
export function createResting(
  draft: Draft,
  stepsOf: (state: State, pe: number) => readonly Step[],
): Resting {
  const { threads, faults, tlbs } = draft;
  /** For each PE, by window: 1 when it is at rest, 2 when not, 0 when nobody has asked. */
  const known: Uint8Array[] = threads.map(() => new Uint8Array(64));

  function isKnown(pe: number, window: number): number {
    const answers = known[pe] as Uint8Array;
    return window < answers.length ? (answers[window] as number) : 0;
  }

  function know(pe: number, window: number, answer: number): number {
    let answers = known[pe] as Uint8Array;
    if (window >= answers.length) {
      answers = new Uint8Array(window * 2);
      answers.set(known[pe] as Uint8Array);
      known[pe] = answers;
    }
    answers[window] = answer;
    return answer;
  }

  function isOneAccess(state: State, pe: number): boolean {
    draft.load(state);
    const w = draft.window(pe);
    return w.count === 1 && w.head === HEAD_WAITS && translationPending(w, 0);
  }

  function rests(state: State, pe: number): boolean {
    if (isOneAccess(state, pe)) return true;
    const w = draft.window(pe);
    if (w.count !== 1 || w.head !== HEAD_WAITS) return false;
    if ((w.infos[0] as EffectInfo).kind !== KIND.choose) return false;
    if ((flagsOf(w, 0) & FLAG.fired) !== 0) return false;
    const options = stepsOf(state, pe);
    const after = new Int32Array(state.length);
    return options.every((step) => {
      after.set(state);
      draft.apply(step, after);
      return isOneAccess(after, pe);
    });
  }

  return {
    resting(state) {
      // Faulty machines break the rules that the argument rests on.
      if (faults !== undefined) return 0;
      let mask = 0;
      for (let pe = 0; pe < threads.length; pe += 1) {
        if (state[peComponent(pe, PE.pending)] !== 0) continue;
        const window = state[peComponent(pe, PE.window)] as number;
        const answer = isKnown(pe, window) || know(pe, window, rests(state, pe) ? 1 : 2);
        if (answer === 2) continue;
        // A hardware update is atomic with the walk, which cannot be put off past a write then.
        const context = tlbs.contexts.context(state[peComponent(pe, PE.context)] as number);
        if (context.stage1 === null || context.stage1.hardwareUpdate === 'none') mask |= 1 << pe;
      }
      return mask;
    },
  };
}
