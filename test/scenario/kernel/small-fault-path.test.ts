import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DEFAULT_FEATURES } from '../../../src/arm64/features.ts';
import { openTree } from '../../../src/scenario/kernel/open-tree.ts';
import type { ScenarioSource } from '../../../src/scenario/kernel/scenario-file.ts';
import { readNewFaults, readOldFaults, readSmallFaults } from '../small-pgtable/fault-path.ts';
import { readSmallPgtable } from '../small-pgtable/tree.ts';
import { type Edit, opened, verdictOf } from './on-tree.ts';

const MMU = 'arch/arm64/kvm/mmu.c';
const MAIN = 'virt/kvm/kvm_main.c';
const SMALL = { read: readSmallFaults };
const NAME = 'a vCPU faults on a page that the host takes away';
const LIBRARY = 'scenarios/kvm-pgtable/abort-beside-notifier.c';
const FILE: ScenarioSource = { path: LIBRARY, text: readFileSync(LIBRARY, 'utf8') };

const RETRY =
  /if \(kvm->mmu_invalidate_in_progress \|\| kvm->mmu_invalidate_seq != seq\)\s*goto out;/;

function verdict(edits: readonly Edit[], machine = {}): string {
  return verdictOf(opened(SMALL, edits, [FILE]), NAME, machine);
}

describe('a small fault path beside a small notifier', () => {
  test('is safe, with both counters in memory that both CPUs see', () => {
    const tree = opened(SMALL, [], [FILE]);
    expect(verdictOf(tree, NAME)).toBe('verified');
    expect(verdict([], { fwb: true })).toBe('verified');
    expect(verdict([], { vhe: false, e2h: false, fwb: true })).toBe('verified');
    const assumed = tree.assumed().map(({ name, value }) => `${name}: ${value}`);
    expect(assumed).toContain('__gfn_to_pfn_memslot: C of the profile instead');
    expect(assumed).not.toContain('vma_lookup: C of the profile instead');
  });

  test('each half of the check matters, and so do its place and what the notifier does', () => {
    const wrong: readonly (readonly Edit[])[] = [
      [{ file: MMU, what: RETRY, by: '' }],
      [{ file: MMU, what: /kvm->mmu_invalidate_in_progress \|\| /, by: '' }],
      [{ file: MMU, what: / \|\| kvm->mmu_invalidate_seq != seq/, by: '' }],
      [{ file: MAIN, what: /kvm->mmu_invalidate_seq\+\+;/, by: '' }],
      [{ file: MAIN, what: /kvm->mmu_invalidate_in_progress(\+\+|--);/g, by: '' }],
      [
        { file: MMU, what: /seq = kvm->mmu_invalidate_seq;/, by: '' },
        { file: MMU, what: /(pfn = __gfn[^;]*;)/, by: '$1\n\tseq = kvm->mmu_invalidate_seq;' },
      ],
      [
        {
          file: MMU,
          what: /(write_lock\(&kvm->mmu_lock\);)\s*(if [^]*?)goto out;/,
          by: '$2return 1;\n\t$1',
        },
        { file: MMU, what: /out:/, by: '' },
      ],
    ];
    for (const edits of wrong) {
      expect(verdict(edits, { fwb: true })).toBe('no-reuse-under-translation');
    }
  });

  test('tables that change without the lock are noticed', () => {
    const unlocked: Edit = { file: MMU, what: /write_(un)?lock\(&kvm->mmu_lock\);/g, by: '' };
    expect(verdict([unlocked])).toBe('tables-change-under-lock');
  });

  test('a patch that edits what has a stand-in is refused', () => {
    const text = readSmallFaults(MAIN)?.replace('*writable = true', '*writable = false') ?? '';
    const outcome = openTree(readSmallFaults, new Map([[MAIN, text]]), { files: [FILE] });
    expect(outcome).toMatchObject({ kind: 'failed' });
    expect(outcome.kind === 'failed' ? outcome.diagnostic.message : '').toContain(
      'the patch edits __gfn_to_pfn_memslot, which is not run as it stands',
    );
  });

  test('a tree without these names does not have the scenario', () => {
    const tree = opened({ read: readSmallPgtable }, [], [FILE]);
    expect(verdictOf(tree, NAME, DEFAULT_FEATURES)).toBe('no such scenario');
  });

  test('only whole words of objects can be shared', () => {
    const text = FILE.text.replace(
      'void setup(void)\n{',
      'void setup(void)\n{\n\tshared(&tlbgate_slot.npages, 4);',
    );
    const tree = opened(SMALL, [], [{ ...FILE, text }]);
    expect(verdictOf(tree, NAME)).toContain('shared() needs whole words');
  });
});

describe.each([
  { kernels: '6.13 and later', read: readNewFaults, lookUp: '__kvm_faultin_pfn' },
  { kernels: '5.16 and before', read: readOldFaults, lookUp: '__gfn_to_pfn_memslot' },
])('the names of $kernels', ({ read, lookUp }) => {
  test('are found: both sides see the counters, and without the retry it is refuted', () => {
    const tree = opened({ read }, [], [FILE]);
    expect(verdictOf(tree, NAME, { fwb: true })).toBe('verified');
    const assumed = tree.assumed().map(({ name, value }) => `${name}: ${value}`);
    expect(assumed).toContain(`${lookUp}: C of the profile instead`);
    for (const what of [
      /if \(kvm->mmu_\w+ \|\| kvm->mmu_\w+ != seq\)\s*goto out;/,
      /kvm->mmu_\w+ \|\| /,
      / \|\| kvm->mmu_\w+ != seq/,
    ]) {
      const edited = opened({ read }, [{ file: MMU, what, by: '' }], [FILE]);
      expect(verdictOf(edited, NAME, { fwb: true })).toBe('no-reuse-under-translation');
    }
  });
});
