import { describe, expect, test } from 'vitest';
import type { LoadedTree } from '../../../src/scenario/kernel/family.ts';
import { needing, type Tree, tree61, tree612 } from '../../frontend/kernel-c/trees.ts';
import { type Edit, MACHINES, opened, verdictOf } from './on-tree.ts';

const trees = new Map<Tree, LoadedTree>();

function asItIs(tree: Tree): LoadedTree {
  const known = trees.get(tree) ?? opened(tree);
  trees.set(tree, known);
  return known;
}

const TLB = 'arch/arm64/kvm/hyp/vhe/tlb.c';
const UNMAP = 'unmap one page of a table that stays';

const NO_FIRST_WAIT: Edit = {
  file: TLB,
  what: /(__tlbi_level\(ipas2e1is[^]*?)dsb\(ish\);/,
  by: '$1',
};

describe.each([[tree61], [tree612]])('the real C of 6.x', { timeout: 60_000 }, (tree) => {
  test.skipIf(tree.root === null)(`${needing(tree, 'is safe as it is, on every machine')}`, () => {
    for (const { name } of asItIs(tree).scenarios) {
      for (const machine of MACHINES) {
        const verdict = verdictOf(asItIs(tree), name, machine);
        if (verdict.startsWith('impossible')) continue;
        expect([name, machine, verdict]).toEqual([name, machine, 'verified']);
      }
    }
  });

  test.skipIf(tree.root === null)(`${needing(tree, 'is refuted without a DSB')}`, () => {
    const broken = opened(tree, [NO_FIRST_WAIT]);
    expect(verdictOf(broken, UNMAP, { fwb: true })).toBe('no-access-after-return');
  });
});
