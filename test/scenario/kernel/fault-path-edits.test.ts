import { describe, expect, test } from 'vitest';
import type { Features } from '../../../src/arm64/features.ts';
import { needing, tree61, tree612 } from '../../frontend/kernel-c/trees.ts';
import { baseOf, type Edit, opened, verdictOf } from './on-tree.ts';

const MMU = 'arch/arm64/kvm/mmu.c';
const MAIN = 'virt/kvm/kvm_main.c';
const HOST = 'include/linux/kvm_host.h';

const ABORT = 'a vCPU faults on a page that the host takes away';
const PERMISSION = 'a vCPU wants to write to a page that the host takes away';
const FWB: Partial<Features> = { fwb: true };

const SEQUENCE = /mmu_seq = vcpu->kvm->mmu_invalidate_seq;/;
const REUSED = 'no-reuse-under-translation';
const LOCKED =
  /\t(?:if \(use_read_lock\)\s*read_lock\(&kvm->mmu_lock\);\s*else\s*write_lock|read_lock)\(&kvm->mmu_lock\);\n(?=\tpgt = )/;
const UNLOCKED =
  /(out_unlock:\n)\t(?:if \(use_read_lock\)\s*read_unlock\(&kvm->mmu_lock\);\s*else\s*write_unlock|read_unlock)\(&kvm->mmu_lock\);/;
const RETRY = /if \(mmu_invalidate_retry\(kvm, mmu_seq\)\)/;

/** A change of the fault path or of the notifier: what it leads to, and why where that is nothing. */
interface Case {
  readonly name: string;
  readonly edits: readonly Edit[];
  readonly scenario?: string;
  readonly expected: string;
}

const CASES: readonly Case[] = [
  {
    name: 'no retry',
    edits: [{ file: MMU, what: RETRY, by: 'if (0)' }],
    expected: REUSED,
  },
  {
    name: 'no retry of a permission fault: harmless, for a right is only given to an entry that is there',
    edits: [{ file: MMU, what: RETRY, by: 'if (0)' }],
    scenario: PERMISSION,
    expected: 'verified',
  },
  {
    name: 'the sequence is read after the page was looked up',
    edits: [
      { file: MMU, what: SEQUENCE, by: '' },
      {
        file: MMU,
        what: /(\n\tif \(pfn == KVM_PFN_ERR_HWPOISON\) \{)/,
        by: '\n\tmmu_seq = vcpu->kvm->mmu_invalidate_seq;$1',
      },
    ],
    expected: REUSED,
  },
  {
    name: 'the sequence is read after mmap_read_unlock(): not noticed, see "loads of the host" in docs/limits.md',
    edits: [
      {
        file: MMU,
        what: /(mmu_seq = vcpu->kvm->mmu_invalidate_seq;)\s*(mmap_read_unlock\(current->mm\);)/,
        by: '$2\n\t$1',
      },
    ],
    expected: 'verified',
  },
  {
    name: 'the retry is decided before the lock is taken',
    edits: [
      { file: MMU, what: /if \(mmu_invalidate_retry\(kvm, mmu_seq\)\)/, by: 'if (retry)' },
      { file: MMU, what: LOCKED, by: '\tbool retry = mmu_invalidate_retry(kvm, mmu_seq);\n$&' },
    ],
    expected: REUSED,
  },
  {
    name: 'the page is mapped without the lock',
    edits: [
      { file: MMU, what: LOCKED, by: '' },
      { file: MMU, what: UNLOCKED, by: '$1' },
    ],
    expected: 'tables-change-under-lock',
  },
  {
    name: 'a permission is given without the lock',
    edits: [
      { file: MMU, what: LOCKED, by: '' },
      { file: MMU, what: UNLOCKED, by: '$1' },
    ],
    scenario: PERMISSION,
    expected: 'tables-change-under-lock',
  },
  {
    name: 'no look at what is in progress',
    edits: [
      {
        file: HOST,
        what: /if \(unlikely\(kvm->mmu_invalidate_in_progress\)\)\s*return 1;/,
        by: '',
      },
    ],
    expected: REUSED,
  },
  {
    name: 'no look at the sequence',
    edits: [
      {
        file: HOST,
        what: /if \(kvm->mmu_invalidate_seq != mmu_seq\)\s*return 1;\s*return 0;/,
        by: 'return 0;',
      },
    ],
    expected: REUSED,
  },
  {
    name: 'the notifier does not count',
    edits: [{ file: MAIN, what: /kvm->mmu_invalidate_seq\+\+;/, by: '' }],
    expected: REUSED,
  },
  {
    name: 'no barriers between sequence and count: harmless, for both sides hold the lock',
    edits: [
      { file: MAIN, what: /(kvm->mmu_invalidate_seq\+\+;\s*)smp_wmb\(\);/, by: '$1' },
      {
        file: HOST,
        what: /(if \(unlikely\(kvm->mmu_invalidate_in_progress\)\)[^]*?)smp_rmb\(\);/,
        by: '$1',
      },
    ],
    expected: 'verified',
  },
];

describe.each([
  { version: '6.1', tree: tree61 },
  { version: '6.12', tree: tree612 },
])('changes of the fault path and the notifier of $version', { timeout: 60_000 }, ({ tree }) => {
  for (const { name, edits, scenario = ABORT, expected } of CASES) {
    test.skipIf(tree.root === null)(`${needing(tree, `${name}: ${expected}`)}`, () => {
      expect(verdictOf(baseOf(tree), scenario, FWB)).toBe('verified');
      const edited = opened(tree, edits, undefined, baseOf(tree));
      expect(verdictOf(edited, scenario, FWB)).toBe(expected);
    });
  }

  test.skipIf(tree.root === null)(
    `${needing(tree, 'the retry is decided both ways: the race is reached, on both sides of the lock')}`,
    () => {
      const loaded = opened(tree);
      expect(verdictOf(loaded, ABORT, FWB)).toBe('verified');
      const [kernel] = loaded.kernels();
      const reached = [...(kernel?.program.reached ?? [])];
      const retry = reached.find(([code]) => code.name === 'mmu_invalidate_retry')?.[1];
      // Each of its two branches has gone each way.
      expect(retry?.outcomes.filter((ways) => ways !== 0)).toEqual(new Uint8Array([3, 3]));
      expect(reached.map(([code]) => code.name)).toContain('stage2_map_walker_try_leaf');
    },
  );
});
