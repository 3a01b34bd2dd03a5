import { describe, expect, test } from 'vitest';
import type { Features } from '../../../src/arm64/features.ts';
import { needing, tree61, tree612 } from '../../frontend/kernel-c/trees.ts';
import { baseOf, type Edit, opened, verdictOf } from './on-tree.ts';

const PGTABLE = 'arch/arm64/kvm/hyp/pgtable.c';
const MMU = 'arch/arm64/kvm/mmu.c';
const VHE = 'arch/arm64/kvm/hyp/vhe/tlb.c';
const NVHE = 'arch/arm64/kvm/hyp/nvhe/tlb.c';

const FWB: Partial<Features> = { fwb: true };
const NO_VHE: Partial<Features> = { vhe: false, e2h: false, fwb: true };
const RANGE: Partial<Features> = { tlbiOs: true, tlbiRange: true };

const PAGE = 'unmap one page of a table that stays';
const TABLE = 'unmap two pages of one table that is freed';

/** What one wrong step leads to: on which machine, in which scenario, which rule is broken. */
interface Case {
  readonly name: string;
  readonly edits: readonly Edit[];
  readonly scenario: string;
  readonly machine: Partial<Features>;
  readonly expected: string;
}

/** Edits of files that are alike in both trees, as far as the patterns look. */
const COMMON: readonly Case[] = [
  {
    name: 'no DSB between the stage-2 and the stage-1 invalidation',
    edits: [{ file: VHE, what: /(__tlbi_level\(ipas2e1is[^]*?)dsb\(ish\);/, by: '$1' }],
    scenario: PAGE,
    machine: FWB,
    expected: 'no-access-after-return',
  },
  {
    name: 'no DSB between the two without VHE',
    edits: [{ file: NVHE, what: /(__tlbi_level\(ipas2e1is[^]*?)dsb\(ish\);/, by: '$1' }],
    scenario: PAGE,
    machine: NO_VHE,
    expected: 'no-access-after-return',
  },
  {
    name: 'no DSB after the last invalidation',
    edits: [{ file: VHE, what: /__tlbi_sync_s1ish_hyp\(\);/, by: '' }],
    scenario: PAGE,
    machine: FWB,
    expected: 'no-access-after-return',
  },
  {
    name: 'no DSB between the store of the entry and the invalidation',
    edits: [{ file: VHE, what: /dsb\(ishst\);/, by: '' }],
    scenario: PAGE,
    machine: FWB,
    expected: 'no-access-after-return',
  },
  {
    name: 'local invalidations instead of broadcast ones',
    edits: [{ file: VHE, what: /\b(ipas2e1|vmalle1)is\b/g, by: '$1' }],
    scenario: PAGE,
    machine: FWB,
    expected: 'no-access-after-return',
  },
  {
    name: 'the leaf-only form for a table entry',
    edits: [{ file: VHE, what: /\bipas2e1is\b/, by: 'ipas2le1is' }],
    scenario: TABLE,
    machine: FWB,
    expected: 'no-walk-of-freed-table',
  },
  {
    name: 'the leaf-only form when only leaves go: harmless, for no table entry is removed',
    edits: [{ file: VHE, what: /\bipas2e1is\b/, by: 'ipas2le1is' }],
    scenario: PAGE,
    machine: FWB,
    expected: 'verified',
  },
  {
    name: 'no ISB after VTTBR_EL2 was loaded',
    edits: [{ file: VHE, what: /(write_sysreg\(val, hcr_el2\);\s*)isb\(\);/, by: '$1' }],
    scenario: PAGE,
    machine: FWB,
    expected: 'right-vmid',
  },
  {
    name: 'no ISB after the last DSB: harmless, for leaving the context synchronises as well',
    edits: [{ file: VHE, what: /(__tlbi_sync_s1ish_hyp\(\);\s*)isb\(\);/, by: '$1' }],
    scenario: PAGE,
    machine: FWB,
    expected: 'verified',
  },
  {
    name: 'write protection of all but the last page',
    edits: [
      {
        file: PGTABLE,
        what: /stage2_update_leaf_attrs\(pgt, addr, size, 0,(\s*KVM_PTE_LEAF_ATTR_LO_S2_S2AP_W,)/,
        by: 'stage2_update_leaf_attrs(pgt, addr, size - PAGE_SIZE, 0,$1',
      },
    ],
    scenario: 'write-protect a page and a block, flush the VM',
    machine: FWB,
    expected: 'permissions-after-return',
  },
];

const OF_6_1: readonly Case[] = [
  {
    name: 'a plain store of the new entry: not noticed, see "contents behind the entry" in docs/limits.md',
    edits: [
      {
        file: PGTABLE,
        what: /smp_store_release\(ptep, new\);/,
        by: 'WRITE_ONCE(*ptep, new);',
      },
    ],
    scenario: 'fill a page and map it',
    machine: FWB,
    expected: 'verified',
  },
  {
    name: 'a page is mapped without cleaning it, without FWB',
    edits: [
      {
        file: PGTABLE,
        what: /if \(mm_ops->dcache_clean_inval_poc && stage2_pte_cacheable\(pgt, new\)\)\s*mm_ops->dcache_clean_inval_poc\([^;]*;/,
        by: '',
      },
    ],
    scenario: 'fill a page and map it',
    machine: {},
    expected: 'contents-after-map',
  },
  {
    name: 'the table is freed before the flush',
    edits: [
      {
        file: PGTABLE,
        what: /(\n\tstage2_put_pte\(ptep, mmu, addr, level, mm_ops\);[^]*?)\n\tif \(childp\)\s*mm_ops->put_page\(childp\);/,
        by: '\n\tif (childp)\n\t\tmm_ops->put_page(childp);$1',
      },
    ],
    scenario: TABLE,
    machine: FWB,
    expected: 'no-walk-of-freed-table',
  },
  {
    name: 'the level of a table entry as a hint',
    edits: [{ file: PGTABLE, what: /if \(kvm_pte_table\(pte, level\)\)\s*level = 0;/, by: '' }],
    scenario: TABLE,
    machine: { ...FWB, ttl: true },
    expected: 'no-walk-of-freed-table',
  },
  {
    name: 'the same hint where hardware takes none: harmless',
    edits: [{ file: PGTABLE, what: /if \(kvm_pte_table\(pte, level\)\)\s*level = 0;/, by: '' }],
    scenario: TABLE,
    machine: FWB,
    expected: 'verified',
  },
  {
    name: 'cache maintenance before the flush, without FWB',
    edits: [
      {
        file: PGTABLE,
        what: /(\n\tstage2_put_pte\(ptep, mmu, addr, level, mm_ops\);)(\s*if \(need_flush [^]*?;\n)/,
        by: '$2$1\n',
      },
    ],
    scenario: PAGE,
    machine: {},
    expected: 'contents-after-return',
  },
  {
    name: 'a page is mapped over another one without breaking the entry',
    edits: [
      {
        file: PGTABLE,
        what: /(stage2_pte_needs_update\(old, new\)\)\s*return -EAGAIN;\s*)stage2_put_pte\([^;]*;/,
        by: '$1mm_ops->put_page(ptep);',
      },
    ],
    scenario: 'map another page in the place of one',
    machine: FWB,
    expected: 'break-before-make',
  },
  {
    name: 'one page of the table is flushed when a block takes its place',
    edits: [
      {
        file: PGTABLE,
        what: /kvm_call_hyp\(__kvm_tlb_flush_vmid, data->mmu\);/,
        by: 'kvm_call_hyp(__kvm_tlb_flush_vmid_ipa, data->mmu, addr, 0);',
      },
    ],
    scenario: 'map a block over a table of pages',
    machine: FWB,
    expected: 'break-before-make',
  },
  {
    name: 'write protection without a flush',
    edits: [
      {
        file: MMU,
        what: /kvm_call_hyp\(__kvm_tlb_flush_vmid, &kvm->arch\.mmu\);/,
        by: '',
      },
    ],
    scenario: 'write-protect a page and a block, flush the VM',
    machine: FWB,
    expected: 'permissions-after-return',
  },
  {
    name: 'the VMID of the VM stays in force at EL1',
    edits: [
      {
        file: NVHE,
        what: /(__tlb_switch_to_host\([^)]*\)\s*\{\s*)__load_host_stage2\(\);/,
        by: '$1',
      },
    ],
    scenario: PAGE,
    machine: NO_VHE,
    expected: 'right-vmid',
  },
];

const OF_6_12: readonly Case[] = [
  {
    name: 'a page is mapped without cleaning it, without FWB',
    edits: [
      {
        file: PGTABLE,
        what: /return unlikely\(ctx->flags & KVM_PGTABLE_WALK_SKIP_CMO\);/,
        by: 'return true;',
      },
    ],
    scenario: 'fill a page and map it',
    machine: {},
    expected: 'contents-after-map',
  },
  {
    name: 'ranges are flushed by range where hardware has no such TLBI',
    edits: [
      {
        file: 'arch/arm64/include/asm/tlbflush.h',
        what: /if \(!system_supports_tlb_range\(\) \|\|(\s*\\\s*)__flush_pages == 1/,
        by: 'if (__flush_pages == 1',
      },
      {
        file: PGTABLE,
        what: /if \(!system_supports_tlb_range\(\)\) \{/,
        by: 'if (0) {',
      },
    ],
    scenario: 'map a block over a table of pages',
    machine: FWB,
    expected: 'no-undefined-instruction',
  },
  {
    name: 'the table is freed before the flush',
    edits: [
      {
        file: PGTABLE,
        what: /(\n\tstage2_unmap_put_pte\(ctx, mmu, mm_ops\);[^]*?)\n\tif \(childp\)\s*mm_ops->put_page\(childp\);/,
        by: '\n\tif (childp)\n\t\tmm_ops->put_page(childp);$1',
      },
    ],
    scenario: TABLE,
    machine: FWB,
    expected: 'no-walk-of-freed-table',
  },
  {
    name: 'the level of a table entry as a hint',
    edits: [
      {
        file: PGTABLE,
        what: /(__kvm_tlb_flush_vmid_ipa, mmu, ctx->addr,\s*)TLBI_TTL_UNKNOWN/,
        by: '$1ctx->level',
      },
    ],
    scenario: TABLE,
    machine: { ...FWB, ttl: true },
    expected: 'no-walk-of-freed-table',
  },
  {
    name: 'the flush is deferred without FWB',
    edits: [
      {
        file: PGTABLE,
        what: /system_supports_tlb_range\(\) && stage2_has_fwb\(pgt\)/,
        by: 'system_supports_tlb_range()',
      },
    ],
    scenario: PAGE,
    machine: RANGE,
    expected: 'contents-after-return',
  },
  {
    name: 'the flush is deferred without FWB, guest maps the page cacheable: harmless, it writes to the line',
    edits: [
      {
        file: PGTABLE,
        what: /system_supports_tlb_range\(\) && stage2_has_fwb\(pgt\)/,
        by: 'system_supports_tlb_range()',
      },
    ],
    scenario: 'unmap one page of a table that stays, guest maps it cacheable',
    machine: RANGE,
    expected: 'verified',
  },
  {
    name: 'the deferred flush never comes',
    edits: [
      {
        file: PGTABLE,
        what: /(stage2_unmap_defer_tlb_flush\(pgt\)\)[^;]*?)kvm_tlb_flush_vmid_range\(pgt->mmu, addr, size\);/,
        by: '$1;',
      },
    ],
    scenario: PAGE,
    machine: { ...RANGE, ...FWB },
    expected: 'no-access-after-return',
  },
  {
    name: 'the deferred flush is one page short',
    edits: [
      {
        file: PGTABLE,
        what: /kvm_tlb_flush_vmid_range\(pgt->mmu, addr, size\);/,
        by: 'kvm_tlb_flush_vmid_range(pgt->mmu, addr, size - PAGE_SIZE);',
      },
    ],
    scenario: 'unmap a range past the threshold of a range flush',
    machine: { ...RANGE, ...FWB },
    expected: 'no-access-after-return',
  },
  {
    name: 'no stage-1 invalidation after the range',
    edits: [
      { file: VHE, what: /(ipas2e1is, start[^]*?dsb\(ish\);\s*)__tlbi\(vmalle1is\);/, by: '$1' },
    ],
    scenario: PAGE,
    machine: { ...RANGE, ...FWB },
    expected: 'no-access-after-return',
  },
  {
    name: 'one page of the table is flushed when a block takes its place',
    edits: [
      {
        file: PGTABLE,
        what: /kvm_tlb_flush_vmid_range\(mmu, addr, size\);(?=\s*\} else)/,
        by: 'kvm_call_hyp(__kvm_tlb_flush_vmid_ipa, mmu, addr, TLBI_TTL_UNKNOWN);',
      },
    ],
    scenario: 'map a block over a table of pages',
    machine: FWB,
    expected: 'break-before-make',
  },
  {
    name: 'an entry is broken without an invalidation',
    edits: [
      {
        file: PGTABLE,
        what: /return unlikely\(ctx->flags & KVM_PGTABLE_WALK_SKIP_BBM_TLBI\);/,
        by: 'return true;',
      },
    ],
    scenario: 'map another page in the place of one',
    machine: FWB,
    expected: 'break-before-make',
  },
  {
    name: 'a block is split without an invalidation',
    edits: [
      {
        file: PGTABLE,
        what: /return unlikely\(ctx->flags & KVM_PGTABLE_WALK_SKIP_BBM_TLBI\);/,
        by: 'return true;',
      },
    ],
    scenario: 'split a block into pages ahead of time',
    machine: FWB,
    expected: 'break-before-make',
  },
  {
    name: 'an unlinked table is freed without a grace period',
    edits: [
      {
        file: MMU,
        what: /call_rcu\(&page->rcu_head, stage2_free_unlinked_table_rcu_cb\);/,
        by: 'stage2_free_unlinked_table_rcu_cb(&page->rcu_head);',
      },
    ],
    scenario: 'one CPU maps a block over a table in which another makes a page young',
    machine: FWB,
    expected: 'no-use-of-freed-table',
  },
  {
    name: 'two walkers store an entry where they should compare and swap it',
    edits: [
      {
        file: PGTABLE,
        what: /return cmpxchg\(ctx->ptep, ctx->old, new\) == ctx->old;/,
        by: 'WRITE_ONCE(*ctx->ptep, new);\n\treturn true;',
      },
    ],
    scenario: 'two CPUs handle a fault on the same page',
    machine: FWB,
    expected: 'checks-hold',
  },
  {
    name: 'write protection without a flush',
    edits: [
      {
        file: MMU,
        what: /(kvm_arch_flush_remote_tlbs\(struct kvm \*kvm\)\s*\{\s*)kvm_call_hyp\([^;]*;/,
        by: '$1',
      },
    ],
    scenario: 'write-protect a page and a block, flush the VM',
    machine: FWB,
    expected: 'permissions-after-return',
  },
  {
    name: 'the VMID of the VM stays in force at EL1',
    edits: [{ file: NVHE, what: /else\s*__load_host_stage2\(\);(\s*\/\* Ensure)/, by: '$1' }],
    scenario: PAGE,
    machine: NO_VHE,
    expected: 'right-vmid',
  },
];

describe.each([
  { version: '6.1', tree: tree61, cases: [...COMMON, ...OF_6_1] },
  { version: '6.12', tree: tree612, cases: [...COMMON, ...OF_6_12] },
])('single wrong steps in the C of $version', { timeout: 60_000 }, ({ tree, cases }) => {
  for (const { name, edits, scenario, machine, expected } of cases) {
    test.skipIf(tree.root === null)(`${needing(tree, `${name}: ${expected}`)}`, () => {
      expect(verdictOf(baseOf(tree), scenario, machine)).toBe('verified');
      const edited = opened(tree, edits, undefined, baseOf(tree));
      expect(verdictOf(edited, scenario, machine)).toBe(expected);
    });
  }
});
