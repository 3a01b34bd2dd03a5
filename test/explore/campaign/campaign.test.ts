import { describe, expect, test } from 'vitest';
import {
  startCampaign,
  type CampaignOptions,
  type CampaignRun,
} from '../../../src/explore/campaign/campaign.ts';
import { EMPTY_CORPUS, progressOf, type Corpus } from '../../../src/explore/campaign/corpus.ts';
import { brokenBy, shrinkFinding } from '../../../src/explore/campaign/shrink-finding.ts';
import { candidateAmong } from '../../../src/explore/campaign/subject.ts';
import { ruleById } from '../../../src/rules/all-rules.ts';
import type { Replay } from '../../../src/scenario/replay-file.ts';
import { campaignOf, subjectsOf } from './subjects.ts';

const SEED = 'unmap-stage2-range/deferred-range-flush';
const BASELINE = 'unmap-stage2-range/per-page-flush';
const FAULTS = 'memory-fault/install-under-lock';

function runs(options: CampaignOptions, count: number, from = EMPTY_CORPUS): CampaignRun[] {
  const campaign = startCampaign(options, from);
  return Array.from({ length: count }, () => campaign.run());
}

describe('a campaign', () => {
  const options = campaignOf([SEED, FAULTS]);
  const whole = runs(options, 120);

  test('is a function of its options', () => {
    expect(runs(options, 40)).toEqual(whole.slice(0, 40));
    expect(runs({ ...options, seed: 8 }, 10)).not.toEqual(whole.slice(0, 10));
  });

  /** What is on disk when the process is killed after so many runs: entries, and no other note. */
  function corpusAfter(count: number): Corpus {
    const campaign = startCampaign(options, EMPTY_CORPUS);
    for (let i = 0; i < count; i += 1) campaign.run();
    // In another order than they came in.
    const entries = new Map([...campaign.entries()].reverse());
    return { ...EMPTY_CORPUS, entries };
  }

  test.each([1, 5, 23, 60])('goes on after %i runs as if it had not been stopped', (count) => {
    const rest = startCampaign(options, corpusAfter(count));
    const next = rest.next();
    // Runs after the last one that was kept are done again, and come to the same.
    expect(next).toBeLessThanOrEqual(count);
    expect(Array.from({ length: 30 }, () => rest.run())).toEqual(whole.slice(next, next + 30));
  });

  test('begins where the note of its progress says, and heeds no other shard’s', () => {
    const progress = new Map([
      [progressOf(7, '1/1'), 50],
      [progressOf(7, '1/2'), 99],
      [progressOf(6, '1/1'), 99],
    ]);
    expect(startCampaign(options, { ...EMPTY_CORPUS, progress }).next()).toBe(50);
  });

  test('keeps an input only for what no other got into', () => {
    const kept = whole.filter(({ entry }) => entry !== null);
    expect(kept.length).toBeGreaterThan(10);
    expect(kept.length).toBeLessThan(whole.length / 2);
  });

  test('finds the seed out, and the run replays', () => {
    const finding = whole.find(({ broke }) => broke !== null)?.broke ?? null;
    if (finding === null) throw new Error('nothing found');
    expect(finding.scenario.candidate).toBe(SEED);
    expect(messageOf(finding)).not.toBeNull();
  });
});

test('shards do the runs of one campaign, each once', () => {
  const count = 3;
  const one = campaignOf([SEED], { steered: false });
  const shards = [1, 2, 3].map((index) => runs({ ...one, shard: { index, count } }, 8));
  // Runs are told apart by what they got into; four in a row share their scenario.
  const seen = new Set(shards.flat().map((run) => JSON.stringify([run.steps, run.facts])));
  expect(seen.size).toBeGreaterThan(18);
});

test('right code is not found out', () => {
  expect(runs(campaignOf([BASELINE, FAULTS]), 150).filter(({ broke }) => broke !== null)).toEqual(
    [],
  );
});

test('mutants are drawn when asked for, and are found again by their names', () => {
  const options = campaignOf([BASELINE], { mutants: true });
  const found = runs(options, 60).flatMap(({ broke }) => (broke === null ? [] : [broke]));
  expect(found.length).toBeGreaterThan(0);
  for (const finding of found) {
    expect(finding.scenario.candidate).toMatch(/^unmap-stage2-range\/per-page-flush#/);
    expect(messageOf(finding)).not.toBeNull();
  }
});

function messageOf(finding: Replay): string | null {
  const subjects = subjectsOf(SEED, BASELINE, FAULTS, 'unmap-stage2-range/without-unlock');
  const candidate = candidateAmong(subjects, finding.scenario);
  const rule = ruleById(finding.rule ?? '');
  if (candidate === null || rule === null) throw new Error('of nobody');
  return brokenBy(finding, candidate, rule);
}

describe('a finding is made small', () => {
  test.each([
    [SEED, 'contents-after-return'],
    ['unmap-stage2-range/without-unlock', 'progress'],
  ])('%s, %s', (id, ruleId) => {
    const rule = ruleById(ruleId);
    if (rule === null) throw new RangeError(ruleId);
    const options = campaignOf([id], { rules: [rule] });
    const found = runs(options, 200).find(({ broke }) => broke !== null)?.broke ?? null;
    const [subject] = options.subjects;
    if (found === null || subject === undefined) throw new Error('nothing found');
    const shrink = (expired: boolean): Replay =>
      shrinkFinding(found, subject.candidate, rule, { features: true, expired: () => expired });
    const small = shrink(false);
    expect(small.labels.length).toBeLessThan(found.labels.length);
    expect(small.scenario).toMatchObject({ vcpus: 1, pages: 1 });
    expect(brokenBy(small, subject.candidate, rule)).not.toBeNull();
    // No time: the run as it was found.
    expect(shrink(true)).toEqual(found);
    // A run that has lost its last step breaks nothing.
    expect(
      brokenBy({ ...small, labels: small.labels.slice(0, -1) }, subject.candidate, rule),
    ).toBeNull();
  });
});
