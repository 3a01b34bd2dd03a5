import type { Draft } from './draft.ts';
import { createLookMemo } from './look-memo.ts';
import type { State, Step } from './state.ts';

/** Remembers what steps a site has, by what the draft was asked to find them (look-memo.ts). */
export interface StepMemo {
  /** The steps of a site: those remembered, or those that `find` returns, run on the draft. */
  steps(
    site: number,
    state: State,
    find: (state: State, site: number) => readonly Step[],
  ): readonly Step[];
  /** What the steps of a site, which are remembered, depend on: as `ReadTrail.stop`. */
  looks(site: number, state: State): readonly number[];
  /** Forgets everything: memory is freed, nothing else changes. */
  forget(): void;
}

/** An empty memory over the draft of a machine. */
export function createStepMemo(draft: Draft): StepMemo {
  const { trail, memory } = draft;
  const memo = createLookMemo<readonly Step[]>(draft.part);

  function learn(
    site: number,
    state: State,
    find: (state: State, site: number) => readonly Step[],
  ): readonly Step[] {
    for (;;) {
      const linesWereWalked = memory.linesAreWalked();
      trail.start();
      const steps = find(state, site);
      const looks = trail.stop();
      // The first walk that reads a line makes lines part of what walks look at.
      if (memory.linesAreWalked() !== linesWereWalked) continue;
      memo.learn(site, looks, steps);
      return steps;
    }
  }

  return {
    forget: memo.forget,
    looks: memo.looks,
    steps: (site, state, find) => memo.get(site, state) ?? learn(site, state, find),
  };
}
