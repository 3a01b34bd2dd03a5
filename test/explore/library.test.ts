import { describe, expect, test } from 'vitest';
import { DEFAULT_FEATURES } from '../../src/arm64/features.ts';
import { CANDIDATES } from '../../src/candidates/catalogue.ts';
import type { Candidate } from '../../src/candidates/candidate.ts';
import { lockedFault, unlockedFault } from '../../src/candidates/memory-fault/candidates.ts';
import { perPageFlush } from '../../src/candidates/unmap-stage2-range/per-page-flush.ts';
import { findViolation, machineOf } from '../../src/explore/check.ts';
import { scenarioLibrary } from '../../src/explore/library.ts';
import { featureMatrix } from '../../src/explore/matrix.ts';
import { randomRun } from '../../src/explore/random.ts';
import { ALL_RULES } from '../../src/rules/all-rules.ts';
import { noReuseUnderTranslation } from '../../src/rules/no-reuse-under-translation.ts';
import { defaultScenario } from '../../src/scenario/scenario.ts';
import { labelsOf } from '../../src/trace/replay.ts';

describe('the library of scenarios', () => {
  test('every scenario of every candidate can be built, or its machine cannot have it', () => {
    for (const candidate of CANDIDATES) {
      for (const features of featureMatrix()) {
        const library = scenarioLibrary(candidate, features);
        const built = library.filter(({ scenario }) => !('kind' in machineOf(scenario, candidate)));
        expect([candidate.id, built.length > 0]).toEqual([candidate.id, true]);
        if (features.granule === '4k') {
          expect([candidate.id, built.length]).toEqual([candidate.id, library.length]);
        }
      }
    }
  });

  test('names are unique within a candidate', () => {
    for (const candidate of CANDIDATES) {
      const names = scenarioLibrary(candidate, DEFAULT_FEATURES).map(({ name }) => name);
      expect([candidate.id, new Set(names).size]).toEqual([candidate.id, names.length]);
    }
  });

  // With mapped pages a vCPU faults only when the host has nothing for it any more.
  test.each([1, 2])('the fault path is walked beside the notifier, with %i pages', (pages) => {
    const rules = [noReuseUnderTranslation];
    const verdict = (candidate: Candidate): string => {
      const scenario = scenarioLibrary(candidate, DEFAULT_FEATURES).find(
        ({ scenario: each }) => each.mapping === 'unmapped' && each.notifier,
      )?.scenario;
      if (scenario === undefined) return 'no such scenario';
      const machine = machineOf({ ...scenario, pages }, candidate);
      if ('kind' in machine) return machine.message;
      return findViolation(machine, rules, { states: 400_000 }, true).kind;
    };
    expect(verdict(lockedFault)).toBe('exhausted');
    expect(verdict(unlockedFault)).toBe('violation');
  });

  test('the default scenario has two PEs, two pages, a dissolved table and a lock drop', () => {
    const scenario = defaultScenario(perPageFlush.id, DEFAULT_FEATURES);
    expect(scenario.hosts + scenario.vcpus).toBeGreaterThanOrEqual(2);
    expect(scenario.pages).toBe(2);
    const machine = machineOf(scenario, perPageFlush);
    if ('kind' in machine) throw new Error(machine.message);
    const what = new Set<string>();
    let drops = 0;
    for (let seed = 1; seed <= 10; seed += 1) {
      const { steps } = randomRun(machine, seed, { hosts: 1, rules: ALL_RULES });
      const labels = labelsOf(machine, steps);
      for (const label of labels) what.add(label.what);
      drops = Math.max(drops, labels.filter((label) => label.what === 'unlock 0').length);
    }
    // A level-2 and a level-3 table on each side of the border, and the lock given away between them.
    expect([...what].filter((text) => text.startsWith('free '))).toHaveLength(4);
    expect(drops).toBe(2);
    expect(scenario.reschedule).toBe('choose');
    expect(scenario.layout).toBe('across');
  });
});
