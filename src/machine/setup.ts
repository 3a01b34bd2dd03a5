import type { Context } from '../program/effect.ts';
import type { ThreadTree } from '../program/thread-tree.ts';

/**
 * Everything that fixes a machine before its first step: plain data, made by a scenario (host code
 * under test) or by a litmus front end. Both run on the same step function.
 */
export interface MachineSetup {
  /** One thread per PE; the index is the PE number. */
  readonly threads: readonly ThreadSetup[];
  readonly translation: TranslationSetup;
  /** 64-bit words with a known initial value; any other word reads as 0. */
  readonly memory: readonly MemoryWord[];
  /** Pages whose use and owner the rules watch, and those the allocator hands out. */
  readonly pages: readonly PageSetup[];
  /** Locks, by name; an effect names a lock by its index here. */
  readonly locks: readonly string[];
  /**
   * Input addresses whose translations may be cached: the VAs that some access or fetch of the
   * scenario can use. A translation nobody can use is not worth tracking.
   */
  readonly watchedVas: readonly bigint[];
  /**
   * `modelled`: data pages have cache lines over the point of coherency, so accesses with mismatched
   * cacheability can lose coherency. `coherent`: every access sees one value per location.
   */
  readonly dataCache: 'modelled' | 'coherent';
  /** Bounds that are part of the verdict. */
  readonly bounds: {
    /** Instruction instances in flight per PE, at most 31. */
    readonly window: number;
  };
}

export interface ThreadSetup {
  readonly tree: ThreadTree;
  /** Context in force, synchronised, when the thread starts. */
  readonly context: Context;
}

/** How addresses are translated; the roots are in the contexts. */
export interface TranslationSetup {
  readonly granule: '4k' | '16k' | '64k';
  /** Level of the stage-1 root table (-1 to 3). */
  readonly stage1StartLevel: number;
  readonly stage2StartLevel: number;
  /** MAIR_EL1, for the AttrIndx of stage-1 descriptors. */
  readonly mair: bigint;
  readonly fwb: boolean;
  readonly ets: 'none' | 'ets2' | 'ets3';
  /** FEAT_BBM level. */
  readonly bbm: 0 | 1 | 2;
  /** Reading: one any-level invalidation below a table drops the cached table descriptor. */
  readonly tableDropByAnyIpa: boolean;
  /** Entries of a regime may be filled while the PE executes at EL2 (superset of R_FXGNQ). */
  readonly fillOutOfContext: boolean;
  /** Erratum: a TLBI completes before accesses made through the removed entries are observable. */
  readonly repeatTlbi: boolean;
  /** I-cache lines are tagged with the VMID (VPIPT). */
  readonly vpipt: boolean;
}

export interface MemoryWord {
  /** Physical address, 8-byte aligned. */
  readonly address: bigint;
  readonly value: bigint;
}

export interface PageSetup {
  /** Physical address of the page (granule aligned). */
  readonly base: bigint;
  readonly use: 'table' | 'guest' | 'host' | 'free' | 'device';
  /** VMID of the VM that owns it, or null for the host. */
  readonly vmid: number | null;
  /** Short name for reports. */
  readonly name: string;
}
