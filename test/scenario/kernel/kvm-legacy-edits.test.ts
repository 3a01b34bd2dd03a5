import { describe, expect, test } from 'vitest';
import type { Features } from '../../../src/arm64/features.ts';
import { needing, tree58 } from '../../frontend/kernel-c/trees.ts';
import { baseOf, type Edit, opened, verdictOf } from './on-tree.ts';

const MMU = 'arch/arm64/kvm/mmu.c';
const TLB = 'arch/arm64/kvm/hyp/tlb.c';

const FWB: Partial<Features> = { fwb: true };
const FLUSH = String.raw`kvm_tlb_flush_vmid_ipa\(kvm, addr\);`;

const OTHER_PAGE = 'map another page in the place of one';
const BLOCK = 'map a block over a table of pages';
const LARGE_BLOCK = 'a vCPU faults where a block of 1G belongs, over tables of two levels';
const INSIDE = 'writes are logged, and a vCPU writes inside of a block';
const INSIDE_LARGE = 'writes are logged, and a vCPU writes inside of a block of 1G';
const LOGGING = 'dirty logging begins for a slot with a page and a block';
const AGE = 'make a page old, and young again';
const REFILL = 'unmap a page, read in new contents, map it again for execution';
const FILL = 'fill a page and map it';

/** What one wrong step leads to, and why; where it is harmless, why that. */
interface Case {
  readonly name: string;
  readonly edits: readonly Edit[];
  readonly scenario: string;
  readonly machine?: Partial<Features>;
  readonly expected: string;
}

function edit(what: RegExp | string, by: string, file = MMU): readonly Edit[] {
  return [{ file, what: typeof what === 'string' ? new RegExp(what) : what, by }];
}

const NO_CLEAN = edit(/\t__clean_dcache_guest_page\(pfn, size\);/, '');
const SET_PTE_DSB = edit(/(WRITE_ONCE\(\*ptep, new_pte\);)\s*dsb\(ishst\);/, '$1');
const FREE_TABLE = String.raw`(pmd_clear\(pmd\);)\s*${FLUSH}\s*(free_page\(\(unsigned long\)pte_table\);)`;
const OLD = /return __ptep_test_and_clear_young\(pte\);/;

const CASES: readonly Case[] = [
  {
    name: 'a page takes the place of another without a break: two valid outputs for one IPA',
    edits: edit(
      String.raw`(return 0;\s*)kvm_set_pte\(pte, __pte\(0\)\);\s*${FLUSH}(?=\s*\} else \{\s*get_page\(virt_to_page\(pte\)\);)`,
      '$1',
    ),
    scenario: OTHER_PAGE,
    expected: 'break-before-make',
  },
  {
    name: 'the break without an invalidation: the old entry may still be cached when the new one is made',
    edits: edit(
      String.raw`(kvm_set_pte\(pte, __pte\(0\)\);\s*)${FLUSH}(?=\s*\} else \{\s*get_page\(virt_to_page\(pte\)\);)`,
      '$1',
    ),
    scenario: OTHER_PAGE,
    expected: 'break-before-make',
  },
  {
    name: 'the make before the break',
    edits: edit(
      String.raw`kvm_set_pte\(pte, __pte\(0\)\);(\s*)${FLUSH}(?=\s*\} else \{\s*get_page\(virt_to_page\(pte\)\);)`,
      'kvm_set_pte(pte, *new_pte);$1kvm_tlb_flush_vmid_ipa(kvm, addr);',
    ),
    scenario: OTHER_PAGE,
    expected: 'break-before-make',
  },
  {
    name: 'no DSB after an entry is set: harmless, the flush begins with one, and a new entry is owed to nobody',
    edits: SET_PTE_DSB,
    scenario: OTHER_PAGE,
    expected: 'verified',
  },
  {
    name: 'no DSB after an entry is set, nor before the TLBI: it may run ahead of the break',
    edits: [...SET_PTE_DSB, ...edit(/dsb\(ishst\);/, '', TLB)],
    scenario: OTHER_PAGE,
    expected: 'break-before-make',
  },
  {
    name: 'an entry is made for another page first, and then put right',
    edits: edit(
      /kvm_set_pte\(pte, \*new_pte\);/,
      'kvm_set_pte(pte, kvm_pfn_pte(pte_pfn(*new_pte) + 1, PAGE_S2));\n\t$&',
    ),
    scenario: 'map a page where nothing is mapped',
    expected: 'break-before-make',
  },
  {
    name: 'a page is mapped without cleaning it, without FWB: the guest reads past the caches',
    edits: NO_CLEAN,
    scenario: FILL,
    machine: {},
    expected: 'contents-after-map',
  },
  {
    name: 'the same with FWB: harmless, every access of the guest is cacheable',
    edits: NO_CLEAN,
    scenario: FILL,
    expected: 'verified',
  },
  {
    name: 'a page is mapped for execution with what the instruction cache held before',
    edits: edit(/\t__invalidate_icache_guest_page\(pfn, size\);/, ''),
    scenario: REFILL,
    expected: 'instructions-after-map',
  },
  {
    name: 'a block over a table whose pages were only unmapped in part: the rest is still there',
    edits: edit(
      /unmap_stage2_range\(kvm, addr & S2_PMD_MASK, S2_PMD_SIZE\);\s*goto retry;/,
      'unmap_stage2_range(kvm, addr & S2_PMD_MASK, PAGE_SIZE);',
    ),
    scenario: BLOCK,
    expected: 'checks-hold',
  },
  {
    name: 'the table is freed before its entry is invalidated',
    edits: edit(FREE_TABLE, '$1\n\t$2\n\tkvm_tlb_flush_vmid_ipa(kvm, addr);'),
    scenario: BLOCK,
    expected: 'no-walk-of-freed-table',
  },
  {
    name: 'the table is freed without an invalidation of its entry',
    edits: edit(FREE_TABLE, '$1\n\t$2'),
    scenario: BLOCK,
    expected: 'no-walk-of-freed-table',
  },
  {
    name: 'the leaf-only form where a table goes',
    edits: edit(/\bipas2e1is\b/, 'ipas2le1is', TLB),
    scenario: BLOCK,
    expected: 'no-walk-of-freed-table',
  },
  {
    name: 'a table of level 2 is freed without an invalidation of its entry',
    edits: edit(String.raw`(stage2_pud_clear\(kvm, pud\);)\s*${FLUSH}(\s*stage2_pmd_free)`, '$1$2'),
    scenario: LARGE_BLOCK,
    expected: 'no-walk-of-freed-table',
  },
  {
    name: 'a block is dissolved without an invalidation: its entry and the table may both be cached',
    edits: edit(
      String.raw`(pmd_clear\(pmd\);)\s*${FLUSH}(\s*put_page\(virt_to_page\(pmd\)\);\s*\}\s*/\*\*\s* \* stage2_dissolve_pud)`,
      '$1$2',
    ),
    scenario: INSIDE,
    expected: 'break-before-make',
  },
  {
    name: 'a block is invalidated before it is dissolved: a walk between the two caches it again',
    edits: edit(
      String.raw`pmd_clear\(pmd\);(\s*)(${FLUSH})(\s*put_page\(virt_to_page\(pmd\)\);\s*\}\s*/\*\*\s* \* stage2_dissolve_pud)`,
      '$2$1pmd_clear(pmd);$3',
    ),
    scenario: INSIDE,
    expected: 'break-before-make',
  },
  {
    name: 'a block of level 1 is dissolved without an invalidation',
    edits: edit(
      String.raw`(stage2_pud_clear\(kvm, pudp\);)\s*${FLUSH}(\s*put_page\(virt_to_page\(pudp\)\);)`,
      '$1$2',
    ),
    scenario: INSIDE_LARGE,
    expected: 'break-before-make',
  },
  {
    name: 'write protection without a flush',
    edits: edit(/(spin_unlock\(&kvm->mmu_lock\);)\s*kvm_flush_remote_tlbs\(kvm\);/, '$1'),
    scenario: LOGGING,
    expected: 'permissions-after-return',
  },
  {
    name: 'write protection flushes first',
    edits: edit(
      /spin_lock\(&kvm->mmu_lock\);(\s*stage2_wp_range\(kvm, start, end\);\s*spin_unlock\(&kvm->mmu_lock\);)\s*kvm_flush_remote_tlbs\(kvm\);/,
      'kvm_flush_remote_tlbs(kvm);\n\tspin_lock(&kvm->mmu_lock);$1',
    ),
    scenario: LOGGING,
    expected: 'permissions-after-return',
  },
  {
    name: 'blocks keep the right to write, where the scenario itself flushes',
    edits: edit(/kvm_set_s2pmd_readonly\(pmd\);/, ';'),
    scenario: 'write-protect a page and a block, flush the VM',
    expected: 'permissions-after-return',
  },
  {
    name: 'blocks keep the right to write',
    edits: edit(/kvm_set_s2pmd_readonly\(pmd\);/, ';'),
    scenario: LOGGING,
    expected: 'permissions-after-return',
  },
  {
    name: 'blocks of 1G keep the right to write',
    edits: edit(/kvm_set_s2pud_readonly\(pud\);/, ';'),
    scenario: 'dirty logging begins for a slot with a block of 1G',
    expected: 'permissions-after-return',
  },
  {
    name: 'the flush of the VM invalidates stage 1 only',
    edits: edit(/\bvmalls12e1is\b/, 'vmalle1is', TLB),
    scenario: LOGGING,
    expected: 'permissions-after-return',
  },
  {
    name: 'nobody waits for the flush of the VM',
    edits: edit(/(vmalls12e1is\);)\s*dsb\(ish\);/, '$1', TLB),
    scenario: LOGGING,
    expected: 'permissions-after-return',
  },
  {
    name: 'no DSB before the flush of the VM: entries change by plain atomics, so nothing else orders it',
    edits: edit(
      /(void __hyp_text __kvm_tlb_flush_vmid\(struct kvm \*kvm\)\s*\{[^]*?)dsb\(ishst\);/,
      '$1',
      TLB,
    ),
    scenario: LOGGING,
    expected: 'permissions-after-return',
  },
  {
    name: 'the last page of a slot is left when the slot goes',
    edits: edit(
      /(kvm_arch_flush_shadow_memslot\([^]*?)phys_addr_t size = slot->npages << PAGE_SHIFT;/,
      '$1phys_addr_t size = (slot->npages - 1) << PAGE_SHIFT;',
    ),
    scenario: 'the memory slot of the VM is taken away',
    expected: 'no-reuse-under-translation',
  },
  {
    name: 'the last page of an area is left when a vCPU is reset',
    edits: edit(
      /unmap_stage2_range\(kvm, gpa, vm_end - vm_start\);/,
      'unmap_stage2_range(kvm, gpa, vm_end - vm_start - PAGE_SIZE);',
    ),
    scenario: 'a vCPU is reset, and the memory of the VM is unmapped',
    expected: 'no-reuse-under-translation',
  },
  {
    name: 'a page gets young without the lock',
    edits: [{ file: MMU, what: /spin_(un)?lock\(&vcpu->kvm->mmu_lock\);/g, by: '' }],
    scenario: AGE,
    expected: 'tables-change-under-lock',
  },
  {
    name: 'a page gets old by a plain store: harmless, what the hardware noted meanwhile is a hint only',
    edits: edit(OLD, 'pte_t old = *pte;\n\n\t*pte = pte_mkold(old);\n\treturn !!pte_young(old);'),
    scenario: AGE,
    machine: { s2Hafdbs: 'af' },
    expected: 'verified',
  },
  {
    name: 'a page that gets old is taken out, so that unmap finds nothing to invalidate',
    edits: edit(OLD, 'kvm_set_pte(pte, __pte(0));\n\treturn 1;'),
    scenario: 'make a page old, then unmap it',
    expected: 'no-access-after-return',
  },
  {
    name: 'a VPIPT cache of a host at EL1 is left alone when a page is unmapped, as if the map could do it',
    edits: edit(/if \(!has_vhe\(\) && icache_is_vpipt\(\)\)\s*__flush_icache_all\(\);/, '', TLB),
    scenario: REFILL,
    machine: { vhe: false, e2h: false, icache: 'vpipt', fwb: true },
    expected: 'instructions-after-map',
  },
];

describe('single wrong steps in the C of 5.8', { timeout: 120_000 }, () => {
  for (const { name, edits, scenario, machine = FWB, expected } of CASES) {
    test.skipIf(tree58.root === null)(`${needing(tree58, `${name}: ${expected}`)}`, () => {
      expect(verdictOf(baseOf(tree58), scenario, machine)).toBe('verified');
      const edited = opened(tree58, edits, undefined, baseOf(tree58));
      expect(verdictOf(edited, scenario, machine)).toBe(expected);
    });
  }
});
