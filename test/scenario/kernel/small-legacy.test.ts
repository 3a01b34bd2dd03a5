import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Features } from '../../../src/arm64/features.ts';
import { openTree } from '../../../src/scenario/kernel/open-tree.ts';
import type { ScenarioSource } from '../../../src/scenario/kernel/scenario-file.ts';
import { readSmallLegacy } from '../small-legacy/tree.ts';
import { readSmallTree } from '../small-tree/tree.ts';
import { type Edit, opened, verdictOf, warningAtEnd } from './on-tree.ts';

const MMU = 'arch/arm64/kvm/mmu.c';
const TLB = 'arch/arm64/kvm/hyp/tlb.c';
const MAIN = 'virt/kvm/kvm_main.c';
const SMALL = { read: readSmallLegacy };
const FWB: Partial<Features> = { fwb: true };

function library(path: string): ScenarioSource {
  return { path: `scenarios/${path}.c`, text: readFileSync(`scenarios/${path}.c`, 'utf8') };
}

function nameOf({ text }: ScenarioSource): string {
  return /name: (.*)/.exec(text)?.[1] ?? '';
}

const OTHER_PAGE = library('kvm-pgtable/map-other-page');
const FILLED = library('kvm-pgtable/map-filled-page');
const AGE = library('kvm-pgtable/age');
const ABORT = library('kvm-pgtable/abort-beside-notifier');
const LOGGING = library('kvm-s2-legacy/write-protect-slot');
const IN_BLOCK = library('kvm-s2-legacy/logged-abort-in-block');
const HUGE = library('kvm-s2-legacy/huge-abort-over-table');
const HUGE_RACE = library('kvm-s2-legacy/huge-abort-beside-notifier');
const CHANGED = library('kvm-s2-legacy/changed-page-mapped');
const AGED = library('kvm-s2-legacy/age-and-flush');
const TWO = library('kvm-s2-legacy/two-aborts');
const FILES = [
  OTHER_PAGE,
  FILLED,
  AGE,
  ABORT,
  LOGGING,
  IN_BLOCK,
  HUGE,
  HUGE_RACE,
  CHANGED,
  AGED,
  TWO,
];

describe('a small stage 2 of v5.8 under scenario files', () => {
  test('is safe as it is, alone and beside the notifier', () => {
    const tree = opened(SMALL, [], FILES);
    expect(tree.profile).toBe('kvm-s2-legacy');
    for (const machine of [{}, FWB]) {
      for (const file of FILES) {
        const name = nameOf(file);
        expect([name, machine, verdictOf(tree, name, machine)]).toEqual([
          name,
          machine,
          'verified',
        ]);
      }
    }
    const assumed = tree.assumed().map(({ name, value }) => `${name}: ${value}`);
    expect(assumed).toContain('__gfn_to_pfn_memslot: C of the profile instead');
    expect(assumed).toContain('kvm_is_transparent_hugepage: C of the profile instead');
  });

  const BREAK = /break_entry\(kvm, slot, ipa\);(?=\n\telse)/;
  const CASES: readonly (readonly [string, readonly ScenarioSource[], Edit, string])[] = [
    ['no break', [OTHER_PAGE, CHANGED], { file: MMU, what: BREAK, by: ';' }, 'break-before-make'],
    [
      'a block that is not broken',
      [IN_BLOCK],
      {
        file: MMU,
        what: /break_entry\(kvm, slot, ipa\);(?=\n\t\t\tput_page)/,
        by: 'WRITE_ONCE(*slot, 0);',
      },
      'break-before-make',
    ],
    [
      'a table that stays below a block',
      [HUGE],
      {
        file: MMU,
        what: /unmap_stage2_range\(kvm, start, 1UL << level_shift\);\s*goto again;/,
        by: ';',
      },
      'break-before-make',
    ],
    [
      'no clean, without FWB',
      [FILLED],
      { file: MMU, what: /clean_page\(pfn << PAGE_SHIFT, size\);/, by: '' },
      'contents-after-map',
    ],
    [
      'no flush after write protection',
      [LOGGING],
      { file: MMU, what: /(spin_unlock[^;]*;\s*)kvm_flush_remote_tlbs\(kvm\);/, by: '$1' },
      'permissions-after-return',
    ],
    [
      'nothing is write-protected',
      [LOGGING],
      { file: MMU, what: /& ~WRITABLE\)/, by: ')' },
      'permissions-after-return',
    ],
    [
      'no wait for the flush of the VM',
      [LOGGING],
      { file: TLB, what: /(vmalls12e1is\);\s*)dsb\(ish\);/, by: '$1' },
      'permissions-after-return',
    ],
    [
      'young without the lock',
      [AGE, AGED],
      { file: MMU, what: /spin_(un)?lock\(&vcpu->kvm->mmu_lock\);/g, by: '' },
      'tables-change-under-lock',
    ],
    [
      'a fault without the lock',
      [TWO],
      {
        file: MMU,
        what: /spin_lock\(&kvm->mmu_lock\);(\s*if \(kvm->mmu_notifier_count[^]*?)spin_unlock\(&kvm->mmu_lock\);/,
        by: '$1',
      },
      'tables-change-under-lock',
    ],
    [
      'no look at what is in progress',
      [ABORT, HUGE_RACE],
      { file: MMU, what: /kvm->mmu_notifier_count \|\| /, by: '' },
      'no-reuse-under-translation',
    ],
    [
      'no look at the sequence',
      [ABORT],
      { file: MMU, what: / \|\| kvm->mmu_notifier_seq != seq/, by: '' },
      'no-reuse-under-translation',
    ],
    [
      'a notifier that does not count',
      [ABORT],
      {
        file: MAIN,
        what: /(range_end\([^]*?)kvm->mmu_notifier_seq\+\+;/,
        by: '$1',
      },
      'no-reuse-under-translation',
    ],
  ];
  test.each(CASES)('%s', (name, files, edit, rule) => {
    const fwb = !name.includes('without FWB');
    const tree = opened(SMALL, [edit], FILES);
    for (const file of files) {
      expect([nameOf(file), verdictOf(tree, nameOf(file), { fwb })]).toEqual([nameOf(file), rule]);
    }
  });

  test('each host comes to its end, so that no search ends for want of anything to do', () => {
    for (const host of ['host', 'host1'] as const) {
      const files = warningAtEnd(FILES, host);
      expect(files.length).toBeGreaterThan(0);
      const tree = opened(SMALL, [], files);
      for (const file of files) {
        const name = nameOf(file);
        expect([name, verdictOf(tree, name, FWB)]).toEqual([name, 'checks-hold']);
      }
    }
  });

  test('the end of a VM still works with two units more', () => {
    const file = library('kvm-s2-legacy/teardown-vcpu');
    expect(verdictOf(opened(SMALL, [], [file]), nameOf(file), FWB)).toBe('verified');
  });

  test('a patch that edits what has a stand-in is refused', () => {
    const text = readSmallLegacy(MAIN)?.replace('*writable = true', '*writable = false') ?? '';
    const outcome = openTree(readSmallLegacy, new Map([[MAIN, text]]), { files: FILES });
    expect(outcome.kind === 'failed' ? outcome.diagnostic.message : '').toContain(
      'the patch edits __gfn_to_pfn_memslot, which is not run as it stands',
    );
  });

  test('a tree without these names does not have the scenarios', () => {
    const tree = opened({ read: readSmallTree }, [], FILES);
    for (const file of FILES) expect(verdictOf(tree, nameOf(file), FWB)).toBe('no such scenario');
  });
});
