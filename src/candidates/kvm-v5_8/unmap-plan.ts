import type { Level } from '../../arm64/geometry.ts';
import type { HostCode } from '../host-code.ts';
import type { Kvm } from './kvm.ts';

/** A block or page entry the walk found. */
export interface Leaf {
  /** Physical address of the entry. */
  readonly cell: bigint;
  /** What was read from it. */
  readonly bits: bigint;
  /** The IPA the walk has arrived at: inside the entry, its base unless the range begins inside. */
  readonly address: bigint;
  readonly level: 1 | 2 | 3;
}

/** A table in which the walk has left no entry. */
export interface EmptyTable {
  /** Physical address of the entry that points to it, and the level of that entry. */
  readonly parent: bigint;
  readonly parentLevel: Level;
  /** Physical address of the table page. */
  readonly table: bigint;
  /** The IPA at which the walk entered the table. */
  readonly address: bigint;
}

/** A part of the IPA space, `end` not included. */
export interface IpaRange {
  readonly start: bigint;
  readonly end: bigint;
}

/**
 * What a form of the unmap path does at each point of the walk. The walk itself is the same for all
 * forms, so a form reads as its difference from v5.8.
 */
export interface UnmapPlan {
  /** At a block or page entry: v5.8 clears it, flushes, cleans the page, drops the table's count. */
  readonly leaf: (kvm: Kvm, leaf: Leaf) => HostCode;
  /** At a table that became empty: v5.8 clears the parent, flushes one IPA, frees the table. */
  readonly emptyTable: (kvm: Kvm, table: EmptyTable) => HostCode;
  /** When the part of a top-level entry is done, before the lock may be dropped. */
  readonly endOfTopLevelEntry: (kvm: Kvm, part: IpaRange) => HostCode;
  /** When all parts are done, before `unmap_stage2_range` returns. */
  readonly endOfWalk: (kvm: Kvm, range: IpaRange) => HostCode;
  /** After the caller has given up the lock. */
  readonly afterUnlock: (kvm: Kvm, range: IpaRange) => HostCode;
  /** When the caller's caller is told that the operation is over: the notifier's end callback. */
  readonly atNotifierEnd: (kvm: Kvm, range: IpaRange) => HostCode;
  /** Whether the walk gives up after a leaf; v5.8 has no such exit. */
  readonly fails: (kvm: Kvm) => HostCode<boolean>;
  /** On the way out after that. */
  readonly onFailure: (kvm: Kvm, range: IpaRange) => HostCode;
}

/** Makes the plan of one run: a plan may keep private state, such as a list of cleared pages. */
export type PlanMaker = () => UnmapPlan;
