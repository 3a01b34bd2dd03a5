import { findCandidate } from '../../../src/candidates/catalogue.ts';
import type { CampaignOptions } from '../../../src/explore/campaign/campaign.ts';
import { campaignMachines } from '../../../src/explore/campaign/draw-scenario.ts';
import type { Subject } from '../../../src/explore/campaign/subject.ts';
import { ALL_RULES } from '../../../src/rules/all-rules.ts';

/** Candidates of the catalogue, wherever they are refuted. */
export function subjectsOf(...ids: readonly string[]): readonly Subject[] {
  return ids.map((source) => {
    const candidate = findCandidate(source);
    if (candidate === null) throw new RangeError(`no candidate ${source}`);
    return { candidate, source, onlyNews: false };
  });
}

/** A campaign over them, as the command line would start it. */
export function campaignOf(
  ids: readonly string[],
  change: Partial<CampaignOptions> = {},
): CampaignOptions {
  return {
    subjects: subjectsOf(...ids),
    rules: ALL_RULES,
    machines: campaignMachines(),
    seed: 7,
    shard: { index: 1, count: 1 },
    mutants: false,
    steered: true,
    ...change,
  };
}
