import type { Draft } from './draft.ts';
import { marksAfterWrite } from './stale-marks.ts';
import { addFlags, AT, FLAG, flagsOf, get, MARK_SHIFT } from './window.ts';

/** Marks the translations in flight of a PE that were built from a cell that has been written. */
export function markInFlight(draft: Draft, pe: number, cell: number): void {
  const w = draft.window(pe);
  for (let i = 0; i < w.count; i += 1) {
    const result = get(w, i, AT.result);
    if (result < 0 || (flagsOf(w, i) & FLAG.translated) === 0) continue;
    const marks = marksAfterWrite(draft.tlbs.results.item(result), cell);
    if (marks !== 0) addFlags(w, i, marks << MARK_SHIFT);
  }
}
