import { bypassingWrite, cacheableWrite } from './cache-line.ts';
import type { State } from './state.ts';
import { KIND, type EffectInfo } from './effect-info.ts';
import { mayWrite, updatePending } from './local-order.ts';
import { isLine } from './memory.ts';
import { addFlags, AT, clearFlags, FLAG, flagsOf, get, set, type Window } from './window.ts';
import { EVENT } from './transition.ts';
import type { StepContext } from './step-context.ts';
import type { Visibility } from './visibility.ts';
import type { AccessFacts } from './access-facts.ts';
import { isExclusive, type StoreData } from './store-data.ts';

/** The explicit write of an access. */
export interface WriteEvents {
  writes(state: State, pe: number, w: Window, j: number): void;
}

/** Write events of one machine. */
export function createWriteEvents(
  step: StepContext,
  facts: AccessFacts,
  { dataOf }: StoreData,
  { lockedByAtomic, makeVisible }: Visibility,
): WriteEvents {
  const { draft, broken, begin, emit, answer } = step;
  const { memory, tlbs } = draft;
  const { noteAccess, noteTableWrite } = facts;

  function writes(state: State, pe: number, w: Window, j: number): void {
    const info = w.infos[j] as EffectInfo;
    const cell = get(w, j, AT.cell);
    if (cell < 0 || (info.translated && (flagsOf(w, j) & FLAG.translated) === 0)) return;
    if (!mayWrite(w, j)) return;
    const data = dataOf(pe, w, j);
    if (data === undefined) return;
    if (isExclusive(info)) {
      failExclusive(state, pe, w, j);
      if (!mayStoreExclusively(w, j, cell)) return;
    }
    if (data !== null) {
      for (let k = j + 1; k < w.count; k += 1) {
        if (get(w, k, AT.cell) !== cell || (flagsOf(w, k) & FLAG.read) === 0) continue;
        const source = get(w, k, AT.source);
        if ((source === 0 || source - 1 < j) && !broken?.has('stores-after-own-loads')) return;
      }
      if (lockedByAtomic(pe, cell)) return;
      // A compare-and-swap that writes must have read what is still the last write.
      const { effect } = info;
      const conditional = effect.kind === 'rmw' && effect.compare !== undefined;
      if (conditional && (flagsOf(w, j) & FLAG.superseded) !== 0) return;
    } else if (somebodyTookValueOf(w, j)) return;
    // A compare that fails may or may not have set the dirty state.
    const mayForget = data === null && updatePending(w, j) ? [false, true] : [false];
    for (const forget of mayForget) performWrite(state, pe, j, cell, data, forget);
  }

  function somebodyTookValueOf(w: Window, j: number): boolean {
    for (let k = j + 1; k < w.count; k += 1) if (get(w, k, AT.source) === j + 1) return true;
    return false;
  }

  function performWrite(
    state: State,
    pe: number,
    j: number,
    cell: number,
    data: bigint | null,
    forgetUpdate: boolean,
  ): void {
    begin(state);
    const v = draft.window(pe);
    const info = v.infos[j] as EffectInfo;
    set(v, j, AT.obligations, 0);
    if (forgetUpdate) clearFlags(v, j, FLAG.updatePending);
    if (data === null) addFlags(v, j, FLAG.noWrite);
    else {
      const valueId = memory.valueId(data);
      addFlags(v, j, FLAG.written);
      if (info.kind === KIND.store) set(v, j, AT.value, valueId);
      noteAccess(pe, v, j);
      noteTableWrite(pe, v, j);
      const result = get(v, j, AT.result);
      const bypasses =
        result >= 0 && tlbs.results.item(result).bypassesCache && !broken?.has('bypass-ignored');
      const old = draft.slot(cell);
      if (isLine(old)) draft.touchGhost().setLastStored(cell, valueId, !info.translated);
      makeVisible(
        pe,
        j,
        cell,
        bypasses && isLine(old)
          ? bypassingWrite(memory, old, valueId)
          : cacheableWrite(memory, old, valueId),
      );
    }
    answer(
      pe,
      v,
      j,
      info.kind === KIND.rmw && info.stops
        ? { kind: 'value', value: memory.value(get(v, j, AT.value)) }
        : { kind: 'done' },
    );
    emit(pe, j, EVENT.write, forgetUpdate ? 1 : -1);
  }

  /** A store-exclusive may fail for any reason; nothing may have taken its value then. */
  function failExclusive(state: State, pe: number, w: Window, j: number): void {
    if (somebodyTookValueOf(w, j)) return;
    begin(state);
    const v = draft.window(pe);
    set(v, j, AT.obligations, 0);
    addFlags(v, j, FLAG.noWrite);
    answer(pe, v, j, { kind: 'done' });
    emit(pe, j, EVENT.write, 0);
    draft.load(state);
    draft.window(pe);
  }

  /** The store-exclusive can succeed: its load-exclusive saw what is still the last write. */
  function mayStoreExclusively(w: Window, j: number, cell: number): boolean {
    for (let i = j - 1; i >= 0; i -= 1) {
      const { effect } = w.infos[i] as EffectInfo;
      if (effect.kind === 'store' && effect.exclusive) return false;
      if (effect.kind !== 'load' || !effect.exclusive) continue;
      const flags = flagsOf(w, i);
      if ((flags & FLAG.read) === 0 || get(w, i, AT.cell) !== cell) return false;
      return (flags & FLAG.superseded) === 0 || onlyOwnWritesBetween(w, i, j, cell);
    }
    return false;
  }

  /** The PE's own plain stores between the pair do not break it. */
  function onlyOwnWritesBetween(w: Window, i: number, j: number, cell: number): boolean {
    for (let k = i + 1; k < j; k += 1) {
      if ((w.infos[k] as EffectInfo).writes && get(w, k, AT.cell) === cell) {
        return (flagsOf(w, k) & FLAG.superseded) === 0;
      }
    }
    return false;
  }

  return { writes };
}
