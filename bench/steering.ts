import { findCandidate } from '../src/candidates/catalogue.ts';
import { startCampaign, type Campaign } from '../src/explore/campaign/campaign.ts';
import { EMPTY_CORPUS } from '../src/explore/campaign/corpus.ts';
import { campaignMachines } from '../src/explore/campaign/draw-scenario.ts';
import { ALL_RULES, ruleById } from '../src/rules/all-rules.ts';

/** What steering by facts does for a campaign: with it and without, from the same seeds. */
export interface SteeringRow {
  readonly question: string;
  readonly steered: readonly number[];
  readonly unsteered: readonly number[];
}

const SEEDS = [1, 2, 3, 4, 5];
const MOST_RUNS = 1500;

function campaign(id: string, rule: string | null, seed: number, steered: boolean): Campaign {
  const candidate = findCandidate(id);
  const only = rule === null ? null : ruleById(rule);
  if (candidate === null) throw new RangeError(`no candidate ${id}`);
  return startCampaign(
    {
      subjects: [{ candidate, source: id, onlyNews: false }],
      rules: only === null ? ALL_RULES : [only],
      machines: campaignMachines(),
      seed,
      shard: { index: 1, count: 1 },
      mutants: false,
      steered,
    },
    EMPTY_CORPUS,
  );
}

function bothWays(
  question: string,
  measure: (seed: number, steered: boolean) => number,
): SteeringRow {
  const values = (steered: boolean): readonly number[] =>
    SEEDS.map((seed) => measure(seed, steered)).sort((a, b) => a - b);
  return { question, steered: values(true), unsteered: values(false) };
}

/** Combinations reached, and runs until some mistakes are found. */
export function steeringRows(): readonly SteeringRow[] {
  const runsToFind = (id: string, rule: string): SteeringRow =>
    bothWays(`runs to ${rule} of ${id}`, (seed, steered) => {
      const searched = campaign(id, rule, seed, steered);
      let runs = 1;
      while (runs < MOST_RUNS && searched.run().broke === null) runs += 1;
      return runs;
    });
  return [
    bothWays(`combinations in ${MOST_RUNS} runs of per-page-flush`, (seed, steered) => {
      const walked = campaign('unmap-stage2-range/per-page-flush', null, seed, steered);
      for (let runs = 0; runs < MOST_RUNS; runs += 1) walked.run();
      return walked.combinations();
    }),
    runsToFind('unmap-stage2-range/without-icache-step', 'instructions-after-map'),
    runsToFind('unmap-stage2-range/without-last-dsb', 'contents-after-return'),
    runsToFind('unmap-stage2-range/flush-after-unlock', 'break-before-make'),
    runsToFind('memory-fault/install-without-lock', 'tables-change-under-lock'),
  ];
}
