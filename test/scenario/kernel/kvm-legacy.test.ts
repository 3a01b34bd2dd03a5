import { describe, expect, test } from 'vitest';
import type { Features } from '../../../src/arm64/features.ts';
import { scenarioLibrary } from '../../../src/cli/scenario-library.ts';
import { scenarioNames } from '../../../src/scenario/kernel/placed-scenario.ts';
import { readScenarioFile } from '../../../src/scenario/kernel/scenario-file.ts';
import { needing, tree58 } from '../../frontend/kernel-c/trees.ts';
import { ok } from '../on-kernel.ts';
import { baseOf, opened, verdictOf, warningAtEnd } from './on-tree.ts';

const NO_VHE = { vhe: false, e2h: false };

/** The matrix of the profile, and one feature at a time that the code or the machine looks at. */
const MACHINES: readonly Partial<Features>[] = [
  {},
  { fwb: true },
  NO_VHE,
  { ...NO_VHE, fwb: true },
  { ...NO_VHE, icache: 'vpipt' },
  { ...NO_VHE, icache: 'vpipt', fwb: true },
  { icache: 'vipt' },
  { bbm: 2 },
  { dic: true, idc: true },
  { s2Hafdbs: 'af' },
  { ets: 'ets3' },
];

const FILES = scenarioLibrary().filter((file) => {
  const { profiles, run } = ok(readScenarioFile(file));
  return profiles.includes('kvm-s2-legacy') && run === 'search';
});
const NAMES = FILES.flatMap((file) => scenarioNames(ok(readScenarioFile(file))));

describe('the real C of 5.8 is safe as it is', { timeout: 180_000 }, () => {
  for (const name of NAMES) {
    test.skipIf(tree58.root === null)(`${needing(tree58, name)}`, () => {
      for (const machine of MACHINES) {
        const verdict = verdictOf(baseOf(tree58), name, machine);
        if (verdict.startsWith('impossible')) continue;
        expect([machine, verdict]).toEqual([machine, 'verified']);
      }
    });
  }

  test.skipIf(tree58.root === null)(
    `${needing(tree58, 'each host comes to its end, so that no search ends for want of anything to do')}`,
    () => {
      for (const host of ['host', 'host1'] as const) {
        const files = warningAtEnd(FILES, host);
        const tree = opened(tree58, [], files, baseOf(tree58));
        for (const name of files.flatMap((file) => scenarioNames(ok(readScenarioFile(file))))) {
          expect([name, verdictOf(tree, name, { fwb: true })]).toEqual([name, 'checks-hold']);
        }
      }
    },
  );

  test.skipIf(tree58.root === null)(
    `${needing(tree58, 'a core that needs each TLBI twice, and that the kernel does not know, is refuted')}`,
    () => {
      const verdict = verdictOf(baseOf(tree58), 'make a page old, then unmap it', {
        erratumRepeatTlbi: true,
      });
      expect(verdict).toBe('accesses-complete-at-dsb');
    },
  );
});
