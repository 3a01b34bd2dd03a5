import { beforeAll, describe, expect, test } from 'vitest';
import type { Features } from '../../../src/arm64/features.ts';
import type { LoadedTree } from '../../../src/scenario/kernel/family.ts';
import { needing, type Tree, treeOf } from '../../frontend/kernel-c/trees.ts';
import { type Edit, opened, verdictOf } from './on-tree.ts';

const MMU = 'arch/arm64/kvm/mmu.c';
const PGTABLE = 'arch/arm64/kvm/hyp/pgtable.c';
const MAIN = 'virt/kvm/kvm_main.c';
const HOST = 'include/linux/kvm_host.h';

const ABORT = 'a vCPU faults on a page that the host takes away';
const PERMISSION = 'a vCPU wants to write to a page that the host takes away';
const FWB: Partial<Features> = { fwb: true };
const REUSED = 'no-reuse-under-translation';

/** The releases whose fault path is run. */
const VERSIONS = '5.10 5.15 5.17 5.19 6.1 6.2 6.5 6.6 6.8 6.12 6.13 6.14 6.19 7.1'.split(' ');

/** Each of these stands once in the fault path; guest_memfd has a path of its own, which comes before. */
const SEQUENCE = last(/(?:s2vi->)?mmu_seq = (?:vcpu->)?kvm->mmu_(?:invalidate|notifier)_seq;/);
const RETRY = last(/mmu_(?:invalidate|notifier)_retry\(kvm, (?:s2vi->)?mmu_seq\)/);
const LOOKED_UP = last(
  /\n\tif \((?:pfn == KVM_PFN_ERR_HWPOISON|unlikely\(is_error_noslot_pfn\(s2vi->pfn\)\))\) \{/,
);
const LOCKED = last(
  /\t(?:if \(use_read_lock\)\s*read_lock\(&kvm->mmu_lock\);\s*else\s*write_lock\(&kvm->mmu_lock\)|(?:read|spin)_lock\(&kvm->mmu_lock\)|kvm_fault_lock\(kvm\));\n(?=\tpgt = )/,
);
const UNLOCKED = last(
  /(?<=out_unlock:\n(?:\tkvm_release_faultin_page\([^;]*;\n)?)\t(?:if \(use_read_lock\)\s*read_unlock\(&kvm->mmu_lock\);\s*else\s*write_unlock\(&kvm->mmu_lock\)|(?:read|spin)_unlock\(&kvm->mmu_lock\)|kvm_fault_unlock\(kvm\));/,
);
const UNLOCKED_EDITS: readonly Edit[] = [
  { file: MMU, what: LOCKED, by: '' },
  // A label needs a statement.
  { file: MMU, what: UNLOCKED, by: '\t;' },
];

/** The last place that a pattern has in a text. */
function last({ source }: RegExp): RegExp {
  return new RegExp(`${source}(?![^]*${source})`);
}

/** 100baf018489 in our own words: 6.8 to 6.19 flush with a level that nobody has set. */
const LEVEL: Edit = {
  file: PGTABLE,
  what: /(if \(!ret \|\| ret == -EAGAIN\)\s*kvm_call_hyp\(__kvm_tlb_flush_vmid_ipa_nsh, pgt->mmu, addr, )level\)/,
  by: '$1ret ? TLBI_TTL_UNKNOWN : level)',
};

/** A change of the fault path or of the notifier: what it leads to, and why where that is nothing. */
interface Case {
  readonly name: string;
  /** `null` where the tree has nothing to be changed. */
  readonly edits: (tree: Tree) => readonly Edit[] | null;
  readonly scenario?: string;
  readonly expected: string;
}

const CASES: readonly Case[] = [
  {
    name: 'no retry',
    edits: () => [{ file: MMU, what: RETRY, by: '0' }],
    expected: REUSED,
  },
  {
    name: 'no retry of a permission fault: harmless, for a right is only given to an entry that is there',
    edits: () => [{ file: MMU, what: RETRY, by: '0' }],
    scenario: PERMISSION,
    expected: 'verified',
  },
  {
    name: 'the sequence is read after the page was looked up',
    edits: (tree) => {
      const here = textOf(tree, MMU, SEQUENCE);
      // Where another function looks the page up it has other names for the VM.
      const there = here.startsWith('s2vi->')
        ? here.replace('= kvm->', '= s2fd->vcpu->kvm->')
        : here;
      return [
        { file: MMU, what: SEQUENCE, by: '' },
        { file: MMU, what: LOOKED_UP, by: `\n\t${there}$&` },
      ];
    },
    expected: REUSED,
  },
  {
    name: 'the sequence is read after mmap_read_unlock(): not noticed, see "loads of the host" in docs/limits.md',
    edits: (tree) => {
      const what = new RegExp(`(${SEQUENCE.source})\\s*(mmap_read_unlock\\(current->mm\\);)`);
      return has(tree, MMU, what) ? [{ file: MMU, what, by: '$2\n\t$1' }] : null;
    },
    expected: 'verified',
  },
  {
    name: 'no barrier between sequence and look-up: not noticed, see "loads of the host" in docs/limits.md',
    edits: (tree) => {
      const what = /(mmu_seq = [^;]*;[^;]*)smp_rmb\(\);/;
      return has(tree, MMU, what) ? [{ file: MMU, what, by: '$1' }] : null;
    },
    expected: 'verified',
  },
  {
    name: 'the retry is decided before the lock is taken',
    edits: (tree) => [
      { file: MMU, what: RETRY, by: 'retry' },
      { file: MMU, what: LOCKED, by: `\tbool retry = ${textOf(tree, MMU, RETRY)};\n$&` },
    ],
    expected: REUSED,
  },
  {
    name: 'the page is mapped without the lock',
    edits: () => UNLOCKED_EDITS,
    expected: 'tables-change-under-lock',
  },
  {
    name: 'a permission is given without the lock',
    edits: () => UNLOCKED_EDITS,
    scenario: PERMISSION,
    expected: 'tables-change-under-lock',
  },
  {
    name: 'no look at what is in progress',
    edits: () => [
      {
        file: HOST,
        what: /if \(unlikely\(kvm->mmu_(?:invalidate_in_progress|notifier_count)\)\)\s*return 1;/,
        by: '',
      },
    ],
    expected: REUSED,
  },
  {
    name: 'no look at the sequence',
    edits: () => [
      {
        file: HOST,
        what: /if \(kvm->mmu_(?:invalidate|notifier)_seq != mmu_seq\)\s*return 1;\s*return 0;/,
        by: 'return 0;',
      },
    ],
    expected: REUSED,
  },
  {
    name: 'the notifier does not count',
    edits: () => [{ file: MAIN, what: last(/kvm->mmu_(?:invalidate|notifier)_seq\+\+;/), by: '' }],
    expected: REUSED,
  },
  {
    name: 'no barriers between sequence and count: harmless, for both sides hold the lock',
    edits: () => [
      {
        file: MAIN,
        what: /(kvm->mmu_(?:invalidate|notifier)_seq\+\+;\s*)smp_wmb\(\);/,
        by: '$1',
      },
      {
        file: HOST,
        what: /(if \(unlikely\(kvm->mmu_(?:invalidate_in_progress|notifier_count)\)\)[^]*?)smp_rmb\(\);/,
        by: '$1',
      },
    ],
    expected: 'verified',
  },
];

function has({ read }: Tree, file: string, what: RegExp): boolean {
  return what.test(read(file) ?? '');
}

function textOf({ read, variable }: Tree, file: string, what: RegExp): string {
  const found = what.exec(read(file) ?? '')?.[0];
  if (found === undefined) throw new Error(`${variable}: ${file} does not hold ${what.source}`);
  return found;
}

describe.each(VERSIONS.map((version) => ({ version, tree: treeOf(version) })))(
  'changes of the fault path and the notifier of $version',
  { timeout: 60_000 },
  ({ tree }) => {
    const mended = has(tree, PGTABLE, LEVEL.what) ? [LEVEL] : [];
    let base: LoadedTree;

    beforeAll(() => {
      if (tree.root !== null) base = opened(tree, mended);
    }, 60_000);

    for (const { name, edits, scenario = ABORT, expected } of CASES) {
      const skipped = tree.root === null;
      const changes = skipped ? [] : edits(tree);
      if (changes === null) continue;
      test.skipIf(skipped)(`${needing(tree, `${name}: ${expected}`)}`, () => {
        expect(verdictOf(base, scenario, FWB)).toBe('verified');
        const edited = opened(tree, [...mended, ...changes], undefined, base);
        expect(verdictOf(edited, scenario, FWB)).toBe(expected);
      });
    }

    test.skipIf(tree.root === null)(
      `${needing(tree, 'the retry is decided both ways: the race is reached, on both sides of the lock')}`,
      () => {
        const loaded = opened(tree, mended);
        expect(verdictOf(loaded, ABORT, FWB)).toBe('verified');
        const [kernel] = loaded.kernels();
        const reached = [...(kernel?.program.reached ?? [])];
        const retry = reached.find(([{ name }]) => /^mmu_\w+_retry$/.test(name))?.[1];
        // Each of its two branches has gone each way.
        expect(retry?.outcomes.filter((ways) => ways !== 0)).toEqual(new Uint8Array([3, 3]));
        const names = reached.map(([{ name }]) => name);
        expect(names.some((name) => name.startsWith('stage2_map_walker_try_leaf'))).toBe(true);
      },
    );
  },
);
