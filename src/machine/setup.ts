import type { Features } from '../arm64/features.ts';
import type { Geometry } from '../arm64/geometry.ts';
import type { MachineFault } from './fault.ts';
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
  /** Which of them guard the tables, by index; absent: each of them. */
  readonly tableLocks?: readonly number[];
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
  /** `modelled`: fetches go through instruction caches; absent: they see what data reads see. */
  readonly instructionCache?: 'modelled';
  /** Bounds that are part of the verdict. */
  readonly bounds: {
    /** Instruction instances in flight per PE, at most 31. */
    readonly window: number;
  };
  /**
   * VMs that no PE will be given to any more, by VMID: what is cached of them can be used only where the
   * VMID is in force. Of any other VM it can be used on each PE, for the VM may be run there next. Their
   * tables may be written without a lock, until they are used again: there may be one host thread only.
   */
  readonly endedVms?: readonly number[];
  /** Rules that this machine breaks, for mutation tests. */
  readonly faults?: ReadonlySet<MachineFault>;
}

export interface ThreadSetup {
  readonly tree: ThreadTree;
  /** Context in force, synchronised, when the thread starts. */
  readonly context: Context;
  /**
   * Contexts that were in force on the PE before: what was cached under them may still be there when
   * the thread starts.
   */
  readonly previousContexts?: readonly Context[];
}

/** How addresses are translated; the root addresses are in the contexts. */
export interface TranslationSetup {
  /** The hardware, its errata, and the readings taken. */
  readonly features: Features;
  /** Shape of the stage-1 trees; null when no context has stage 1 on. */
  readonly stage1: Geometry | null;
  /** Shape of the stage-2 trees; null when no context has stage 2 on. */
  readonly stage2: Geometry | null;
  /** MAIR_EL1, for the AttrIndx of stage-1 descriptors. */
  readonly mair: bigint;
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
