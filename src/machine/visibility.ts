import { cacheableWrite } from './cache-line.ts';
import { markInFlight } from './mark-in-flight.ts';
import { isLine } from './memory.ts';
import { addFlags, AT, FLAG, flagsOf, get, set } from './window.ts';
import type { StepContext } from './step-context.ts';

/** When a write becomes visible, and what follows from it at once for every PE. */
export interface Visibility {
  /** A write becomes visible: to all observers at once, walkers included. */
  makeVisible(writer: number, index: number, cell: number, slot: number): void;
  /** A dirty line reaches the PoC. */
  changePoc(cell: number, before: number, after: number): void;
  /** The allocator zeroes a page. */
  zeroPage(base: bigint): void;
  /** Another PE is between the halves of an atomic on the location. */
  lockedByAtomic(pe: number, cell: number): boolean;
  /** Closes what a PE may hold, and looks at what that shows. */
  reclose(pe: number): void;
}

/** Visibility of writes in one machine. */
export function createVisibility(step: StepContext): Visibility {
  const { draft, watch, peCount, broken } = step;
  const { memory, tlbs } = draft;

  /** A write becomes visible: to all observers at once, walkers included. */
  function makeVisible(writer: number, index: number, cell: number, slot: number): void {
    draft.setSlot(cell, slot);
    for (let pe = 0; pe < peCount; pe += 1) {
      if (draft.hasRead(pe, cell)) supersede(pe, writer, index, cell);
      if (!isLine(slot) && draft.hasBuiltFrom(pe, cell)) markInFlight(draft, pe, cell);
    }
    if (isLine(slot)) {
      for (let pe = 0; pe < peCount; pe += 1) draft.closeIcache(pe);
      return;
    }
    for (let pe = 0; pe < peCount; pe += 1) {
      const before = draft.tlb(pe);
      draft.setTlb(pe, tlbs.markStale(before, cell));
      draft.closeTlb(pe);
      watch.look(pe, before, step.facts());
    }
  }

  /** Reads of the cell have taken an older value than the write; what was forwarded from it has not. */
  function supersede(pe: number, writer: number, index: number, cell: number): void {
    const w = draft.window(pe);
    for (let i = 0; i < w.count; i += 1) {
      if (get(w, i, AT.cell) !== cell || (flagsOf(w, i) & FLAG.read) === 0) continue;
      const source = get(w, i, AT.source);
      if (source === 0) {
        if (pe !== writer || i !== index) addFlags(w, i, FLAG.superseded);
      } else if (pe === writer && source - 1 === index) set(w, i, AT.source, 0);
    }
  }

  /**
   * A dirty line reaches the PoC. One observer of the PoC sees its values in order (CoRR), so reads
   * past the cache that took the older value are out of date from here on.
   */
  function changePoc(cell: number, before: number, after: number): void {
    draft.setSlot(cell, after);
    if (!isLine(before) || memory.line(before).poc === memory.line(after).poc) return;
    for (let pe = 0; pe < peCount; pe += 1) {
      if (!draft.hasRead(pe, cell)) continue;
      const w = draft.window(pe);
      for (let i = 0; i < w.count; i += 1) {
        if (get(w, i, AT.cell) !== cell || (flagsOf(w, i) & FLAG.read) === 0) continue;
        const result = get(w, i, AT.result);
        if (result >= 0 && tlbs.results.item(result).bypassesCache) addFlags(w, i, FLAG.superseded);
      }
    }
  }

  /** The allocator zeroes a page before it hands it out; here in one step (docs/limits.md). */
  function zeroPage(base: bigint): void {
    const ghost = draft.touchGhost();
    const page = ghost.pageOf(base);
    const zero = memory.valueId(0n);
    for (let cell = 0; cell < draft.cellCount(); cell += 1) {
      if (ghost.pageOf(memory.addressOf(cell)) !== page) continue;
      const slot = draft.slot(cell);
      const cleared = cacheableWrite(memory, slot, zero);
      if (cleared !== slot) makeVisible(-1, -1, cell, cleared);
    }
  }

  /** Another PE is between the halves of an atomic on the location. */
  function lockedByAtomic(pe: number, cell: number): boolean {
    if (broken?.has('split-atomics')) return false;
    for (let other = 0; other < peCount; other += 1) {
      if (other !== pe && draft.isMidAtomic(other, cell)) return true;
    }
    return false;
  }

  function reclose(pe: number): void {
    const before = draft.tlb(pe);
    draft.closeTlb(pe);
    watch.look(pe, before, step.facts());
  }

  return { makeVisible, changePoc, zeroPage, lockedByAtomic, reclose };
}
