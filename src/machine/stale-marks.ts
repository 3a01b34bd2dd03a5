import type { TranslationInfo } from '../arm64/tlbi-match.ts';
import type { Memory } from './memory.ts';
import { builtFrom, MARK, type TranslationEntry } from './translation-entry.ts';

/** Whether memory holds every descriptor of the path, whatever was written in between. */
export function isCurrent(memory: Memory, mem: number, path: readonly number[]): boolean {
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

/** Whether a stale entry belongs to what the returned operation removed. */
export function isDeadAfter(
  entry: { readonly info: TranslationInfo; readonly ipaBase: bigint; readonly kind: string },
  marks: number,
  vmid: number,
  pages: readonly bigint[],
): boolean {
  if ((marks & MARK.stage2Stale) === 0 || entry.info.vmid !== vmid) return false;
  if (entry.kind === 's1-table' || entry.kind === 's1-leaf') return false;
  const bits = BigInt(entry.info.inputBits);
  return pages.some((page) => page >> bits === entry.ipaBase >> bits);
}
