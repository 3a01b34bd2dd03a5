import { describe, expect, test } from 'vitest';
import type { Features } from '../../../src/arm64/features.ts';
import { scenarioLibrary } from '../../../src/cli/scenario-library.ts';
import { scenarioNames } from '../../../src/scenario/kernel/placed-scenario.ts';
import { readScenarioFile } from '../../../src/scenario/kernel/scenario-file.ts';
import { needing, tree61, tree612, tree71 } from '../../frontend/kernel-c/trees.ts';
import { ok } from '../on-kernel.ts';
import { baseOf, MACHINES, verdictOf } from './on-tree.ts';

/** One feature at a time that the code or the machine looks at, beside the matrix. */
const OTHERS: readonly Partial<Features>[] = [
  { ttl: true },
  { ttl: true, fwb: true, tlbiOs: true, tlbiRange: true },
  { bbm: 2 },
  { icache: 'vipt' },
  { icache: 'vpipt', vhe: false, e2h: false },
  { dic: true, idc: true },
  { s2Hafdbs: 'af' },
  { ets: 'ets3' },
];

const NAMES = [
  ...new Set(
    scenarioLibrary().flatMap((file) => {
      const settings = ok(readScenarioFile(file));
      const fits = settings.profiles.some((profile) => profile.startsWith('kvm-pgtable'));
      return fits && settings.run === 'search' ? scenarioNames(settings) : [];
    }),
  ),
];

describe.each([
  { version: '6.1', tree: tree61 },
  { version: '6.12', tree: tree612 },
  { version: '7.1', tree: tree71 },
])('the real C of $version is safe as it is', { timeout: 60_000 }, ({ tree }) => {
  for (const name of NAMES) {
    test.skipIf(tree.root === null)(`${needing(tree, name)}`, () => {
      const loaded = baseOf(tree);
      if (!loaded.scenarios.some((each) => each.name === name)) return;
      for (const machine of [...MACHINES, ...OTHERS]) {
        const verdict = verdictOf(loaded, name, machine);
        if (verdict.startsWith('impossible')) continue;
        expect([machine, verdict]).toEqual([machine, 'verified']);
      }
    });
  }

  test.skipIf(tree.root === null)(
    `${needing(tree, 'a core that needs each TLBI twice, and that the kernel does not know, is refuted')}`,
    () => {
      const name = 'unmap one page of a table that stays';
      const verdict = verdictOf(baseOf(tree), name, { erratumRepeatTlbi: true });
      expect(verdict).toBe('accesses-complete-at-dsb');
    },
  );

  test.skipIf(tree.root === null)(
    `${needing(tree, 'a table is dropped by any IPA below it, or else walked after it is free')}`,
    () => {
      const name = 'unmap two pages on both sides of a top-level border';
      const verdict = verdictOf(baseOf(tree), name, { readingTableDropByAnyIpa: false });
      expect(verdict).toBe('no-walk-of-freed-table');
    },
  );
});
