import type { Features } from '../../arm64/features.ts';
import type { Geometry } from '../../arm64/geometry.ts';
import type { HostCode } from '../host-code.ts';
import type { SourceLocation } from '../../program/source-location.ts';

/**
 * What host code knows of one VM: `struct kvm` of v5.8 as far as the stage-2 code uses it, and what
 * the scenario fixes about the world around it.
 *
 * It holds private state (table counts), so every run of a thread makes its own; see `openVm`.
 */
export interface Kvm {
  readonly features: Features;
  readonly vmid: number;
  /** Stage 2 of this VM: `kvm->arch.vtcr`. */
  readonly geometry: Geometry;
  /** Physical address of the first root table: `kvm->arch.pgd_phys`. */
  readonly root: bigint;
  /**
   * Where `kvm->arch.pgd` lies in memory, read again after each lock drop; null when the scenario
   * never tears the VM down, so that the word cannot change.
   */
  readonly pgdPointer: bigint | null;
  /** The lock that stands for `kvm->mmu_lock`. */
  readonly mmuLock: number;
  readonly counts: TableCounts;
  /** Words of the MMU notifier; null when no fault of the scenario has to look at them. */
  readonly notifier: { readonly sequence: bigint; readonly count: bigint } | null;
  /**
   * The word that says which page the host has at an IPA page now (what `gfn_to_pfn_prot` finds):
   * its physical address, or 0 when it has none.
   */
  readonly backing: (ipa: bigint) => bigint | null;
  /** Whether `pfn_valid` is false for the page: a device, mapped without cache maintenance. */
  readonly isDevice: (page: bigint) => boolean;
  /**
   * The lines of `[base, base + bytes)` that the scenario watches. Cache maintenance by address
   * walks all lines; on a line nobody else touches it has no effect, so one line per watched page
   * is enough, and the others are left out.
   */
  readonly watchedLines: (base: bigint, bytes: bigint) => readonly bigint[];
  /**
   * IPA pages that may have an entry at some time, ascending; null for all. An entry that nobody
   * ever writes reads as 0, and visiting it does nothing, so the loops leave it out.
   */
  readonly tracked: readonly bigint[] | null;
  /** Whether `cond_resched_lock` gives the lock away: decided here, or by the environment each time. */
  readonly reschedule: 'never' | 'always' | 'choose';
}

/**
 * Reference counts of table pages: 1 for the page itself and 1 for each live entry. `put_page` of
 * the stage-2 code drops the count of the page that holds the *entry*, never of the guest page.
 */
export interface TableCounts {
  /** A page fresh from the allocator: count 1. */
  readonly fresh: (page: bigint, location: SourceLocation) => HostCode;
  /** `get_page(virt_to_page(entry))`. */
  readonly get: (page: bigint, location: SourceLocation) => HostCode;
  /** `put_page(virt_to_page(entry))`. */
  readonly put: (page: bigint, location: SourceLocation) => HostCode;
  /** `kvm_page_empty`: no live entry is left. */
  readonly isEmpty: (page: bigint, location: SourceLocation) => HostCode<boolean>;
}
