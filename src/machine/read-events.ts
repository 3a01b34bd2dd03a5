import type { State } from './state.ts';
import { KIND, type EffectInfo } from './effect-info.ts';
import { mayRead, readPending, writePending } from './local-order.ts';
import { isLine } from './memory.ts';
import { addFlags, AT, FLAG, flagsOf, get, set, type Window } from './window.ts';
import { EVENT } from './transition.ts';
import type { StepContext } from './step-context.ts';
import type { AccessFacts } from './access-facts.ts';
import { isExclusive, type StoreData } from './store-data.ts';
import type { Effect } from '../program/effect.ts';

/** The explicit read of an access: from an earlier store of its own PE, from memory, from a cache. */
export interface ReadEvents {
  reads(state: State, pe: number, w: Window, j: number): void;
}

/** Read events of one machine. */
export function createReadEvents(
  step: StepContext,
  facts: AccessFacts,
  { dataOf }: StoreData,
): ReadEvents {
  const { setup, draft, broken, begin, emit, answer } = step;
  const { memory, tlbs } = draft;
  const { noteAccess, noteContent, noteFetch, noteRead } = facts;

  function reads(state: State, pe: number, w: Window, j: number): void {
    const info = w.infos[j] as EffectInfo;
    const flags = flagsOf(w, j);
    const cell = get(w, j, AT.cell);
    if (cell < 0 || (info.translated && (flags & FLAG.translated) === 0)) return;
    if (!mayRead(w, j)) return;
    if (info.effect.kind === 'load' && info.effect.translatesFor !== undefined) {
      performRead(state, pe, j, memory.valueId(memory.addressOf(cell)), 0, -1);
      return;
    }
    const isAcquire = info.acquire;
    // Forward from the youngest earlier store to the location that is not yet visible.
    for (let i = j - 1; i >= 0; i -= 1) {
      if (!writePending(w, i) || get(w, i, AT.cell) !== cell) continue;
      if (broken?.has('no-forwarding')) return;
      const from = w.infos[i] as EffectInfo;
      // aob: an acquire comes after the read of the atomic whose write it takes its value from.
      const forwards = !isAcquire || atomicReadDone(w, i);
      if (from.kind === KIND.rmw) {
        if (forwards) forwardFromAtomic(state, pe, w, i, j);
        // A compare that is going to fail writes nothing: the load may look past it.
        if (from.effect.kind === 'rmw' && from.effect.compare !== undefined) {
          draft.load(state);
          draft.window(pe);
          continue;
        }
        return;
      }
      if (!forwards || from.data === null) return;
      if (from.translated && (flagsOf(w, i) & FLAG.translated) === 0) return;
      const value = draft.evaluate(pe, from.data);
      if (value === undefined) return;
      performRead(state, pe, j, memory.valueId(value), i + 1, -1);
      return;
    }
    if (readWouldBeIncoherent(w, j, cell)) return;
    const fetches = info.kind === KIND.fetch && !broken?.has('fetch-sees-memory');
    if (fetches && setup.instructionCache === 'modelled') {
      for (const value of draft.fetchable(pe, cell)) performRead(state, pe, j, value, 0, value);
      return;
    }
    const slot = draft.slot(cell);
    if (!isLine(slot)) {
      performRead(state, pe, j, slot >> 1, 0, -1);
      return;
    }
    const line = memory.line(slot);
    const result = get(w, j, AT.result);
    const bypasses = result >= 0 && tlbs.results.item(result).bypassesCache;
    if (bypasses && !broken?.has('bypass-ignored')) {
      performRead(state, pe, j, line.poc, 0, -1);
    } else if (line.dirty >= 0) performRead(state, pe, j, line.dirty, 0, -1);
    else for (const value of line.clean) performRead(state, pe, j, value, 0, value);
  }

  /** A later read of the location took something older than what `j` would read now. */
  function readWouldBeIncoherent(w: Window, j: number, cell: number): boolean {
    if (broken?.has('loads-go-back')) return false;
    for (let k = j + 1; k < w.count; k += 1) {
      if (get(w, k, AT.cell) !== cell) continue;
      const flags = flagsOf(w, k);
      if ((flags & FLAG.read) !== 0 && (flags & FLAG.superseded) !== 0) return true;
    }
    return false;
  }

  /** The read half of an atomic, or of the pair that a store-exclusive closes; plain stores have none. */
  function atomicReadDone(w: Window, i: number): boolean {
    const from = w.infos[i] as EffectInfo;
    if (from.kind === KIND.rmw) return !readPending(w, i);
    if (!isExclusive(from)) return true;
    for (let k = i - 1; k >= 0; k -= 1) {
      const { effect } = w.infos[k] as EffectInfo;
      if (effect.kind === 'load' && effect.exclusive) return !readPending(w, k);
    }
    return true;
  }

  /** A load may take what an earlier atomic of its PE is going to write, once that is known. */
  function forwardFromAtomic(state: State, pe: number, w: Window, i: number, j: number): void {
    const { effect } = w.infos[i] as EffectInfo;
    const guessed =
      effect.kind === 'rmw' && effect.written !== undefined
        ? draft.evaluate(pe, effect.written)
        : undefined;
    const value = guessed ?? (readPending(w, i) ? undefined : dataOf(pe, w, i));
    if (value === undefined || value === null) return;
    performRead(state, pe, j, memory.valueId(value), i + 1, -1);
  }

  function performRead(
    state: State,
    pe: number,
    j: number,
    fullValueId: number,
    source: number,
    choice: number,
  ): void {
    begin(state);
    const w = draft.window(pe);
    const info = w.infos[j] as EffectInfo;
    const valueId = narrowed(info.effect, fullValueId);
    set(w, j, AT.value, valueId);
    set(w, j, AT.source, source);
    addFlags(w, j, FLAG.read);
    if (!info.writes) set(w, j, AT.obligations, 0);
    // Nothing was read at the location, so nothing is ordered with other reads of it.
    if (info.effect.kind === 'load' && info.effect.translatesFor !== undefined) {
      set(w, j, AT.cell, -1);
    }
    noteAccess(pe, w, j);
    noteContent(pe, w, j, valueId);
    noteFetch(pe, w, j, valueId);
    if (source === 0) noteRead(pe, w, j, valueId);
    if (knowsItsResult(info)) {
      const wanted = info.stops;
      answer(pe, w, j, wanted ? { kind: 'value', value: memory.value(valueId) } : { kind: 'done' });
    }
    emit(pe, j, EVENT.read, choice);
  }

  /**
   * Whether the thread goes on with the value from the read on. An atomic has its result before its write
   * is performed, and what follows does not wait for that; but one that compares with what is not known
   * yet may still find that it must not write.
   */
  function knowsItsResult({ effect }: EffectInfo): boolean {
    return effect.kind !== 'rmw' || effect.compare === undefined || effect.compare.kind === 'const';
  }

  /** The bytes an access is for. */
  function narrowed(effect: Effect, valueId: number): number {
    if (!('bytes' in effect) || effect.bytes === 8) return valueId;
    return memory.valueId(BigInt.asUintN(effect.bytes * 8, memory.value(valueId)));
  }

  return { reads };
}
