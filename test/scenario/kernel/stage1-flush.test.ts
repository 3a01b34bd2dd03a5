import { describe, expect, test } from 'vitest';
import type { Features } from '../../../src/arm64/features.ts';
import { scenarioLibrary } from '../../../src/cli/scenario-library.ts';
import type { ScenarioSource } from '../../../src/scenario/kernel/scenario-file.ts';
import { needing, type Tree, tree612, treeOf } from '../../frontend/kernel-c/trees.ts';
import { type Edit, opened, verdictOf } from './on-tree.ts';

const FLUSH = 'arch/arm64/include/asm/tlbflush.h';
const CONTPTE = 'arch/arm64/mm/contpte.c';
const RANGE: Partial<Features> = { tlbiRange: true, tlbiOs: true };

const MACHINES: readonly Partial<Features>[] = [
  {},
  RANGE,
  { ttl: true },
  { ...RANGE, ttl: true },
  { ets: 'ets3' },
  { bbm: 2 },
  { vhe: false, e2h: false },
];

/** Scenarios of contiguous groups, which are larger than the others and need 6.9 or later. */
const files = scenarioLibrary().filter(({ path }) => path.includes('stage1-flush/'));
const GROUPS = files.filter(({ text }) => text.includes('CONT_PTES'));
const OTHERS = files.filter((file) => !GROUPS.includes(file));

/** Scenarios that are not verified, with what was found. */
function refuted(
  tree: Tree,
  edits: readonly Edit[],
  among: readonly ScenarioSource[],
  machines: readonly Partial<Features>[],
): Readonly<Record<string, string>> {
  const loaded = opened(tree, edits, among, null, 'stage1-flush');
  expect(loaded.scenarios).toHaveLength(among.length);
  return Object.fromEntries(
    machines.flatMap((change) =>
      loaded.scenarios
        .map(({ name }) => [name.replace('stage 1: ', ''), verdictOf(loaded, name, change)])
        .filter(([, verdict]) => verdict !== 'verified'),
    ),
  );
}

/** Releases of each way in which this code is written. */
const VERSIONS = '5.10 5.17 6.1 6.2 6.6 6.8 6.12 6.13 6.14 6.19 7.1'.split(' ');

describe.each(VERSIONS.map((version) => ({ version, tree: treeOf(version) })))(
  'stage 1 of $version',
  { timeout: 60_000 },
  ({ tree }) => {
    test.skipIf(tree.root === null)(`${needing(tree, 'is safe as it is')}`, () => {
      expect(refuted(tree, [], OTHERS, MACHINES)).toEqual({});
    });

    test.skipIf(tree.root === null)(`${needing(tree, 'is refuted with another ASID')}`, () => {
      const edit = { file: FLUSH, what: /asid = ASID\((?:vma->vm_)?mm\);/, by: 'asid = 0;' };
      expect(refuted(tree, [edit], OTHERS, [{}])).toEqual({
        'change the protection of two pages': 'permissions-after-return',
        'munmap gathers a table': 'no-walk-of-freed-table',
        'munmap gathers an empty table': 'no-walk-of-freed-table',
        'munmap gathers two pages': 'no-access-after-return',
        'unmap a block': 'no-access-after-return',
        'unmap three pages with one flush': 'no-access-after-return',
      });
    });
  },
);

describe('contiguous groups of 6.12', { timeout: 120_000 }, () => {
  const tree = tree612;

  test.skipIf(tree.root === null)(`${needing(tree, 'are safe as they are')}`, () => {
    expect(refuted(tree, [], GROUPS, [{ ...RANGE, ttl: true }])).toEqual({});
    // Sixteen TLBIs instead of one make the search larger.
    const few = GROUPS.filter(({ path }) => /\/(fold|unfold-unmap)\.c$/.test(path));
    expect(refuted(tree, [], few, [{}])).toEqual({});
  });

  const noBreak = {
    file: CONTPTE,
    what: /__ptep_get_and_clear\(mm, addr, ptep\);\n\n\t\tif \(pte_dirty/,
    by: '__ptep_get(ptep);\n\n\t\tif (pte_dirty',
  };

  test.skipIf(tree.root === null)(
    `${needing(tree, 'are refuted when entries change without a break, unless the hardware allows it')}`,
    () => {
      expect(refuted(tree, [noBreak], GROUPS, [RANGE])).toEqual({
        'fold sixteen entries into a contiguous group': 'break-before-make',
        'make one page of a contiguous group writable': 'break-before-make',
        'munmap gathers the end of a contiguous group': 'break-before-make',
        'unmap one page of a contiguous group': 'break-before-make',
        'write-protect one page of a contiguous group': 'break-before-make',
      });
      expect(refuted(tree, [noBreak], GROUPS, [{ ...RANGE, bbm: 2 }])).toEqual({});
    },
  );

  test.skipIf(tree.root === null)(
    `${needing(tree, 'are refuted when a part is taken out of one that stays folded')}`,
    () => {
      const edit = {
        file: CONTPTE,
        what: /contpte_try_unfold_partial\(mm, addr, ptep, nr\);\n\treturn/,
        by: 'return',
      };
      expect(refuted(tree, [edit], GROUPS, [RANGE])).toEqual({
        'munmap gathers the end of a contiguous group': 'no-reuse-under-translation',
      });
    },
  );
});
