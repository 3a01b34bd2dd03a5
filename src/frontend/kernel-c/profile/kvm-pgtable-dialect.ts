import type { ReadFile } from '../read-file.ts';

const MMU = 'arch/arm64/kvm/mmu.c';
const PGTABLE_HEADER = 'arch/arm64/include/asm/kvm_pgtable.h';
const HOST_HEADER = 'arch/arm64/include/asm/kvm_host.h';
const TYPES_HEADER = 'include/linux/kvm_types.h';

/** How the C of one tree names what the profile's own text needs; found by probing. */
export interface PgtableDialect {
  /** The VTCR stands in `struct kvm_s2_mmu`, not in `struct kvm_arch`. */
  readonly vtcrInMmu: boolean;
  /** There is `kvm_get_vtcr()`; before 5.11 the value is put together in `reset.c`. */
  readonly vtcrFunction: boolean;
  /** What `struct kvm_s2_mmu` points to: the VM, or its arm64 part. */
  readonly owner: 'kvm' | 'arch';
  /** The VMID is an `atomic64_t`; before 5.18 it is a number beside its generation. */
  readonly atomicVmid: boolean;
  /** What `kvm_pgtable_stage2_init()` wants beside the table. */
  readonly initArguments: 'kvm' | 'arch, operations' | 'mmu, operations';
  /** A cache of table pages holds an array, not a pointer to one. */
  readonly arrayCache: boolean;
  /** Flags with which a fault walks, as C; `null` where walks have none. */
  readonly faultFlags: string | null;
  /** Access faults are handled under the read lock; in 6.2 they still kept everybody out. */
  readonly sharedAccessFaults: boolean;
  /** Faults that change attributes pass those flags too. */
  readonly attributeFlags: boolean;
  /** The MMU notifier speaks of frame numbers of the guest; before 5.13 of addresses of the host. */
  readonly gfnNotifier: boolean;
  /** The fault path cleans the page before it maps it; from 5.14 on the map does. */
  readonly faultCleans: boolean;
  /** The function that write-protects a range. */
  readonly wpRange: string;
  /** The function that invalidates the VM as a whole. */
  readonly flushVm: string;
}

/** Whether tables are walked by several CPUs at a time, under the read lock and RCU. */
export function hasSharedWalks(read: ReadFile): boolean {
  return /\bKVM_PGTABLE_WALK_SHARED\b/.test(read(PGTABLE_HEADER) ?? '');
}

/** Reads the names that a tree uses from its text. */
export function dialectOf(read: ReadFile): PgtableDialect {
  const mmu = read(MMU) ?? '';
  const header = read(PGTABLE_HEADER) ?? '';
  const struct = /\bstruct kvm_s2_mmu \{([^]*?)\n\};/.exec(read(HOST_HEADER) ?? '')?.[1] ?? '';
  const accessFault = /^static void handle_access_fault\([^]*?\n\}/m.exec(mmu)?.[0] ?? '';
  const flags = ['KVM_PGTABLE_WALK_HANDLE_FAULT', 'KVM_PGTABLE_WALK_SHARED'].filter((name) =>
    new RegExp(`\\b${name}\\b`).test(header),
  );
  return {
    vtcrInMmu: /\bvtcr;/.test(struct),
    vtcrFunction: /\bkvm_get_vtcr\s*\(/.test(header),
    owner: /\bstruct kvm \*kvm;/.test(struct) ? 'kvm' : 'arch',
    atomicVmid: /\bstruct kvm_vmid \{\s*atomic64_t/.test(read(HOST_HEADER) ?? ''),
    initArguments: initArguments(mmu, header),
    arrayCache: /\bvoid \*objects\[/.test(read(TYPES_HEADER) ?? ''),
    faultFlags: hasSharedWalks(read) ? flags.join(' | ') : null,
    sharedAccessFaults: /\bread_lock\(/.test(accessFault),
    attributeFlags: /\bkvm_pgtable_stage2_mkyoung\([^)]*walk_flags/.test(header),
    gfnNotifier: /\bkvm_unmap_gfn_range\s*\(/.test(mmu),
    faultCleans: /\bclean_dcache_guest_page\(kvm_pfn_t/.test(mmu),
    wpRange: /\bkvm_stage2_wp_range\s*\(/.test(mmu) ? 'kvm_stage2_wp_range' : 'stage2_wp_range',
    flushVm: /\bkvm_arch_flush_remote_tlbs\s*\(/.test(mmu)
      ? 'kvm_arch_flush_remote_tlbs'
      : 'kvm_flush_remote_tlbs',
  };
}

function initArguments(mmu: string, header: string): PgtableDialect['initArguments'] {
  if (/\bkvm_pgtable_stage2_init\([^)]*struct kvm \*/.test(header)) return 'kvm';
  return /\bkvm_pgtable_stage2_init\([^)]*->arch,/.test(mmu)
    ? 'arch, operations'
    : 'mmu, operations';
}
