import type { Memory } from './memory.ts';
import { builtFrom, covers, MARK, type TranslationEntry } from './translation-entry.ts';

/** Whether memory holds every descriptor of the path, whatever was written in between. */
function isCurrent(memory: Memory, mem: number, path: readonly number[]): boolean {
  for (let i = 0; i < path.length; i += 2) {
    const slot = memory.slot(mem, path[i] as number);
    if (slot !== (path[i + 1] as number) << 1) return false;
  }
  return true;
}

/** Marks that a write to the cell adds to what was built from it. */
export function marksAfterWrite(
  built: Pick<TranslationEntry, 'path1' | 'path2' | 'leafPath2'>,
  cell: number,
): number {
  if (!builtFrom(built.path2, cell) && !builtFrom(built.path1, cell)) return 0;
  return MARK.stale | (builtFrom(built.leafPath2, cell) ? MARK.stage2Stale : 0);
}

/** What an operation that has returned took away. */
export interface Removal {
  readonly vmid: number;
  /** The address space whose VAs `pages` are; absent: they are IPAs of the VM. */
  readonly asid?: number;
  readonly pages: readonly bigint[];
}

/**
 * Whether a stale entry belongs to what the returned operation removed: unless what it was built from is
 * what memory holds again, for such an entry translates as a walk now would.
 */
export function isDeadAfter(
  entry: Pick<TranslationEntry, 'info' | 'ipaBase' | 'kind' | 'path1' | 'leafPath2'>,
  marks: number,
  removal: Removal,
  memory: Memory,
  mem: number,
): boolean {
  return removal.asid === undefined
    ? isDeadAtStage2(entry, marks, removal) && !isCurrent(memory, mem, entry.leafPath2)
    : isDeadAtStage1(entry, marks, removal) && !isCurrent(memory, mem, entry.path1);
}

function isDeadAtStage2(
  entry: Pick<TranslationEntry, 'info' | 'ipaBase' | 'kind'>,
  marks: number,
  { vmid, pages }: Removal,
): boolean {
  if ((marks & MARK.stage2Stale) === 0 || entry.info.vmid !== vmid) return false;
  if (entry.kind === 's1-table' || entry.kind === 's1-leaf') return false;
  const bits = BigInt(entry.info.inputBits);
  return pages.some((page) => page >> bits === entry.ipaBase >> bits);
}

/** A table entry that leads to a removed page is as dead as a leaf: what is walked through it is old. */
function isDeadAtStage1(
  { info }: Pick<TranslationEntry, 'info'>,
  marks: number,
  { vmid, asid, pages }: Removal,
): boolean {
  if ((marks & MARK.stale) === 0 || info.vmid !== vmid || info.stages === 's2') return false;
  if (info.asid !== null && info.asid !== asid) return false;
  return pages.some((page) => covers(info, page));
}
