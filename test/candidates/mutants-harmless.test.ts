import { expect, it } from 'vitest';
import { harmlessReason } from '../../src/candidates/mutants/harmless.ts';

const BASE = 'unmap-stage2-range/per-page-flush';

it('has an argument for redundant steps only', () => {
  const redundant = `${BASE}#drop@dsb at kvm_set_pte:200 < unmap_stage2_ptes:269`;
  const needed = [
    `${BASE}#drop@dsb at __kvm_tlb_flush_vmid_ipa:162 < unmap_stage2_ptes:270`,
    `${BASE}#drop@dsb at __kvm_tlb_flush_vmid_ipa:142 < unmap_stage2_pmds:298`,
    `${BASE}#leaf-only@IPAS2E1IS at __kvm_tlb_flush_vmid_ipa:154 < clear_stage2_pmd_entry:192`,
    `${BASE}#drop@dc civac at __flush_dcache_area:109 < unmap_stage2_ptes:274`,
    `${BASE}#free-before-flush@free-page at clear_stage2_pmd_entry:193`,
  ];
  expect(harmlessReason({ id: redundant })).toMatch(/tlb.c:142/);
  expect(needed.filter((id) => harmlessReason({ id }) !== null)).toEqual([]);
});
