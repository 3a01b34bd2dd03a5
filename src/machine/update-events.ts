import type { State } from './state.ts';
import { mayUpdate } from './local-order.ts';
import { plainSlot } from './memory.ts';
import { MARK } from './translation-entry.ts';
import { AT, clearFlags, FLAG, flagsOf, get, MARK_SHIFT, type Window } from './window.ts';
import { EVENT } from './transition.ts';
import type { StepContext } from './step-context.ts';
import type { Visibility } from './visibility.ts';

/** Hardware updates of descriptors: for an access, or for a walk nobody asked for (FEAT_HAFDBS). */
export interface UpdateEvents {
  updates(state: State, pe: number, w: Window, j: number): void;
  spontaneousUpdates(state: State): void;
}

/** Hardware updates in one machine. */
export function createUpdateEvents(
  step: StepContext,
  { lockedByAtomic, makeVisible }: Visibility,
): UpdateEvents {
  const { draft, peCount, broken, begin, emit } = step;
  const { tlbs } = draft;

  function updates(state: State, pe: number, w: Window, j: number): void {
    if (!mayUpdate(w, j)) return;
    const result = tlbs.results.item(get(w, j, AT.result));
    // The read of the descriptor and the update are one atomic: nothing was written in between.
    const isStale = ((flagsOf(w, j) >> MARK_SHIFT) & MARK.stale) !== 0;
    if (result.update === null || (isStale && !broken?.has('update-brings-back'))) return;
    if (lockedByAtomic(-1, result.update.cell)) return;
    begin(state);
    const v = draft.window(pe);
    clearFlags(v, j, FLAG.updatePending);
    makeVisible(-1, -1, result.update.cell, plainSlot(result.update.valueId));
    emit(pe, j, EVENT.update, -1);
  }

  /** The access flag may be set at any time, on behalf of a walk nobody asked for. */
  function spontaneousUpdates(state: State): void {
    const done: number[] = [];
    for (let pe = 0; pe < peCount; pe += 1) {
      draft.load(state);
      for (const update of tlbs.spontaneous(
        draft.tlb(pe),
        draft.walkedMemory(),
        draft.context(pe),
      )) {
        if (done.includes(update.cell)) continue;
        done.push(update.cell);
        begin(state);
        if (lockedByAtomic(-1, update.cell)) continue;
        makeVisible(-1, -1, update.cell, plainSlot(update.valueId));
        emit(-1, update.cell, EVENT.update, -1);
      }
    }
  }

  return { updates, spontaneousUpdates };
}
