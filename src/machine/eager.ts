import type { State } from './state.ts';
import { KIND, type EffectInfo } from './effect-info.ts';
import { deliver } from './invalidation.ts';
import { readPending, translationPending } from './local-order.ts';
import { AT, FLAG, flagsOf, get, type Window } from './window.ts';
import { EVENT } from './transition.ts';
import type { StepContext } from './step-context.ts';
import type { TranslateEvents } from './translate-events.ts';
import type { ReadEvents } from './read-events.ts';
import type { SingleEvents } from './single-events.ts';

/** Which steps may be explored alone: docs/reduction.md. */
export interface Eager {
  /**
   * One PE's next step that commutes with everything any other agent can do before it, and that takes
   * nothing away from its own PE: a completed barrier, an issued TLBI, a fault event, a released
   * lock; or all options of a choice the PE is waiting for.
   */
  eagerAt(state: State, pe: number): void;
  /** A delivery that changes nothing and holds nothing up. */
  eagerDelivery(state: State, slot: number, pe: number): void;
}

/** The eager steps of one machine. */
export function createEager(
  step: StepContext,
  { faults }: TranslateEvents,
  { reads }: ReadEvents,
  { fires, guess }: SingleEvents,
): Eager {
  const { setup, draft, features, out, begin, emit } = step;
  const { memory } = draft;

  function eagerAt(state: State, pe: number): void {
    draft.load(state);
    const { count } = draft.window(pe);
    for (let j = 0; j < count; j += 1) {
      draft.load(state);
      const w = draft.window(pe);
      const info = w.infos[j] as EffectInfo;
      const flags = flagsOf(w, j);
      if ((flags & FLAG.faulted) !== 0) {
        if ((flags & FLAG.faultDone) === 0) faults(state, pe, w, j);
      } else if (info.kind === KIND.branch || info.kind === KIND.select) {
        if ((flags & (FLAG.guessed | FLAG.fired)) === 0) guess(state, pe, j);
      } else if ((flags & FLAG.fired) === 0 && isEagerEffect(pe, w, j)) fires(state, pe, w, j);
      else if (info.kind === KIND.load && readPending(w, j) && isProtectedRead(pe, w, j)) {
        reads(state, pe, w, j);
      }
      if (out.length > 0) return;
    }
  }

  function eagerDelivery(state: State, slot: number, pe: number): void {
    // Under the erratum a later delivery may leave an access owed, so an early one is not the worst.
    if (features.erratumRepeatTlbi) return;
    begin(state);
    const before = draft.tlb(pe);
    const holdsUp = deliver(draft, slot, pe, false);
    draft.closeTlb(pe);
    if (!holdsUp && draft.tlb(pe) === before) emit(pe, slot, EVENT.deliver, -1);
  }

  function isEagerEffect(pe: number, w: Window, j: number): boolean {
    const { effect } = w.infos[j] as EffectInfo;
    switch (effect.kind) {
      case 'dsb':
      case 'unlock':
        return !features.erratumRepeatTlbi;
      case 'choose':
        return true;
      case 'isb':
        // With a register write pending, walks still use both contexts until this happens.
        return draft.pendingContext(pe) === 0;
      case 'exception-entry':
      case 'exception-return':
        return draft.pendingContext(pe) === 0 && features.readingFillOutOfContext;
      case 'tlbi':
        // Once it is issued no earlier instance can fault any more (`hasLeftMark`).
        for (let i = 0; i < j; i += 1) if (translationPending(w, i)) return false;
        return draft.pendingContext(pe) === 0;
      case 'announce':
        return effect.fact.kind === 'operation-begins' || effect.fact.kind === 'content-relied-on';
      default:
        return false;
    }
  }

  /**
   * A read of a table word by a PE that holds a lock: the words of tables are only written under the
   * lock, which the rule `tables-change-under-lock` checks in the same search.
   */
  function isProtectedRead(pe: number, w: Window, j: number): boolean {
    const { effect } = w.infos[j] as EffectInfo;
    if (effect.kind !== 'load' || effect.at.kind !== 'physical') return false;
    // With several locks, holding one says nothing about who may hold the other.
    if (setup.locks.length > 1) return false;
    // Its own PE may do these first: then the read sees a page that is free, or what others write without
    // the lock.
    for (let i = 0; i < j; i += 1) {
      const { kind } = w.infos[i] as EffectInfo;
      const changesPages = kind === KIND['free-page'] || kind === KIND['alloc-page'];
      if ((changesPages || kind === KIND.unlock) && (flagsOf(w, i) & FLAG.fired) === 0)
        return false;
    }
    const ghost = draft.touchGhost();
    if (ghost.locksHeld(pe) === 0) return false;
    const page = ghost.pageOf(memory.addressOf(get(w, j, AT.cell)));
    return page >= 0 && ghost.page(page).use === 'table';
  }

  return { eagerAt, eagerDelivery };
}
