import { describe, expect, test } from 'vitest';
import type { Features } from '../../../src/arm64/features.ts';
import { needing, tree58 } from '../../frontend/kernel-c/trees.ts';
import { baseOf, type Edit, opened, verdictOf } from './on-tree.ts';

const MMU = 'arch/arm64/kvm/mmu.c';
const MAIN = 'virt/kvm/kvm_main.c';
const HOST = 'include/linux/kvm_host.h';

const ABORT = 'a vCPU faults on a page that the host takes away';
const PERMISSION = 'a vCPU wants to write to a page that the host takes away';
const HUGE = 'a vCPU faults on a huge page that the host takes away';
const THP = 'a vCPU faults where a transparent huge page has taken the place of pages';
const REFILL = 'a page is taken away and filled, and a vCPU faults on it to execute';
const CHANGED = 'the host puts another page there and tells KVM which';
const CHANGED_MAPPED = 'the host puts another page in the place of one that is mapped';
const TWO = 'two vCPUs fault on the same page';
const AGED = 'the host makes a page old and flushes, and a vCPU makes it young again';
const ALONE = 'a vCPU faults on pages that nobody takes away';

const FWB: Partial<Features> = { fwb: true };
const REUSED = 'no-reuse-under-translation';

const RETRY = /if \(mmu_notifier_retry\(kvm, mmu_seq\)\)/;
const SEQUENCE = /mmu_seq = vcpu->kvm->mmu_notifier_seq;/;
const LOCKED = /\tspin_lock\(&kvm->mmu_lock\);\n(?=\tif \(mmu_notifier_retry)/;
const UNLOCKED = /(out_unlock:\n)\tspin_unlock\(&kvm->mmu_lock\);/;
const CLEAN =
  /if \(fault_status != FSC_PERM && !is_iomap\(flags\)\)\s*clean_dcache_guest_page\([^;]*;/;

/** A change of the fault path or of the notifier: what it leads to, and why where that is nothing. */
interface Case {
  readonly name: string;
  readonly edits: readonly Edit[];
  readonly scenarios?: readonly string[];
  readonly machine?: Partial<Features>;
  readonly expected: string;
}

const NO_RETRY: Edit = { file: MMU, what: RETRY, by: 'if (0)' };
const NO_BREAK: Edit = {
  file: MMU,
  what: /(return 0;\s*)kvm_set_pte\(pte, __pte\(0\)\);\s*kvm_tlb_flush_vmid_ipa\(kvm, addr\);(?=\s*\} else \{\s*get_page\(virt_to_page\(pte\)\);)/,
  by: '$1',
};
const UNLOCK: readonly Edit[] = [
  { file: MMU, what: LOCKED, by: '' },
  { file: MMU, what: UNLOCKED, by: '$1' },
];

const CASES: readonly Case[] = [
  {
    name: 'no retry: the fault maps what the host has given away',
    edits: [NO_RETRY],
    scenarios: [ABORT, HUGE],
    expected: REUSED,
  },
  {
    name: 'no retry of a permission fault: here an entry that is gone is made again, from the old page',
    edits: [NO_RETRY],
    scenarios: [PERMISSION],
    expected: REUSED,
  },
  {
    name: 'the sequence is read after the page was looked up',
    edits: [
      { file: MMU, what: SEQUENCE, by: '' },
      {
        file: MMU,
        what: /(\n\tif \(pfn == KVM_PFN_ERR_HWPOISON\) \{)/,
        by: '\n\tmmu_seq = vcpu->kvm->mmu_notifier_seq;$1',
      },
    ],
    expected: REUSED,
  },
  {
    name: 'no barrier between the sequence and the look-up: not noticed, see "loads of the host" in docs/limits.md',
    edits: [
      { file: MMU, what: /(mmu_seq = vcpu->kvm->mmu_notifier_seq;[^]*?)smp_rmb\(\);/, by: '$1' },
    ],
    expected: 'verified',
  },
  {
    name: 'the retry is decided before the lock is taken',
    edits: [
      { file: MMU, what: LOCKED, by: '\tbool retry = mmu_notifier_retry(kvm, mmu_seq);\n$&' },
      { file: MMU, what: RETRY, by: 'if (retry)' },
    ],
    scenarios: [ABORT, PERMISSION],
    expected: REUSED,
  },
  {
    name: 'the page is mapped without the lock',
    edits: UNLOCK,
    scenarios: [ABORT, PERMISSION, TWO, ALONE],
    expected: 'tables-change-under-lock',
  },
  {
    name: 'no look at what is in progress',
    edits: [{ file: HOST, what: /if \(unlikely\(kvm->mmu_notifier_count\)\)\s*return 1;/, by: '' }],
    expected: REUSED,
  },
  {
    name: 'no look at the sequence',
    edits: [
      {
        file: HOST,
        what: /if \(kvm->mmu_notifier_seq != mmu_seq\)\s*return 1;\s*return 0;/,
        by: 'return 0;',
      },
    ],
    expected: REUSED,
  },
  {
    name: 'the end of the notifier does not count',
    edits: [
      {
        file: MAIN,
        what: /(invalidate_range_end\([^]*?)kvm->mmu_notifier_seq\+\+;/,
        by: '$1',
      },
    ],
    expected: REUSED,
  },
  {
    name: 'the beginning of the notifier does not say so',
    edits: [
      { file: MAIN, what: /kvm->mmu_notifier_count\+\+;/, by: '' },
      { file: MAIN, what: /kvm->mmu_notifier_count--;/, by: '' },
    ],
    expected: REUSED,
  },
  {
    name: 'no barriers between sequence and count: harmless, for both sides hold the lock',
    edits: [
      { file: MAIN, what: /(kvm->mmu_notifier_seq\+\+;\s*)smp_wmb\(\);/, by: '$1' },
      {
        file: HOST,
        what: /(if \(unlikely\(kvm->mmu_notifier_count\)\)[^]*?)smp_rmb\(\);/,
        by: '$1',
      },
    ],
    expected: 'verified',
  },
  {
    name: 'the notifier does not unmap',
    edits: [{ file: MMU, what: /\tunmap_stage2_range\(kvm, gpa, size\);/, by: '' }],
    scenarios: [PERMISSION],
    expected: REUSED,
  },
  {
    name: 'a fault does not clean the page, without FWB: the guest reads past the caches',
    edits: [{ file: MMU, what: CLEAN, by: '' }],
    scenarios: [REFILL],
    machine: {},
    expected: 'contents-after-map',
  },
  {
    name: 'a fault does not clean the page, with FWB: harmless, it would not have done so anyway',
    edits: [{ file: MMU, what: CLEAN, by: '' }],
    scenarios: [REFILL],
    expected: 'verified',
  },
  {
    name: 'a fault to execute leaves the instruction cache alone',
    edits: [
      { file: MMU, what: /if \(exec_fault\)\s*invalidate_icache_guest_page\([^;]*;/, by: '' },
    ],
    scenarios: [REFILL],
    expected: 'instructions-after-map',
  },
  {
    name: 'the instruction cache is invalidated before the page is cleaned: harmless, nobody can fetch from it yet',
    edits: [
      { file: MMU, what: CLEAN, by: '' },
      {
        file: MMU,
        what: /if \(exec_fault\)\s*invalidate_icache_guest_page\([^;]*;/,
        by: '$&\n\tif (fault_status != FSC_PERM)\n\t\tclean_dcache_guest_page(pfn, vma_pagesize);',
      },
    ],
    scenarios: [REFILL],
    machine: {},
    expected: 'verified',
  },
  {
    name: 'the new page is not cleaned when the notifier maps it, without FWB',
    edits: [{ file: MMU, what: /clean_dcache_guest_page\(pfn, PAGE_SIZE\);/, by: '' }],
    scenarios: [CHANGED],
    machine: {},
    expected: 'contents-after-map',
  },
  {
    name: 'the notifier makes the new entry without breaking the old one',
    edits: [NO_BREAK],
    scenarios: [CHANGED_MAPPED],
    expected: 'break-before-make',
  },
  {
    name: 'a right is added without break and invalidation: harmless (R_GPPYH), an old entry leads to one more fault',
    edits: [NO_BREAK],
    scenarios: [ALONE],
    expected: 'verified',
  },
  {
    name: 'the notifier maps the new page without the lock',
    edits: [
      {
        file: MAIN,
        what: /(change_pte\([^]*?)spin_lock\(&kvm->mmu_lock\);([^]*?)spin_unlock\(&kvm->mmu_lock\);/,
        by: '$1$2',
      },
    ],
    scenarios: [CHANGED, CHANGED_MAPPED],
    expected: 'tables-change-under-lock',
  },
  {
    name: 'the notifier makes a page old without the lock',
    edits: [
      {
        file: MAIN,
        what: /(clear_flush_young\([^]*?)spin_lock\(&kvm->mmu_lock\);([^]*?)spin_unlock\(&kvm->mmu_lock\);/,
        by: '$1$2',
      },
    ],
    scenarios: [AGED],
    expected: 'tables-change-under-lock',
  },
  {
    name: 'the notifier does not flush after a page got old: harmless, nobody relies on it',
    edits: [{ file: MAIN, what: /if \(young\)\s*kvm_flush_remote_tlbs\(kvm\);/, by: '' }],
    scenarios: [AGED],
    expected: 'verified',
  },
  {
    name: 'a huge page is mapped over a table that stays',
    edits: [
      {
        file: MMU,
        what: /unmap_stage2_range\(kvm, addr & S2_PMD_MASK, S2_PMD_SIZE\);\s*goto retry;/,
        by: 'pmd_clear(pmd);\n\t\t\tkvm_set_pmd(pmd, *new_pmd);\n\t\t\treturn 0;',
      },
    ],
    scenarios: [THP],
    expected: 'break-before-make',
  },
];

describe('changes of the fault path and the notifier of 5.8', { timeout: 120_000 }, () => {
  for (const { name, edits, scenarios = [ABORT], machine = FWB, expected } of CASES) {
    test.skipIf(tree58.root === null)(`${needing(tree58, `${name}: ${expected}`)}`, () => {
      const edited = opened(tree58, edits, undefined, baseOf(tree58));
      for (const scenario of scenarios) {
        expect([scenario, verdictOf(baseOf(tree58), scenario, machine)]).toEqual([
          scenario,
          'verified',
        ]);
        expect([scenario, verdictOf(edited, scenario, machine)]).toEqual([scenario, expected]);
      }
    });
  }

  test.skipIf(tree58.root === null)(
    `${needing(tree58, 'the retry is decided both ways: the race is reached, on both sides of the lock')}`,
    () => {
      const loaded = opened(tree58);
      expect(verdictOf(loaded, ABORT, FWB)).toBe('verified');
      const [kernel] = loaded.kernels();
      const reached = [...(kernel?.program.reached ?? [])];
      const retry = reached.find(([code]) => code.name === 'mmu_notifier_retry')?.[1];
      // Each of its two branches has gone each way.
      expect(retry?.outcomes.filter((ways) => ways !== 0)).toEqual(new Uint8Array([3, 3]));
      expect(reached.map(([code]) => code.name)).toContain('stage2_set_pte');
    },
  );
});
