import type { Interner } from '../util/interner.ts';
import { marksAfterWrite } from './stale-marks.ts';
import type { ThreadEffects } from './effect-info.ts';
import type { Memory } from './memory.ts';
import type { TranslationResult } from './translation-result.ts';
import { AT, FLAG, INSTANCE_INTS } from './window.ts';

/**
 * What other agents ask of the window of a PE: small questions, whose answers change less often than the window does. The
 * instances are read where they lie, unpacked or not: `count` of them in `ints` from `from` on.
 */

/** TLBIs that wait for an access or a translation, a bit each. */
export function obligationsIn(ints: Int32Array, from: number, count: number): number {
  let mask = 0;
  for (let i = 0, at = from; i < count; i += 1, at += INSTANCE_INTS) {
    mask |=
      (ints[at + AT.obligations] as number) | (ints[at + AT.translationObligations] as number);
  }
  return mask;
}

/** Whether there is a translation of any kind. */
export function hasTranslation(ints: Int32Array, from: number, count: number): boolean {
  for (let i = 0, at = from; i < count; i += 1, at += INSTANCE_INTS) {
    if ((ints[at + AT.result] as number) >= 0) return true;
  }
  return false;
}

/** Whether an instance has read the cell. */
export function hasReadOf(ints: Int32Array, from: number, count: number, cell: number): boolean {
  for (let i = 0, at = from; i < count; i += 1, at += INSTANCE_INTS) {
    if (ints[at + AT.cell] === cell && ((ints[at + AT.flags] as number) & FLAG.read) !== 0) {
      return true;
    }
  }
  return false;
}

/** Whether there is a translation built from the cell. */
export function hasBuiltFrom(
  ints: Int32Array,
  from: number,
  count: number,
  cell: number,
  results: Interner<TranslationResult>,
): boolean {
  for (let i = 0, at = from; i < count; i += 1, at += INSTANCE_INTS) {
    const result = ints[at + AT.result] as number;
    if (result >= 0 && marksAfterWrite(results.item(result), cell) !== 0) return true;
  }
  return false;
}

/** Whether the answer to all the other questions is no, or nothing. */
export function isQuietWindow(ints: Int32Array, from: number, count: number): boolean {
  for (let i = 0, at = from; i < count; i += 1, at += INSTANCE_INTS) {
    if (((ints[at + AT.flags] as number) & FLAG.read) !== 0) return false;
  }
  return !hasTranslation(ints, from, count) && obligationsIn(ints, from, count) === 0;
}

/**
 * Whether an atomic on the cell has read and is going to write. One that compares is taken for one from
 * its read on only where what it compares with is a constant.
 */
export function isBetweenHalves(
  ints: Int32Array,
  from: number,
  count: number,
  cell: number,
  thread: ThreadEffects,
  memory: Memory,
): boolean {
  const done = FLAG.written | FLAG.noWrite | FLAG.faulted;
  for (let i = 0, at = from; i < count; i += 1, at += INSTANCE_INTS) {
    if (ints[at + AT.cell] !== cell || ints[at + AT.source] !== 0) continue;
    if (((ints[at + AT.flags] as number) & (FLAG.read | done)) !== FLAG.read) continue;
    const effect = thread.at(ints[at + AT.node] as number)?.effect;
    if (effect?.kind !== 'rmw') continue;
    const { compare } = effect;
    if (compare === undefined) return true;
    const read = memory.value(ints[at + AT.value] as number);
    if (compare.kind === 'const' && compare.value === read) return true;
  }
  return false;
}
