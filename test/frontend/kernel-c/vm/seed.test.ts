import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { applyPatch } from '../../../../src/frontend/kernel-c/patch/apply-patch.ts';
import { parsePatch } from '../../../../src/frontend/kernel-c/patch/parse-patch.ts';
import { memberOfNamed } from '../../../../src/frontend/kernel-c/types/types.ts';
import type { Program } from '../../../../src/frontend/kernel-c/vm/program.ts';
import { needing, tree58 } from '../trees.ts';
import { type Line, loadUnits, trace, type World } from './world.ts';

const SEED = process.env['TLBGATE_SEED'] ?? '../shared/seed/343304b125a2bcfd.txt';
const ready = tree58.root !== null && existsSync(SEED);

const SCENARIO = `
void tlbgate_unmap(struct kvm *kvm, unsigned long start, unsigned long size)
{
	unmap_stage2_range(kvm, start, size);
}
`;

const RESULTS = {
  has_vhe: 1n,
  cpus_have_const_cap: 0n,
  cpus_have_final_cap: 0n,
  queued_spin_is_locked: 1n,
  page_count: 2n,
  kvm_is_device_pfn: 0n,
  pud_huge: 0n,
  pmd_huge: 0n,
};
const INTERCEPTS = [...Object.keys(RESULTS), 'put_page', '__flush_dcache_area', '__kern_hyp_va'];
const UNITS = ['arch/arm64/kvm/mmu.c', 'arch/arm64/kvm/hyp/tlb.c'];

const KVM = 0xffff_0000_0010_0000n;
const LINEAR = 0xffff_0000_0000_0000n;
const IPA = 0x8000_0000n;

/** A VM with 40 IPA bits: two pages of 4K at IPA, nothing else. */
function world(program: Program): World {
  const words = new Map<bigint, bigint>();
  const context = program.units[0];
  if (context === undefined) throw new Error('no unit');
  const offset = (record: string, member: string): bigint => {
    const found = memberOfNamed(context, record, member);
    if (found.kind === 'failed' || found.value === null) throw new Error(`${record}.${member}`);
    return BigInt(found.value.offset);
  };
  const arch = KVM + offset('struct kvm', 'arch');
  const [pgd, pmd, pte] = [0x20_0000n, 0x20_2000n, 0x20_3000n];
  words.set(arch + offset('struct kvm_arch', 'vmid'), 0n);
  words.set(arch + offset('struct kvm_arch', 'vmid') + 8n, 5n);
  words.set(arch + offset('struct kvm_arch', 'pgd'), LINEAR + pgd);
  words.set(arch + offset('struct kvm_arch', 'pgd_phys'), pgd);
  words.set(arch + offset('struct kvm_arch', 'vtcr'), 24n | (1n << 6n));
  for (let i = 0n; i < 512n; i++) {
    words.set(LINEAR + pgd + i * 8n, 0n);
    words.set(LINEAR + pmd + i * 8n, 0n);
    words.set(LINEAR + pte + i * 8n, 0n);
  }
  words.set(LINEAR + pgd + 8n * (IPA >> 30n), pmd | 3n);
  words.set(LINEAR + pmd, pte | 3n);
  words.set(LINEAR + pte, 0x400_0000n | 0x7ffn);
  words.set(LINEAR + pte + 8n, 0x400_1000n | 0x7ffn);
  const globals = {
    physvirt_offset: BigInt.asUintN(64, -LINEAR),
    memstart_addr: 0n,
    vmemmap: 0xffff_fdff_ffe0_0000n,
    kvm_vmid_bits: 8n,
  };
  return { words, globals, results: { ...RESULTS, __kern_hyp_va: KVM }, registers: {} };
}

function unmap(patched: boolean, pages: bigint): readonly Line[] {
  const patch = parsePatch(readFileSync(SEED, 'utf8'));
  const overlay = patched ? applyPatch(patch, tree58.read).overlay : new Map<string, string>();
  const program = loadUnits(tree58, overlay, UNITS, SCENARIO, INTERCEPTS);
  return trace(program, 'tlbgate_unmap', [KVM, IPA, pages * 0x1000n], world(program));
}

/** Only what touches tables, TLBs, caches and page references. */
function essence(lines: readonly Line[]): string[] {
  return lines
    .map((line) => line.text)
    .filter((text) => /^store|^tlbi|^dsb|^__flush_dcache|^put_page/.test(text));
}

const CLEAR = ['store ffff000000203000 0', 'store ffff000000203008 0'];
const flushed = (page: bigint): string[] => [
  'dsb ishst',
  'dsb ishst',
  `tlbi ipas2e1is, %0 [${((IPA >> 12n) + page).toString(16)}]`,
  'dsb ish',
  'tlbi vmalle1is',
  'dsb ish',
  '__flush_dcache_area',
  'put_page',
];
const late = ['dsb ishst', '__flush_dcache_area', 'put_page'];

describe('the real C of v5.8', () => {
  test.skipIf(!ready)(
    `${needing(tree58, 'before the seed: each entry is flushed at once')}`,
    () => {
      const lines = unmap(false, 2n);
      expect(essence(lines)).toEqual([CLEAR[0], ...flushed(0n), CLEAR[1], ...flushed(1n)]);
      const store = lines.find((line) => line.text.startsWith('store'));
      expect(store).toMatchObject({ file: 'arch/arm64/kvm/mmu.c', function: 'kvm_set_pte' });
    },
  );

  test.skipIf(!ready)(
    `${needing(tree58, 'after the seed: the cache is cleaned and the page let go before any TLBI')}`,
    () => {
      expect(essence(unmap(true, 2n))).toEqual([
        CLEAR[0],
        ...late,
        CLEAR[1],
        ...late,
        'dsb ishst',
        'tlbi ipas2e1is, %0 [80000]',
        'tlbi ipas2e1is, %0 [80001]',
        'dsb ish',
        'tlbi vmalle1is',
        'dsb ish',
      ]);
    },
  );

  test.skipIf(!ready)(
    `${needing(tree58, 'after the seed: 512 pages and more are flushed by one TLBI of the whole VMID')}`,
    () => {
      expect(essence(unmap(true, 512n))).toEqual([
        CLEAR[0],
        ...late,
        CLEAR[1],
        ...late,
        'dsb ishst',
        'tlbi vmalls12e1is',
        'dsb ish',
      ]);
    },
  );
});
