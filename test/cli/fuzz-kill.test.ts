import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { killCampaign } from '../../bench/kill.ts';

/**
 * Twenty times SIGKILL at random moments, to two campaigns beside each other. What `fuzz.test.ts`
 * shows for every single write on a disk made of a map, this shows for a real process and a real disk.
 */
test.skipIf(!existsSync('dist/cli/main.js'))(
  'campaigns that are killed at twenty random moments lose nothing and go on',
  async () => {
    const reports = await Promise.all([1, 2].map((seed) => killCampaign(10, seed, 4)));
    for (const { faults } of reports) expect(faults).toEqual([]);
    // Some got as far as to have something to lose.
    expect(reports.some(({ entries }) => entries > 0)).toBe(true);
  },
);
