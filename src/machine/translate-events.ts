import type { State } from './state.ts';
import { KIND, type EffectInfo, type ThreadEffects } from './effect-info.ts';
import { mayFaultUnderEts, mayRaiseFault, mayTranslate, writePending } from './local-order.ts';
import { plainSlot } from './memory.ts';
import { MARK_BITS } from './translation-entry.ts';
import { addFlags, AT, FLAG, flagsOf, get, MARK_SHIFT, set, type Window } from './window.ts';
import { EVENT } from './transition.ts';
import type { StepContext } from './step-context.ts';

/** The T event of an access, and the fault event of one whose translation failed. */
export interface TranslateEvents {
  translations(state: State, pe: number, w: Window, j: number): void;
  faults(state: State, pe: number, w: Window, j: number): void;
}

/** Translation events of one machine. */
export function createTranslateEvents(step: StepContext): TranslateEvents {
  const { draft, features, broken, begin, emit, note } = step;
  const { memory, tlbs, threads } = draft;
  const ets = broken?.has('ets-ignored') ? 'none' : features.ets;

  function translations(state: State, pe: number, w: Window, j: number): void {
    const info = w.infos[j] as EffectInfo;
    if (!mayTranslate(w, j, ets)) return;
    const va = draft.address(pe, j);
    if (va === undefined) return;
    const contexts = [draft.context(pe)];
    if (draft.pendingContext(pe) !== 0) contexts.push(draft.pendingContext(pe));
    const set_ = draft.tlb(pe);
    const memoryIds = [draft.walkedMemory(), ...memoryWithOwnStores(pe, w, j)];
    for (const context of contexts)
      for (const memoryId of memoryIds) {
        const c = tlbs.contexts.context(context);
        if (c.el === 2 || (c.stage1 === null && c.stage2 === null)) {
          // No translation under test: the address is physical.
          begin(state);
          const v = draft.window(pe);
          set(v, j, AT.cell, memory.cellOf(va));
          addFlags(v, j, FLAG.translated);
          emit(pe, j, EVENT.translate, -1);
          continue;
        }
        for (const choice of tlbs.translate(
          set_,
          memoryId,
          context,
          va,
          info.access,
          info.unprivileged || c.el === 0,
        )) {
          begin(state);
          const v = draft.window(pe);
          const result = tlbs.results.item(choice.result);
          if (result.fault !== null) {
            if (!mayFaultUnderEts(v, j, ets, result.uncacheableFault)) continue;
            if (hasLeftMark(v, j)) continue;
            v.count = j + 1;
            v.head = (threads[pe] as ThreadEffects).next(get(v, j, AT.node), {
              kind: 'fault',
              fault: result.fault,
            });
            addFlags(v, j, FLAG.faulted);
            note({
              kind: 'fault-taken',
              pe,
              cause: result.fault.cause,
              stage: result.fault.stage,
              address: result.fault.address,
            });
          } else set(v, j, AT.cell, result.cell);
          set(v, j, AT.result, choice.result);
          set(v, j, AT.translationObligations, 0);
          addFlags(
            v,
            j,
            FLAG.translated |
              (choice.marks << MARK_SHIFT) |
              (result.update === null || broken?.has('no-hardware-update')
                ? 0
                : FLAG.updatePending),
          );
          emit(pe, j, EVENT.translate, (choice.result << MARK_BITS) | choice.marks);
        }
      }
  }

  /**
   * Whether an instance after `j` has already done something that cannot be undone: then `j` cannot
   * fault any more in this run.
   */
  function hasLeftMark(w: Window, j: number): boolean {
    for (let i = j + 1; i < w.count; i += 1) {
      const { kind } = w.infos[i] as EffectInfo;
      const irrevocable = kind === KIND.tlbi || kind === KIND.ic || kind === KIND.dc;
      if (irrevocable && (flagsOf(w, i) & FLAG.fired) !== 0) return true;
    }
    return false;
  }

  /** For the fault `store-forwards-to-walk`: memory after the PE's earlier stores. */
  function memoryWithOwnStores(pe: number, w: Window, j: number): readonly number[] {
    if (!broken?.has('store-forwards-to-walk')) return [];
    let id = draft.memoryId();
    for (let i = 0; i < j; i += 1) {
      const data = (w.infos[i] as EffectInfo).data;
      const cell = get(w, i, AT.cell);
      const value = data === null ? undefined : draft.evaluate(pe, data);
      if (cell < 0 || value === undefined || !writePending(w, i)) continue;
      id = memory.withSlot(id, cell, plainSlot(memory.valueId(value)));
    }
    return id === draft.memoryId() ? [] : [id];
  }

  function faults(state: State, pe: number, w: Window, j: number): void {
    if (!mayRaiseFault(w, j)) return;
    begin(state);
    const v = draft.window(pe);
    addFlags(v, j, FLAG.faultDone);
    set(v, j, AT.obligations, 0);
    emit(pe, j, EVENT.fault, -1);
  }

  return { translations, faults };
}
