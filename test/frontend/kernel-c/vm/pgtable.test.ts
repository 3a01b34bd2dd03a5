import { describe, expect, test } from 'vitest';
import { needing, type Tree, tree61, tree612 } from '../trees.ts';
import { type Line, loadUnits, trace, type World } from './world.ts';

/**
 * The stage-2 code of 6.x maps two pages and unmaps them. The tables are made by the kernel's own
 * mapping function from frames that the outside hands out; the operations of the page-table code are C
 * text of ours, so their calls are events.
 */
const scenario = (map: string): string => `
extern void tlbgate_get_page(void *p);
extern void tlbgate_put_page(void *p);
extern int tlbgate_page_count(void *p);
extern void *tlbgate_zalloc_page(void *cache);
extern void tlbgate_clean(void *p, size_t size);
static void *tlbgate_va(phys_addr_t pa) { return (void *)(pa | 0xffff000000000000UL); }
static phys_addr_t tlbgate_pa(void *va) { return (phys_addr_t)va & ~0xffff000000000000UL; }
static struct kvm_pgtable_mm_ops tlbgate_ops = {
	.zalloc_page = tlbgate_zalloc_page,
	.get_page = tlbgate_get_page,
	.put_page = tlbgate_put_page,
	.page_count = tlbgate_page_count,
	.phys_to_virt = tlbgate_va,
	.virt_to_phys = tlbgate_pa,
	.dcache_clean_inval_poc = tlbgate_clean,
	.icache_inval_pou = tlbgate_clean,
};
static struct kvm tlbgate_kvm;
static struct kvm_pgtable tlbgate_pgt = {
	.ia_bits = 40,
	.start_level = 1,
	.pgd = (void *)0xffff000000200000UL,
	.mm_ops = &tlbgate_ops,
	.mmu = &tlbgate_kvm.arch.mmu,
};
int tlbgate_map_unmap(unsigned long ipa)
{
	struct kvm_s2_mmu *mmu = &tlbgate_kvm.arch.mmu;
	int ret;

	mmu->arch = &tlbgate_kvm.arch;
	mmu->pgt = &tlbgate_pgt;
	mmu->pgd_phys = 0x200000;
	atomic64_set(&mmu->vmid.id, 5);
	ret = ${map};
	if (ret)
		return ret;
	return kvm_pgtable_stage2_unmap(&tlbgate_pgt, ipa, 2 * PAGE_SIZE);
}
`;

const CALL =
  'kvm_pgtable_stage2_map(&tlbgate_pgt, ipa, 2 * PAGE_SIZE, 0x4000000, KVM_PGTABLE_PROT_R | KVM_PGTABLE_PROT_W, (void *)1';
const UNITS = ['arch/arm64/kvm/hyp/pgtable.c', 'arch/arm64/kvm/hyp/vhe/tlb.c'];

function world(features: { readonly fwb: boolean }): World {
  const words = new Map<bigint, bigint>();
  for (let address = 0xffff_0000_0020_0000n; address < 0xffff_0000_0020_4000n; address += 8n) {
    words.set(address, 0n);
  }
  const fwb = features.fwb ? 1n : 0n;
  const results = {
    has_vhe: 1n,
    is_kernel_in_hyp_mode: 1n,
    cpus_have_final_cap: 0n,
    cpus_have_const_cap: 0n,
    alternative_has_cap_likely: 0n,
    alternative_has_cap_unlikely: 0n,
    stage2_has_fwb: fwb,
    kvm_get_running_vcpu: 0n,
    rcu_read_lock_held: 1n,
    tlbgate_page_count: 1n,
    tlbgate_zalloc_page: 0n,
  };
  return {
    words,
    globals: { kvm_arm_vmid_bits: 8n, arm64_use_ng_mappings: 0n },
    results,
    registers: {},
  };
}

function run(tree: Tree, fwb: boolean): readonly Line[] {
  const made = world({ fwb });
  // Each allocation gets the next frame.
  let frame = 0xffff_0000_0020_0000n;
  const results = new Proxy(made.results, {
    get: (all, name) => {
      if (name === 'tlbgate_zalloc_page') return (frame += 0x1000n);
      return typeof name === 'string' ? all[name] : undefined;
    },
  });
  const call = tree === tree61 ? `${CALL})` : `${CALL}, 0)`;
  const intercepts = Object.keys(made.results).filter((name) => !name.startsWith('tlbgate'));
  const program = loadUnits(tree, new Map(), UNITS, scenario(call), intercepts);
  return trace(program, 'tlbgate_map_unmap', [0x8000_0000n], { ...made, results });
}

function essence(lines: readonly Line[]): string[] {
  return lines
    .map((line) => line.text)
    .filter((text) => /^(?:store|tlbi|dsb|tlbgate_clean|tlbgate_put|tlbgate_zalloc)/.test(text));
}

describe.each([[tree61], [tree612]] as const)('the real C of 6.x', (tree) => {
  test.skipIf(tree.root === null)(
    `${needing(tree, 'maps and unmaps two pages: each is cleared, invalidated, cleaned, let go')}`,
    () => {
      const lines = essence(run(tree, false));
      const unmapped = lines.slice(lines.findIndex((text) => /^store \w+ 0$/.test(text)));
      expect(lines.filter((text) => text === 'tlbgate_zalloc_page')).toHaveLength(2);
      const pages = unmapped.filter((text) => /^store ffff00000020200[08] 0$/.test(text));
      expect(pages).toHaveLength(2);
      const tlbis = unmapped.filter((text) => text.startsWith('tlbi ipas2e1is'));
      expect(tlbis.slice(0, 2).map((text) => text.replace(/^.* /, ''))).toEqual([
        '[80000]',
        '[80001]',
      ]);
      for (const page of pages) {
        const rest = unmapped.slice(unmapped.indexOf(page) + 1);
        const order = [
          'tlbi ipas2e1is',
          'dsb ish',
          'tlbi vmalle1is',
          'dsb ish',
          'tlbgate_put_page',
        ];
        let at = -1;
        for (const wanted of order) {
          at = rest.findIndex((text, i) => i > at && text.startsWith(wanted));
          expect([page, wanted, at]).not.toEqual([page, wanted, -1]);
        }
      }
      // Without FWB the data cache is cleaned for each page.
      expect(unmapped.filter((text) => text === 'tlbgate_clean').length).toBeGreaterThanOrEqual(2);
    },
  );
});
