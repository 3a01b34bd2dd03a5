import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DEFAULT_FEATURES, type Features } from '../../src/arm64/features.ts';
import { applyPatch } from '../../src/frontend/kernel-c/patch/apply-patch.ts';
import { parsePatch } from '../../src/frontend/kernel-c/patch/parse-patch.ts';
import { type Kernel, loadKernel } from '../../src/frontend/kernel-c/profile/kernel.ts';
import { KVM_V5_8, KVM_V5_8_NVHE } from '../../src/frontend/kernel-c/profile/kvm-v5_8.ts';
import { defaultScenario, type Scenario } from '../../src/scenario/scenario.ts';
import { needing, tree58 } from '../frontend/kernel-c/trees.ts';
import { ok, verdictOfKernel } from './on-kernel.ts';

const SEED = process.env['TLBGATE_SEED'] ?? '../shared/seed/343304b125a2bcfd.txt';
const ready = tree58.root !== null && existsSync(SEED);

const MMU = 'arch/arm64/kvm/mmu.c';
const TLB = 'arch/arm64/kvm/hyp/tlb.c';

/** A step taken out of the patched C or changed: file, first text of the part, and what is replaced. */
interface Edit {
  readonly file: string;
  readonly from: string;
  readonly until: string;
  readonly what: RegExp;
  readonly by: string;
}

const RANGE_FLUSH = { file: TLB, from: '__kvm_tlb_flush_vmid_range(', until: '\n}\n' };

const EDITS = {
  none: null,
  'no table flush': {
    file: MMU,
    from: 'void clear_stage2_p4d_entry(',
    until: 'void kvm_set_pte(',
    what: /kvm_tlb_flush_vmid_ipa\(kvm, addr\);/g,
    by: '',
  },
  'no middle DSB': { ...RANGE_FLUSH, what: /dsb\(ish\);(?=\s*__tlbi\(vmalle1is\))/, by: '' },
  'local TLBIs': { ...RANGE_FLUSH, what: /e1is/g, by: 'e1' },
  'stage 1 only when large': { ...RANGE_FLUSH, what: /vmalls12e1is/, by: 'vmalle1is' },
} as const satisfies Readonly<Record<string, Edit | null>>;

type EditName = keyof typeof EDITS | 'base';

const loaded = new Map<string, Kernel>();

function kernel(edit: EditName, vhe: boolean): Kernel {
  const key = `${edit} ${vhe}`;
  const known = loaded.get(key);
  if (known !== undefined) return known;
  const seed = applyPatch(parsePatch(readFileSync(SEED, 'utf8')), tree58.read).overlay;
  const overlay = new Map(edit === 'base' ? [] : seed);
  const change = edit === 'base' ? null : EDITS[edit];
  if (change !== null) {
    const text = overlay.get(change.file) ?? '';
    const start = text.indexOf(change.from);
    const end = text.indexOf(change.until, start);
    const part = text.slice(start, end);
    const after = part.replace(change.what, change.by);
    if (start < 0 || end < 0 || after === part) throw new Error(`${edit} changes nothing`);
    overlay.set(change.file, text.slice(0, start) + after + text.slice(end));
  }
  const made = ok(loadKernel(vhe ? KVM_V5_8 : KVM_V5_8_NVHE, tree58.read, overlay));
  loaded.set(key, made);
  return made;
}

const FWB: Partial<Features> = { fwb: true };
const EL1: Partial<Features> = { vhe: false, e2h: false };
const LEAF: Partial<Scenario> = { pages: 1, layout: 'adjacent', keepTables: true };
const ONE_TABLE: Partial<Scenario> = { layout: 'adjacent' };
const INSIDE: Partial<Scenario> = {
  pages: 1,
  layout: 'adjacent',
  mapping: 'block',
  range: 'inside-block',
};

type Row = readonly [number, string, EditName, Partial<Features>, Partial<Scenario>, string];

/** Rows of seed.md 1.5 that the profile can be asked: 4K, one host thread, no fault path. */
const ROWS: readonly Row[] = [
  [1, 'MMU off', 'none', {}, LEAF, 'refuted P5'],
  [1, 'non-cacheable', 'none', {}, { ...LEAF, view: 'non-cacheable' }, 'refuted P5'],
  [1, 'host at EL1', 'none', EL1, LEAF, 'refuted P5'],
  [2, 'two pages, cacheable', 'none', {}, { view: 'cacheable' }, 'verified'],
  [3, 'two pages, MMU off', 'none', FWB, {}, 'verified'],
  [3, 'non-cacheable', 'none', FWB, { ...LEAF, view: 'non-cacheable' }, 'verified'],
  [4, 'without the per-table flush', 'no table flush', FWB, {}, 'refuted P3'],
  [4, 'baseline', 'base', { ...FWB, readingTableDropByAnyIpa: false }, {}, 'refuted P3'],
  [4, 'seed', 'none', { ...FWB, readingTableDropByAnyIpa: false }, {}, 'refuted P3'],
  [5, 'two pages of one table that dissolves', 'none', FWB, ONE_TABLE, 'verified'],
  [6, 'host at EL1', 'none', { ...FWB, ...EL1 }, {}, 'verified'],
  [13, 'range inside of a block', 'none', FWB, INSIDE, 'verified'],
  [14, '512 pages', 'none', FWB, { ...LEAF, range: 'wide' }, 'verified'],
  [
    14,
    '512 pages, stage-1 operation only',
    'stage 1 only when large',
    FWB,
    { ...LEAF, range: 'wide' },
    'refuted P1 P2',
  ],
  [15, 'two pages of one table', 'none', FWB, { ...ONE_TABLE, keepTables: true }, 'verified'],
  [16, 'DSB between the stages', 'none', FWB, LEAF, 'verified'],
  [16, 'removed', 'no middle DSB', FWB, LEAF, 'refuted P1 P2'],
  [17, 'broadcast, two vCPUs', 'none', FWB, { ...LEAF, vcpus: 2 }, 'verified'],
  [17, 'local', 'local TLBIs', FWB, LEAF, 'refuted P1 P2'],
  [20, 'a second VM', 'none', FWB, { pages: 1, layout: 'adjacent', secondVm: true }, 'verified'],
  [21, 'unknown core', 'none', { ...FWB, erratumRepeatTlbi: true }, LEAF, 'refuted P10 P1 P2'],
  [22, 'nothing mapped', 'none', FWB, { ...LEAF, mapping: 'unmapped' }, 'verified'],
];

describe('the verdict table of the seed, from the C', { timeout: 120_000 }, () => {
  for (const [row, what, edit, features, change, expected] of ROWS) {
    test.skipIf(!ready)(`${needing(tree58, `row ${row}: ${what}: ${expected}`)}`, () => {
      const machine = { ...DEFAULT_FEATURES, ...features };
      const scenario = { ...defaultScenario('unmap-stage2-range/c', machine), ...change };
      expect(verdictOfKernel(kernel(edit, machine.vhe), scenario)).toBe(expected);
    });
  }
});
