import type { Features } from '../../arm64/features.ts';

/** How a guest page is mapped when the scenario starts. */
export type Mapping =
  /** By a page of the granule, at level 3. */
  | 'page'
  /** By a block at level 2 (2 MiB with 4K); one watched page lies in it, at its base. */
  | 'block'
  /** By a block at level 1 (1 GiB with 4K), where the granule has one. */
  | 'block1'
  /** Not at all: the first access faults. */
  | 'unmapped';

/** What a world contains. Everything has a default but the features. */
export interface WorldOptions {
  readonly features: Features;
  /** Number of VMs, each with its own tables, pages and VMID; the IPAs are the same in all. */
  readonly vms?: number;
  /** Watched guest pages of each VM. */
  readonly pages?: number;
  /** One mapping for all pages; `mixed`: pages in the first half, blocks in the second. */
  readonly mapping?: Mapping | 'mixed';
  /**
   * `across`: the range crosses the border of two top-level entries, so that the lock may be dropped
   * inside, and each side has a table of its own, which becomes empty. `adjacent`: all in one table.
   * `in-block`: the same, and also physically in one aligned block, so that a block can replace them.
   */
  readonly layout?: 'across' | 'adjacent' | 'in-block';
  /**
   * Each level-3 table and the tables above keep one further entry that nobody uses, so that no table
   * becomes empty.
   */
  readonly keepTables?: boolean;
  /**
   * The range of the request. `tight`: exactly the pages; `wide`: 512 pages of the granule, which is
   * the threshold of the range flush, from the second page of a table on (layout `adjacent`); `unaligned-end`: ends in the middle of the last
   * page; `inside-block`: one page inside each end of the range, for blocks.
   */
  readonly range?: 'tight' | 'wide' | 'unaligned-end' | 'inside-block';
  /** Further pages of the guest, mapped by pages and outside of the range: for its own tables. */
  readonly stage1Pages?: number;
  /** Free pages that the allocator can hand out before the first one is freed. */
  readonly freePages?: number;
  /** Pages that belong to each VM but are not mapped: what a fault or a remap may map next. */
  readonly sparePages?: number;
  /** Indices of watched pages that are devices. */
  readonly devices?: readonly number[];
  /** Whether the guest may write to its pages; executing is always permitted. */
  readonly writable?: boolean;
  /** Counts of table pages live in memory: needed as soon as two threads change tables. */
  readonly sharedCounts?: boolean;
  /** The page the host has at each IPA is a word in memory, for the fault path; as `notifier` if not given. */
  readonly backing?: boolean;
  /** The notifier's words live in memory, and keep faults out while a notifier runs. */
  readonly notifier?: boolean;
  /** A word with which the host hands the pages to a reader on another PE. */
  readonly handover?: boolean;
  /** `kvm->arch.pgd` lives in memory and is read again after each lock drop. */
  readonly rootPointer?: boolean;
  /** What `cond_resched_lock` does. */
  readonly reschedule?: 'never' | 'always' | 'choose';
}
