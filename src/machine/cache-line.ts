import { isLine, plainSlot, type Line, type Memory } from './memory.ts';

/**
 * What accesses and maintenance do to the slot of a location. A plain slot is coherent: every access
 * sees one value, and maintenance finds nothing to do.
 */

/** The slot after a cacheable write. */
export function cacheableWrite(memory: Memory, slot: number, valueId: number): number {
  if (!isLine(slot)) return plainSlot(valueId);
  const line = memory.line(slot);
  return memory.lineSlot({ poc: line.poc, dirty: valueId, clean: [] });
}

/** The slot after a write that bypasses the cache: clean copies stay and grow old. */
export function bypassingWrite(memory: Memory, slot: number, valueId: number): number {
  const line: Line = isLine(slot)
    ? memory.line(slot)
    : { poc: slot >> 1, dirty: -1, clean: [slot >> 1] };
  const clean = line.dirty >= 0 ? [] : [...new Set([...line.clean, valueId])].sort((a, b) => a - b);
  return memory.lineSlot({ poc: valueId, dirty: line.dirty, clean });
}

/** The slot after a dirty line has been written back; the same slot when it is not dirty. */
export function writtenBack(memory: Memory, slot: number): number {
  if (!isLine(slot)) return slot;
  const line = memory.line(slot);
  if (line.dirty < 0) return slot;
  return memory.lineSlot({ poc: line.dirty, dirty: -1, clean: [line.dirty] });
}

/** The slot after clean and invalidate: no copy survives, a fill may follow at once. */
export function cleanedAndInvalidated(memory: Memory, slot: number): number {
  if (!isLine(slot)) return slot;
  const line = memory.line(slot);
  const value = line.dirty >= 0 ? line.dirty : line.poc;
  return memory.lineSlot({ poc: value, dirty: -1, clean: [value] });
}

/**
 * The slot after an invalidation alone: a dirty value is lost. Hardware may clean as well, which is a
 * write-back just before.
 */
export function invalidated(memory: Memory, slot: number): number {
  if (!isLine(slot)) return slot;
  const { poc } = memory.line(slot);
  return memory.lineSlot({ poc, dirty: -1, clean: [poc] });
}
