import type { TranslationInfo } from '../arm64/tlbi-match.ts';
import type { MemoryType } from '../arm64/attributes.ts';
import type { Permissions, TableRestrictions } from '../arm64/permissions.ts';
import type { IdTables } from '../util/id-tables.ts';
import type { Interner } from '../util/interner.ts';

/**
 * One thing a TLB-like structure of a PE may hold, with the descriptors it was built from.
 *
 * - `s1-table`: a stage-1 walk-cache entry; `output` is the PA of the next table, already through
 *   stage 2 where that is on, so it holds stage-2 information as well;
 * - `s1-leaf`: VA to IPA (to PA when stage 2 is off);
 * - `s2-table`: a stage-2 walk-cache entry; `output` is the PA of the next table;
 * - `s2-leaf`: IPA to PA;
 * - `combined`: VA to PA through both stages; also when stage 1 is off (D8.17.6.1).
 */
export interface TranslationEntry {
  readonly kind: 's1-table' | 's1-leaf' | 's2-table' | 's2-leaf' | 'combined';
  /** How invalidations see it. */
  readonly info: TranslationInfo;
  /** Address of the next table, or the output address of the first byte covered. */
  readonly output: bigint;
  /** For `combined`: the IPA of the first byte covered. */
  readonly ipaBase: bigint;
  /** Descriptors of stage 1 it was built from: cell, value id, cell, value id ... */
  readonly path1: readonly number[];
  /** Descriptors of stage 2 it was built from, those of walks to stage-1 tables included. */
  readonly path2: readonly number[];
  /** The part of `path2` that translates the output of stage 1 itself; empty for stage-1 entries. */
  readonly leafPath2: readonly number[];
  /** The leaf descriptors with their levels, where there are any. */
  readonly leaf1: LeafDescriptor | null;
  readonly leaf2: LeafDescriptor | null;
  /** Restrictions collected from table descriptors of stage 1. */
  readonly restrictions: TableRestrictions;
  /** What stage 1 asks for (`s1-leaf`), or the final memory type (`combined`, `s1-leaf` alone). */
  readonly memoryType: MemoryType;
  readonly permissions: Permissions;
  /** What stage 1 alone permits, to tell which stage a permission fault belongs to. */
  readonly stage1Permissions: Permissions;
}

export interface LeafDescriptor {
  readonly bits: bigint;
  readonly level: number;
}

/**
 * What is known of an entry beside its contents. An entry in a set is `id << MARK_BITS | marks`; what is
 * derived from an entry inherits its marks.
 */
export const MARK = {
  /** One of its descriptors is no longer current (cf. R_WWQZZ: old information). */
  stale: 1,
  /** A stage-2 descriptor for its own output is no longer current. */
  stage2Stale: 2,
  /** The operation that removed it has returned: nothing may use it any more. */
  dead: 4,
  /** The operation that took away its right to write has returned. */
  writeRevoked: 8,
} as const;

/** Bits that marks take in a marked entry. */
export const MARK_BITS = 4;
const MARK_MASK = 15;

/** An entry with its marks, as one integer. */
export function markedEntry(id: number, marks: number): number {
  return (id << MARK_BITS) | marks;
}

/** Entry id of a marked entry. */
export function entryId(code: number): number {
  return code >> MARK_BITS;
}

/** Marks of a marked entry. */
export function marksOf(code: number): number {
  return code & MARK_MASK;
}

/** Entries by content: the same content is the same id, whenever it was built. */
export type EntryTable = Interner<TranslationEntry> & {
  readonly add: (entry: TranslationEntry) => number;
};

/** An empty table of entries. */
export function entryTable(ids: IdTables): EntryTable {
  const table = ids.interner<TranslationEntry>();
  return {
    ...table,
    add(entry) {
      const { info } = entry;
      const key = `${entry.kind},${info.vmid},${info.asid},${info.level},${info.inputBase},${info.inputBits},${entry.output},${entry.ipaBase};${entry.path1.join(',')};${entry.path2.join(',')}`;
      return table.id(key, () => entry);
    },
  };
}

/** Whether the entry was built from this cell. */
export function builtFrom(path: readonly number[], cell: number): boolean {
  for (let i = 0; i < path.length; i += 2) if (path[i] === cell) return true;
  return false;
}

/** Whether the entry translates this input address. */
export function covers(info: TranslationInfo, input: bigint): boolean {
  return input >> BigInt(info.inputBits) === info.inputBase >> BigInt(info.inputBits);
}
