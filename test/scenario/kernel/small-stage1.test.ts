import { describe, expect, test } from 'vitest';
import { scenarioLibrary } from '../../../src/cli/scenario-library.ts';
import type { ScenarioSource } from '../../../src/scenario/kernel/scenario-file.ts';
import { readSmallStage1 } from '../small-stage1/tree.ts';
import { type Edit, opened, verdictOf } from './on-tree.ts';

const FLUSH = 'arch/arm64/include/asm/tlbflush.h';
const GATHER = 'arch/arm64/include/asm/tlb.h';
const CONTPTE = 'arch/arm64/mm/contpte.c';
const MM = 'include/linux/mm.h';
const GENERIC = 'mm/pgtable-generic.c';

type Change = NonNullable<Parameters<typeof verdictOf>[2]>;
const PLAIN: Change = {};
const RANGE: Change = { tlbiRange: true, tlbiOs: true };
const HINTS: Change = { ttl: true };

/** Scenarios of contiguous groups, which are larger than the others, and the others. */
const files = scenarioLibrary().filter(({ path }) => path.includes('stage1-flush/'));
const GROUPS = files.filter(({ text }) => text.includes('CONT_PTES'));
const OTHERS = files.filter((file) => !GROUPS.includes(file));

/** Scenarios that are refuted after the edits, with the rule. */
function refuted(
  edits: readonly Edit[],
  change: Change,
  among: readonly ScenarioSource[] = OTHERS,
): Readonly<Record<string, string>> {
  const tree = opened({ read: readSmallStage1 }, edits, among);
  return Object.fromEntries(
    tree.scenarios
      .map(({ name }) => [name.replace('stage 1: ', ''), verdictOf(tree, name, change)])
      .filter(([, verdict]) => verdict !== 'verified'),
  );
}

const flush = (what: RegExp, by: string): readonly Edit[] => [{ file: FLUSH, what, by }];
const gather = (what: RegExp, by: string): readonly Edit[] => [{ file: GATHER, what, by }];

/** Each user of `flush_tlb_page` relies on all of it. */
const BY_PAGE = {
  'another page in place of one': 'break-before-make',
  'unmap one page': 'no-access-after-return',
  'write-protect one page': 'permissions-after-return',
};
const PAGES_BY_RANGE = {
  'munmap gathers two pages': 'no-access-after-return',
  'unmap three pages with one flush': 'no-access-after-return',
};
const BLOCK_BY_RANGE = { 'unmap a block': 'no-access-after-return' };
const TABLES = {
  'munmap gathers a table': 'no-walk-of-freed-table',
  'munmap gathers an empty table': 'no-walk-of-freed-table',
};
/** Ranges from which on the address space is flushed, where there are no range TLBIs. */
const LARGE = {
  'collapse a table into a block': 'break-before-make',
  'unmap pages at both ends of a large range': 'no-access-after-return',
};
const { 'munmap gathers an empty table': empty } = TABLES;
const { 'unmap three pages with one flush': three } = PAGES_BY_RANGE;
const { 'unmap pages at both ends of a large range': ends } = LARGE;

describe('a small stage 1 under the library of scenarios', () => {
  test('is recognised, and safe on every machine', () => {
    const tree = opened({ read: readSmallStage1 });
    expect(tree.profile).toBe('stage1-flush');
    for (const change of [
      PLAIN,
      RANGE,
      HINTS,
      { ...RANGE, ...HINTS },
      { vhe: false, e2h: false },
    ]) {
      expect([change, refuted([], change)]).toEqual([change, {}]);
    }
    expect(tree.scenarios.length).toBeGreaterThanOrEqual(17);
    expect(refuted([], RANGE, GROUPS)).toEqual({});
  });

  test('a table page that nobody has set aside stops the run, which would end there unnoticed', () => {
    const further = '$&\n\tmap_user(0x7000000000UL, 0x90000000UL, PAGE_SIZE, USER_READ);\n';
    const unmap = OTHERS.filter(({ path }) => path.endsWith('/unmap-page.c')).map((file) => ({
      ...file,
      text: file.text.replace(/void host\(void\)\s*\{/, further),
    }));
    expect(() => refuted([], PLAIN, unmap)).toThrow('the allocator has no page left');
  });

  test.each<readonly [string, readonly Edit[], Change, Readonly<Record<string, string>>]>([
    ['page: nobody waits', flush(/(flush_tlb_page\([^]*?)dsb\(ish\);/, '$1'), PLAIN, BY_PAGE],
    [
      'page: entry and TLBI race',
      flush(/(flush_tlb_page\([^]*?)dsb\(ishst\);/, '$1'),
      PLAIN,
      BY_PAGE,
    ],
    [
      'page: waits for stores',
      flush(/(flush_tlb_page\([^]*?)dsb\(ish\);/, '$1dsb(ishst);'),
      PLAIN,
      BY_PAGE,
    ],
    [
      'page: waits for this PE',
      flush(/(flush_tlb_page\([^]*?)dsb\(ish\);/, '$1dsb(nsh);'),
      PLAIN,
      BY_PAGE,
    ],
    ['page: reaches this PE', flush(/(flush_tlb_page\([^]*?)vale1is/, '$1vale1'), PLAIN, BY_PAGE],
    [
      'page: flushes before it clears',
      [
        {
          file: GENERIC,
          what: /(pte_t old = ptep_get_and_clear)/,
          by: 'flush_tlb_page(vma, va);\n\t$1',
        },
        { file: GENERIC, what: /if \(old.v & 1\)\n\t\tflush_tlb_page\(vma, va\);/, by: '' },
      ],
      PLAIN,
      {
        'another page in place of one': 'break-before-make',
        'unmap one page': 'no-access-after-return',
      },
    ],
    [
      'range: nobody waits',
      flush(/(void __flush_tlb_range\([^]*)dsb\(ish\);/, '$1'),
      PLAIN,
      { ...PAGES_BY_RANGE, ...BLOCK_BY_RANGE, ...TABLES },
    ],
    [
      // pmd_clear() of this tree ends with a DSB of its own.
      'range: entry and TLBI race',
      flush(/(void __flush_tlb_range\([^]*?)dsb\(ishst\);/, '$1'),
      PLAIN,
      { ...PAGES_BY_RANGE, ...BLOCK_BY_RANGE },
    ],
    ['address space: nobody waits', flush(/(flush_tlb_mm\([^]*?)dsb\(ish\);/, '$1'), PLAIN, LARGE],
    ['address space: wrong ASID', flush(/BY_VA\(0, ASID\(mm\)\)/, '0'), PLAIN, LARGE],
    [
      'range: wrong ASID',
      flush(/asid = ASID\(vma->vm_mm\)/, 'asid = 0'),
      PLAIN,
      { ...PAGES_BY_RANGE, ...BLOCK_BY_RANGE, ...TABLES },
    ],
    [
      'range: wrong ASID, with range TLBIs',
      flush(/asid = ASID\(vma->vm_mm\)/, 'asid = 0'),
      RANGE,
      { ...PAGES_BY_RANGE, ...BLOCK_BY_RANGE, ...TABLES, ...LARGE },
    ],
    ['range: leaves only', flush(/vae1is, BY_VA/, 'vale1is, BY_VA'), PLAIN, TABLES],
    ['gather: leaves only', gather(/!tlb->freed_tables,/, 'true,'), PLAIN, TABLES],
    // Where an entry went with the table, entries of two levels are gathered, and there is no hint.
    [
      'gather: a hint for a table',
      gather(/tlb->freed_tables \|\| /, ''),
      HINTS,
      { 'munmap gathers an empty table': empty },
    ],
    [
      'gather: a hint for a table, with range TLBIs',
      gather(/tlb->freed_tables \|\| /, ''),
      { ...HINTS, ...RANGE },
      { 'munmap gathers an empty table': empty },
    ],
    [
      'gather: steps of a block for pages',
      gather(/tlb->cleared_ptes \? PAGE_SIZE : PMD_SIZE;/, 'PMD_SIZE;'),
      PLAIN,
      { 'munmap gathers two pages': PAGES_BY_RANGE['munmap gathers two pages'] },
    ],
    [
      'range: without its last page',
      flush(/while \(start < end\)/, 'while (start + PAGE_SIZE < end)'),
      PLAIN,
      { ...PAGES_BY_RANGE, ...TABLES },
    ],
    // A range TLBI covers pairs of pages, so only an odd page is left out.
    [
      'range: without its last page, with range TLBIs',
      flush(/while \(start < end\)/, 'while (start + PAGE_SIZE < end)'),
      RANGE,
      { 'unmap three pages with one flush': three, ...TABLES },
    ],
    [
      'range TLBI: NUM one too small',
      flush(/pairs - 1, level\)\);\n\t\t\tstart/, 'pairs - 2, level));\n\t\t\tstart'),
      RANGE,
      {
        'unmap three pages with one flush': three,
        'unmap pages at both ends of a large range': ends,
      },
    ],
    // A granule that is not in use: nothing need be removed (R_XKMMX).
    [
      'range TLBI: another granule',
      flush(/\(1UL << 46\)/, '(2UL << 46)'),
      RANGE,
      { ...PAGES_BY_RANGE, ...BLOCK_BY_RANGE, ...LARGE },
    ],
  ])('%s', (_, edits, change, expected) => {
    expect(refuted(edits, change)).toEqual(expected);
  });

  const unfolds = {
    'make one page of a contiguous group writable': 'break-before-make',
    'munmap gathers the end of a contiguous group': 'break-before-make',
    'unmap one page of a contiguous group': 'break-before-make',
    'write-protect one page of a contiguous group': 'break-before-make',
  };
  const fold = { 'fold sixteen entries into a contiguous group': 'break-before-make' };
  const group = (what: RegExp, by: string): readonly Edit[] => [{ file: CONTPTE, what, by }];
  const inMm = (what: RegExp, by: string): readonly Edit[] => [{ file: MM, what, by }];
  const noClear = group(/__xchg_case_64\(&group\[i\].v, 0\)/, 'READ_ONCE(group[i].v)');
  const convertFlush =
    /__flush_tlb_range\(&vma, start, start \+ CONT_PTE_SIZE, PAGE_SIZE, true, 3\);/;

  test.each<readonly [string, readonly Edit[], Change, Readonly<Record<string, string>>]>([
    // R_WHZWS: a change of the Contiguous bit is one of size, which FEAT_BBM forgives (R_KHRBC, R_FCPSG).
    ['changed without a break', noClear, RANGE, { ...fold, ...unfolds }],
    ['changed without a break, at level 2', noClear, { ...RANGE, bbm: 2 }, {}],
    ['changed without a flush', group(convertFlush, ''), RANGE, { ...fold, ...unfolds }],
    [
      'the first page alone flushed',
      group(convertFlush, 'flush_tlb_page(&vma, start);'),
      RANGE,
      { ...fold, ...unfolds },
    ],
    [
      'a hint of another level',
      group(/PAGE_SIZE, true, 3/, 'PAGE_SIZE, true, 2'),
      { ...RANGE, ...HINTS },
      { ...fold, ...unfolds },
    ],
    [
      'one page unmapped inside of a group',
      inMm(/(ptep_get_and_clear\([^]*?)unfold\(mm, va, ptep\);/, '$1'),
      RANGE,
      { 'unmap one page of a contiguous group': 'no-reuse-under-translation' },
    ],
    [
      'one page write-protected inside of a group',
      inMm(/(ptep_set_wrprotect\([^]*?)unfold\(mm, va, ptep\);/, '$1'),
      RANGE,
      { 'write-protect one page of a contiguous group': 'permissions-after-return' },
    ],
    [
      'one page made writable inside of a group',
      group(
        /unfold\(vma->vm_mm, va, ptep\);\n\tWRITE_ONCE\(ptep->v, pte.v\)/,
        'WRITE_ONCE(ptep->v, pte.v | PTE_CONT)',
      ),
      RANGE,
      { 'make one page of a contiguous group writable': 'permissions-after-return' },
    ],
    [
      'the end of a group unmapped inside of it',
      group(/(contpte_get_and_clear_full_ptes\([^]*?)unfold_ends\(mm, va, ptep, nr\);/, '$1'),
      RANGE,
      { 'munmap gathers the end of a contiguous group': 'no-reuse-under-translation' },
    ],
    [
      'a part of a group mapped as one',
      group(/ && nr == CONT_PTES;/, ';'),
      RANGE,
      { 'map the beginning of a folio': 'no-reuse-under-translation' },
    ],
  ])('contiguous groups: %s', (_, edits, change, expected) => {
    expect(refuted(edits, change, GROUPS)).toEqual(expected);
  });

  test.each<readonly [string, readonly Edit[], string, string]>([
    ['as it is', [], 'fold', 'verified'],
    // Without range TLBIs only the first page of each step is flushed.
    [
      'flushed in steps of a group',
      group(/PAGE_SIZE, true, 3/, 'CONT_PTE_SIZE, true, 3'),
      'fold',
      'break-before-make',
    ],
    [
      'flushed without the last page',
      group(/start \+ CONT_PTE_SIZE, PAGE_SIZE/, 'start + CONT_PTE_SIZE - PAGE_SIZE, PAGE_SIZE'),
      'fold',
      'break-before-make',
    ],
    [
      'written before the flush is complete',
      flush(/(void __flush_tlb_range\([^]*)dsb\(ish\);/, '$1'),
      'fold',
      'break-before-make',
    ],
  ])('a group without range TLBIs, %s', (_, edits, file, expected) => {
    const among = GROUPS.filter(({ path }) => path.endsWith(`/${file}.c`));
    const tree = opened({ read: readSmallStage1 }, edits, among);
    expect(tree.scenarios.map(({ name }) => verdictOf(tree, name))).toEqual([expected]);
  });

  test('a scenario that cannot be is refused in a sentence', () => {
    const source = (settings: string, setup: string): ScenarioSource => ({
      path: 'mine.c',
      text: `/*\n * name: mine\n * why: a test\n * profile: stage1-flush\n${settings} */
void setup(void) { ${setup} }
void host(void) { operation_begins("unmap"); }
`,
    });
    const page =
      'map_user(0x400000, 0x80000000, PAGE_SIZE, USER_READ); user_page(0x400000, 0x80000000);';
    const verdict = (file: ScenarioSource, change: Change = PLAIN): string =>
      verdictOf(opened({ read: readSmallStage1 }, [], [file]), 'mine', change);
    expect(verdict(source('', page))).toBe('verified');
    expect(verdict(source('', ''))).toContain('setup() names no page: see user_page()');
    expect(verdict(source(' * guest: execute\n', page))).toMatch(/^impossible: .*read and write/);
    expect(verdict(source(' * features: bbm=2\n', page))).toBe('impossible: it needs bbm=2');
    expect(verdict(source('', page), { granule: '64k' })).toMatch(/^impossible: .*4K pages/);
    expect(verdict(source('', page), { s1Hafdbs: 'af' })).toMatch(/^impossible: hardware updates/);
  });

  test('every scenario of the package says which functions it needs', () => {
    expect(files.length).toBeGreaterThanOrEqual(18);
    for (const { path, text } of files)
      expect([path, text]).toEqual([path, expect.stringContaining(' * needs: ')]);
  });
});
