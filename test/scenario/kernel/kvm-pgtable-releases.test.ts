import { describe, expect, test } from 'vitest';
import type { Features } from '../../../src/arm64/features.ts';
import type { LoadedTree } from '../../../src/scenario/kernel/family.ts';
import {
  needing,
  type Tree,
  tree510,
  tree515,
  tree619,
  tree66,
} from '../../frontend/kernel-c/trees.ts';
import { type Edit, MACHINES, opened, verdictOf } from './on-tree.ts';

const PGTABLE = 'arch/arm64/kvm/hyp/pgtable.c';
const TABLE = 'unmap two pages of one table that is freed';
const PERMISSION = 'a vCPU wants to write to a page that the host takes away';
const TWO_FAULTS = 'one CPU gives the right to write back while another makes the page young';

/** A defect that a release has, and that a later commit of the kernel mended. */
interface Defect {
  readonly commit: string;
  readonly why: string;
  readonly shows: (machine: Partial<Features>) => boolean;
}

/** 36e008323926: the hint speaks of a leaf, so a PE with FEAT_TTL may keep what it has of the table. */
const TABLE_HINT: Defect = {
  commit: '36e008323926',
  why: 'the level of a table entry is given as a hint',
  shows: ({ ttl = false }) => ttl,
};

/** f62d4c3eb687: the table is freed although the TLBIs for its entry come after the walk. */
const DEFERRED: Defect = {
  commit: 'f62d4c3eb687',
  why: 'the TLBI for a table entry is deferred until after the table was freed',
  shows: ({ tlbiRange = false, fwb = false }) => tlbiRange && fwb,
};

interface Release {
  readonly version: string;
  readonly tree: Tree;
  readonly defects: readonly Defect[];
  /** What the commits change, in our own words. */
  readonly mended: readonly Edit[];
}

const RELEASES: readonly Release[] = [
  ...[
    { version: '5.10', tree: tree510 },
    { version: '5.15', tree: tree515 },
  ].map((release): Release => ({
    ...release,
    defects: [TABLE_HINT],
    mended: [{ file: PGTABLE, what: /(__kvm_tlb_flush_vmid_ipa, mmu, addr, )level/, by: '$10' }],
  })),
  {
    version: '6.6',
    tree: tree66,
    defects: [TABLE_HINT, DEFERRED],
    mended: [
      {
        file: PGTABLE,
        what: /if \(!stage2_unmap_defer_tlb_flush\(pgt\)\)(\s*kvm_call_hyp\(__kvm_tlb_flush_vmid_ipa, mmu,\s*ctx->addr, )(ctx->level\);)/,
        by: 'if (kvm_pte_table(ctx->old, ctx->level))$10);\nelse if (!stage2_unmap_defer_tlb_flush(pgt))$1$2',
      },
    ],
  },
];

const HINTED: readonly Partial<Features>[] = [{ ttl: true }, { ttl: true, fwb: true }];

function found(loaded: LoadedTree, machine: Partial<Features>): readonly string[] {
  return loaded.scenarios.flatMap(({ name }) => {
    const verdict = verdictOf(loaded, name, machine);
    return verdict === 'verified' || verdict.startsWith('impossible')
      ? []
      : [`${name}: ${verdict}`];
  });
}

describe.each(RELEASES)('the real C of $version', { timeout: 300_000 }, (release) => {
  const { tree, defects, mended } = release;
  const machines = [...MACHINES, ...HINTED];

  test.skipIf(tree.root === null)(
    `${needing(tree, 'is safe where no defect that was mended later shows')}`,
    () => {
      const loaded = opened(tree);
      for (const machine of machines) {
        if (defects.some(({ shows }) => shows(machine))) continue;
        expect([machine, found(loaded, machine)]).toEqual([machine, []]);
      }
    },
  );

  for (const { commit, why, shows } of defects) {
    test.skipIf(tree.root === null)(`${needing(tree, why)}, mended by ${commit}`, () => {
      const loaded = opened(tree);
      const machine = machines.find(shows);
      expect(verdictOf(loaded, TABLE, machine)).toBe('no-walk-of-freed-table');
    });
  }

  test.skipIf(tree.root === null)(`${needing(tree, 'with that mended is safe everywhere')}`, () => {
    const loaded = opened(tree, mended);
    for (const machine of machines) {
      if (!defects.some(({ shows }) => shows(machine))) continue;
      expect([machine, found(loaded, machine)]).toEqual([machine, []]);
    }
  });
});

/** 100baf018489: after -EAGAIN nobody has set the level. */
const LEVEL: Edit = {
  file: PGTABLE,
  what: /(if \(!ret \|\| ret == -EAGAIN\)\s*kvm_call_hyp\(__kvm_tlb_flush_vmid_ipa_nsh, pgt->mmu, addr, )level\)/,
  by: '$1ret ? TLBI_TTL_UNKNOWN : level)',
};

describe('the real C of 6.19', { timeout: 300_000 }, () => {
  test.skipIf(tree619.root === null)(
    `${needing(tree619, 'uses a level that nobody has set, and is safe where 100baf018489 is applied')}`,
    () => {
      const loaded = opened(tree619);
      for (const name of [TWO_FAULTS, PERMISSION]) {
        expect(() => verdictOf(loaded, name)).toThrow('level is read before it has a value');
      }
      const mended = opened(tree619, [LEVEL], undefined, loaded);
      for (const machine of [{}, { fwb: true, tlbiOs: true, tlbiRange: true, ttl: true }]) {
        expect([machine, found(mended, machine)]).toEqual([machine, []]);
      }
    },
  );
});
