import { describe, expect, test } from 'vitest';
import { DEFAULT_FEATURES } from '../../src/arm64/features.ts';
import { HOLDS, type Candidate } from '../../src/candidates/candidate.ts';
import { withoutIcacheStep } from '../../src/candidates/unmap-stage2-range/broken.ts';
import { checkScenario } from '../../src/explore/check.ts';
import { scenarioLibrary } from '../../src/explore/library.ts';
import { shortLibrary } from '../../src/explore/verify.ts';
import { instructionsAfterMap } from '../../src/rules/instructions-after-map.ts';

/** Lines of a VPIPT I-cache are found by VMID, so a host at EL1 does not reach those of a guest. */
const VPIPT = { ...DEFAULT_FEATURES, vhe: false, e2h: false, icache: 'vpipt' } as const;

/** An idea of a user's: nobody has said which scenario breaks it. */
const IDEA: Candidate = { ...withoutIcacheStep, expected: () => HOLDS };

describe('the scenarios for a single change of a feature', () => {
  test('show a missing step of I-cache maintenance, although nobody expects it', () => {
    const verdicts = shortLibrary(scenarioLibrary(IDEA, VPIPT)).map(({ scenario }) => {
      const checked = checkScenario(scenario, IDEA, [instructionsAfterMap], { states: 100_000 });
      return 'kind' in checked ? checked.message : checked.outcomes[0]?.verdict;
    });
    expect(verdicts).toContain('refuted');
  });
});
