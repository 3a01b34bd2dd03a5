import { describe, expect, test } from 'vitest';
import type { Features } from '../../../src/arm64/features.ts';
import type { LoadedTree } from '../../../src/scenario/kernel/family.ts';
import { needing, tree61, tree612 } from '../../frontend/kernel-c/trees.ts';
import { type Edit, opened, verdictOf } from './on-tree.ts';

const FLUSH = 'arch/arm64/include/asm/tlbflush.h';
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

/** Scenarios that are not verified, with what was found. */
function refuted(tree: LoadedTree, change: Partial<Features>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    tree.scenarios
      .map(({ name }) => [name.replace('stage 1: ', ''), verdictOf(tree, name, change)])
      .filter(([, verdict]) => verdict !== 'verified'),
  );
}

describe.each([
  { version: '6.1', tree: tree61 },
  { version: '6.12', tree: tree612 },
])('stage 1 of $version', { timeout: 60_000 }, ({ tree }) => {
  const open = (edits: readonly Edit[] = []): LoadedTree =>
    opened(tree, edits, undefined, null, 'stage1-flush');

  test.skipIf(tree.root === null)(`${needing(tree, 'is safe as it is')}`, () => {
    const loaded = open();
    expect(loaded.scenarios.length).toBeGreaterThanOrEqual(11);
    for (const change of MACHINES) {
      expect([change, refuted(loaded, change)]).toEqual([change, {}]);
    }
  });

  test.skipIf(tree.root === null)(`${needing(tree, 'is refuted with another ASID')}`, () => {
    const loaded = open([{ file: FLUSH, what: /asid = ASID\(vma->vm_mm\);/, by: 'asid = 0;' }]);
    expect(refuted(loaded, {})).toEqual({
      'change the protection of two pages': 'permissions-after-return',
      'munmap gathers a table': 'no-walk-of-freed-table',
      'munmap gathers an empty table': 'no-walk-of-freed-table',
      'munmap gathers two pages': 'no-access-after-return',
      'unmap a block': 'no-access-after-return',
      'unmap three pages with one flush': 'no-access-after-return',
    });
  });
});
