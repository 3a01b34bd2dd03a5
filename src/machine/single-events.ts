import { cleanedAndInvalidated, invalidated, writtenBack } from './cache-line.ts';
import { LEDGER_SLOTS } from './ledger.ts';
import type { State } from './state.ts';
import type { EffectInfo } from './effect-info.ts';
import { announce } from './announcements.ts';
import { isCompleteButForXs, issueTlbi } from './invalidation.ts';
import { mayFire } from './local-order.ts';
import type { Memory } from './memory.ts';
import { addFlags, AT, FLAG, flagsOf, get, type Window } from './window.ts';
import { EVENT } from './transition.ts';
import type { StepContext } from './step-context.ts';
import type { Visibility } from './visibility.ts';
import type { DeliveryEvents } from './delivery-events.ts';
import { tlbi } from '../arm64/tlbi.ts';
import type { Answer, Context, Effect } from '../program/effect.ts';
import { undefinedNxs, undefinedTlbi, undefinedWrite } from './undefined.ts';

const AFTER_DC = {
  civac: cleanedAndInvalidated,
  cvac: writtenBack,
  // To the point of unification, which may lie before the one where accesses past the caches look.
  cvau: (_memory: Memory, slot: number) => slot,
  ivac: invalidated,
} as const;

/** Effects that are one event: barriers, TLBI issue, maintenance, register writes, locks, pages. */
export interface SingleEvents {
  fires(state: State, pe: number, w: Window, j: number): void;
  guess(state: State, pe: number, j: number): void;
}

/** Single-event effects of one machine. */
export function createSingleEvents(
  step: StepContext,
  { changePoc, reclose, zeroPage }: Visibility,
  { deliverEverywhere }: DeliveryEvents,
): SingleEvents {
  const { setup, draft, features, broken, watch, peCount, begin, emit, answer, note } = step;
  const { memory, tlbs } = draft;

  function fires(state: State, pe: number, w: Window, j: number): void {
    const info = w.infos[j] as EffectInfo;
    if (!mayFire(w, j)) return;
    const { effect } = info;
    switch (effect.kind) {
      case 'tlbi': {
        const operand = draft.evaluate(pe, effect.operand);
        if (operand === undefined) return;
        const contexts = [draft.context(pe)];
        if (draft.pendingContext(pe) !== 0) contexts.push(draft.pendingContext(pe));
        for (const context of contexts) {
          begin(state);
          noteUndefined(
            pe,
            `TLBI ${effect.op}`,
            undefinedTlbi(tlbi(effect.op), elOf(pe), features),
          );
          if (!issueTlbi(draft, pe, j, info, operand, context, features, step.facts())) return;
          if (broken?.has('tlbi-at-once')) deliverEverywhere(get(draft.window(pe), j, AT.value));
          emit(pe, j, EVENT.fire, context);
        }
        return;
      }
      case 'choose':
        for (let option = 0; option < effect.options; option += 1) {
          fire(state, pe, j, option, { kind: 'value', value: BigInt(option) });
        }
        return;
      case 'dsb':
        if (broken?.has('any-dsb-completes') && somethingIsIssued()) return;
        if (effect.nXS && !isCompleteButForXs(draft, pe, j, effect.domain)) return;
        fire(state, pe, j, -1, { kind: 'done' });
        return;
      case 'lock':
        if (draft.touchGhost().lockOwner(effect.lock) >= 0) return;
        fire(state, pe, j, -1, { kind: 'done' });
        return;
      default:
        fire(state, pe, j, -1, { kind: 'done' });
    }
  }

  function somethingIsIssued(): boolean {
    for (let slot = 0; slot < LEDGER_SLOTS; slot += 1) if (draft.slotIssuer(slot) >= 0) return true;
    return false;
  }

  /** The effects that happen in one event. */
  function fire(state: State, pe: number, j: number, choice: number, with_: Answer): void {
    begin(state);
    const w = draft.window(pe);
    const info = w.infos[j] as EffectInfo;
    addFlags(w, j, FLAG.fired);
    const reply = perform(pe, w, j, info.effect);
    if (reply === 'impossible') return;
    answer(pe, w, j, reply ?? with_);
    // Nothing is fetched behind a choice before it is made, so this is the last instance.
    if (info.effect.kind === 'choose' && info.effect.detached === true) w.count -= 1;
    emit(pe, j, EVENT.fire, choice);
  }

  function perform(pe: number, w: Window, j: number, effect: Effect): Answer | 'impossible' | null {
    if (features.erratumRepeatTlbi && goesOn(effect)) overdue();
    switch (effect.kind) {
      case 'dsb':
        if (effect.nXS) noteUndefined(pe, 'DSB nXS', undefinedNxs(features));
        return null;
      case 'isb':
        synchronise(pe, null);
        return null;
      case 'exception-entry':
        synchronise(pe, effect.toEl);
        return null;
      case 'exception-return': {
        synchronise(pe, effect.toEl);
        const { vmid } = tlbs.contexts.context(draft.context(pe));
        if (effect.toHost === true && vmid !== 0) note({ kind: 'host-under-vmid', pe, vmid });
        return null;
      }
      case 'context': {
        const pending = draft.pendingContext(pe);
        const from = tlbs.contexts.context(pending !== 0 ? pending : draft.context(pe));
        const next = tlbs.contexts.id({ ...from, ...effect.change });
        noteUndefined(pe, 'a write of VTTBR_EL2', undefinedWrite(effect.change, elOf(pe)));
        if (broken?.has('context-at-once')) draft.setContexts(pe, next, 0);
        else draft.setContexts(pe, draft.context(pe), next);
        reclose(pe);
        watch.lookAgain(pe, step.facts());
        return null;
      }
      case 'dc': {
        const cell = get(w, j, AT.cell);
        if (cell < 0) return 'impossible';
        const slot = draft.slot(cell);
        const after = AFTER_DC[effect.op](memory, slot);
        if (after !== slot) changePoc(cell, slot, after);
        return null;
      }
      case 'ic':
        invalidateIcaches(pe, effect.op, get(w, j, AT.cell));
        return null;
      case 'lock':
        draft.touchGhost().setLockOwner(effect.lock, pe);
        return null;
      case 'unlock':
        draft.touchGhost().setLockOwner(effect.lock, -1);
        return null;
      case 'alloc-page': {
        const ghost = draft.touchGhost();
        const page = ghost.freePage();
        if (page < 0) return 'impossible';
        const { base } = ghost.page(page);
        ghost.setPage(page, effect.use, null, false);
        zeroPage(base);
        return { kind: 'value', value: base };
      }
      case 'free-page': {
        const ghost = draft.touchGhost();
        const page = ghost.pageOf(effect.page);
        if (page >= 0) {
          ghost.setPage(page, 'free', null, false);
          for (let other = 0; other < peCount; other += 1) watch.look(other, -1, step.facts());
        }
        return null;
      }
      case 'announce':
        announce(draft, setup, pe, effect.fact, step.facts);
        return null;
      default:
        return null;
    }
  }

  function elOf(pe: number): Context['el'] {
    return tlbs.contexts.context(draft.context(pe)).el;
  }

  function noteUndefined(pe: number, instruction: string, reason: string | null): void {
    if (reason !== null) note({ kind: 'undefined-instruction', pe, instruction, reason });
  }

  /** From EL1 a VPIPT cache gives up only lines of the VMID in force; from EL2 all of them. */
  function invalidateIcaches(pe: number, op: 'iallu' | 'ialluis' | 'ivau', cell: number): void {
    const context = tlbs.contexts.context(draft.context(pe));
    const onlyVmid = context.el === 2 ? null : context.vmid;
    for (let other = 0; other < peCount; other += 1) {
      if (op === 'iallu' && other !== pe) continue;
      draft.invalidateIcache(other, op === 'ivau' ? cell : -1, onlyVmid);
    }
  }

  function synchronise(pe: number, el: 0 | 1 | 2 | null): void {
    const pending = draft.pendingContext(pe);
    const keeps = broken?.has('context-never') === true;
    let context = pending !== 0 && !keeps ? pending : draft.context(pe);
    if (el !== null) {
      context = tlbs.contexts.id({ ...tlbs.contexts.context(context), el });
    }
    if (pending === 0 && context === draft.context(pe)) return;
    draft.setContexts(pe, context, keeps ? pending : 0);
    reclose(pe);
    watch.lookAgain(pe, step.facts());
  }

  /** Effects with which software goes on after its maintenance, and so relies on it. */
  function goesOn({ kind }: Effect): boolean {
    return kind === 'dc' || kind === 'unlock' || kind === 'announce' || kind === 'free-page';
  }

  /** Erratum: the maintenance is taken for the completion of accesses that nothing waited for. */
  function overdue(): void {
    for (let pe = 0; pe < peCount; pe += 1) {
      const w = draft.window(pe);
      for (let i = 0; i < w.count; i += 1) {
        if ((flagsOf(w, i) & FLAG.owed) !== 0) addFlags(w, i, FLAG.overdue);
      }
    }
  }

  function guess(state: State, pe: number, j: number): void {
    for (const taken of [0, 1]) {
      begin(state);
      const w = draft.window(pe);
      addFlags(w, j, FLAG.guessed | (taken === 1 ? FLAG.guessTaken : 0));
      answer(pe, w, j, { kind: 'value', value: BigInt(taken) });
      emit(pe, j, EVENT.guess, taken);
    }
  }

  return { fires, guess };
}
