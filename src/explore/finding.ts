import type { Candidate } from '../candidates/candidate.ts';
import type { Rule } from '../rules/rule.ts';
import { isInputError } from '../scenario/input-error.ts';
import type { GuestViewKind, Scenario } from '../scenario/scenario.ts';
import { checkScenario, type Verdict } from './check.ts';
import type { FoundRun } from './counterexample-search.ts';
import type { SearchLimits } from './search.ts';

/** What changes the verdict of a counterexample, found by searching again. */
export interface WhatFlips {
  /** The same scenario with each guest view. */
  readonly views: readonly { readonly view: GuestViewKind; readonly verdict: Verdict }[];
  /** The same scenario without any store of the guest. */
  readonly withoutStores: Verdict | null;
  /** The same scenario with a candidate that is expected to hold, for comparison. */
  readonly reference: {
    readonly candidate: string;
    readonly verdict: Verdict;
    readonly states: number;
  } | null;
}

const VIEWS: readonly GuestViewKind[] = ['mmu-off', 'non-cacheable', 'device', 'cacheable'];

/** Searches the neighbourhood of a counterexample. */
export function whatFlips(
  found: FoundRun,
  candidate: Candidate,
  reference: Candidate | null,
  rule: Rule,
  limits: SearchLimits,
): WhatFlips {
  const { scenario } = found;
  const verdictOf = (of: Candidate, changed: Scenario): { verdict: Verdict; states: number } => {
    const checked = checkScenario(changed, of, [rule], limits);
    if (isInputError(checked)) return { verdict: 'inconclusive', states: 0 };
    return { verdict: checked.outcomes[0]?.verdict ?? 'inconclusive', states: checked.states };
  };
  const { guest } = scenario;
  const stores = guest.kind === 'general' && guest.kinds.includes('write');
  return {
    views: VIEWS.map((view) => ({
      view,
      verdict: verdictOf(candidate, { ...scenario, view }).verdict,
    })),
    withoutStores: stores
      ? verdictOf(candidate, { ...scenario, guest: { kind: 'general', kinds: ['read'] } }).verdict
      : null,
    reference:
      reference === null
        ? null
        : {
            candidate: reference.id,
            ...verdictOf(reference, { ...scenario, candidate: reference.id }),
          },
  };
}

/** The first candidate of the same family that is expected to hold on every one of these machines. */
export function referenceFor(
  candidate: Candidate,
  all: readonly Candidate[],
  scenario: Scenario,
): Candidate | null {
  const family = candidate.id.split('/')[0];
  return (
    all.find(
      (other) =>
        other.id !== candidate.id &&
        other.operation === candidate.operation &&
        other.id.split('/')[0] === family &&
        other.expected(scenario.features).verdict === 'holds',
    ) ?? null
  );
}
