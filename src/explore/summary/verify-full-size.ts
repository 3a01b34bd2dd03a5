import type { Features } from '../../arm64/features.ts';
import type { Candidate } from '../../candidates/candidate.ts';
import { userMemAbort } from '../../candidates/kvm-v5_8/user-mem-abort.ts';
import type { Rule } from '../../rules/rule.ts';
import { isInputError, type InputError } from '../../scenario/input-error.ts';
import { featureMatrix } from '../matrix.ts';
import { verify, verdictOf, type FeatureRun, type Progress, type Verification } from '../verify.ts';
import type { RuleResult } from '../verify.ts';
import { lift, type Lifted } from './lift.ts';
import { mappingNames } from './layout.ts';
import { summarise, type OutOfReach, type Summary } from './summarise.ts';

/** What is to be verified at full size. */
export interface FullSizeRequest {
  readonly candidate: Candidate;
  readonly rules: readonly Rule[];
  /** One machine, or null for the matrix. */
  readonly features: Features | null;
  readonly pages: number;
  /** The number of vCPUs asked for; the answer is the same for any. */
  readonly vcpus: number;
  /** What the range is mapped by; null for pages. */
  readonly mapping: string | null;
  readonly statesPerSearch: number;
  readonly expired: () => boolean;
  readonly onProgress?: (progress: Progress) => void;
}

/** What the summary says with one machine. */
export interface FullSizeRun {
  readonly features: Features;
  readonly mapping: string;
  readonly result: Summary | OutOfReach;
  /** Verdicts of the small scenarios alone. */
  readonly small: readonly RuleResult[];
  /** Sentences about rules whose verdict is not that of the summary alone. */
  readonly remarks: readonly string[];
  /** Concrete runs made for rules that the small scenarios do not break. */
  readonly lifted: readonly LiftedRule[];
}

/** A concrete run of a violation, by rule. */
export interface LiftedRule extends Lifted {
  readonly rule: Rule;
}

/** A verification at full size: small scopes and summaries, machine by machine. */
export interface FullSizeVerification {
  readonly kind: 'full-size';
  /** Verdicts of both together; its scenarios are the small ones. */
  readonly verification: Verification;
  readonly sizes: readonly FullSizeRun[];
  readonly pages: number;
  readonly vcpus: number;
}

/**
 * Checks a candidate at full size against any guest. What is beyond the summary (vCPUs that run host
 * code, a second host thread) is checked at small scope; a refutation there counts, for the
 * candidate is the same, and a pass counts only together with the pass at full size.
 */
export function verifyFullSize(request: FullSizeRequest): FullSizeVerification | InputError {
  const { candidate, rules, pages, vcpus, statesPerSearch, expired } = request;
  const limits = { states: statesPerSearch, expired };
  const matrix = request.features === null ? featureMatrix() : [request.features];
  const sizes: FullSizeRun[] = [];
  const runs: FeatureRun[] = [];
  for (const [index, features] of matrix.entries()) {
    const show = (scenario: string): void =>
      request.onProgress?.({
        features,
        scenario,
        machinesDone: index,
        machines: matrix.length,
      });
    const mapping = request.mapping ?? mappingNames(features).at(-1) ?? '4k';
    show(`${pages} pages, any guest`);
    const result = summarise(candidate, { features, pages, mapping }, rules, limits);
    if (isInputError(result)) return result;
    const small = verify({
      candidate,
      rules,
      features,
      scenario: null,
      overrides: {},
      statesPerSearch,
      expired,
      onProgress: ({ scenario }) => show(scenario),
    });
    if (isInputError(small)) return small;
    const [run] = small.runs;
    if (run === undefined) continue;
    const remarks: string[] = [];
    const lifted: LiftedRule[] = [];
    const size = { features, pages, mapping };
    const results = run.results.map((each) => {
      const made = needsRun(each, result) ? lift(candidate, size, each.rule, limits) : null;
      if (made !== null) lifted.push({ ...made, rule: each.rule });
      return combine(candidate, each, result, made, remarks);
    });
    runs.push({ ...run, results });
    sizes.push({ features, mapping, result, small: run.results, remarks, lifted });
  }
  return {
    kind: 'full-size',
    verification: {
      candidate,
      rules,
      verdict: verdictOf(runs),
      runs,
      collapsed: [],
      statesPerSearch,
    },
    sizes,
    pages,
    vcpus,
  };
}

/** Whether a summary breaks a rule that no small scenario breaks. */
function needsRun(small: RuleResult, summary: Summary | OutOfReach): boolean {
  if (small.verdict === 'refuted' || summary.kind === 'out-of-reach') return false;
  return summary.outcomes.some(({ rule, verdict }) => rule === small.rule && verdict === 'refuted');
}

/** One rule: the small scopes, the summary, and the concrete run of its violation together. */
function combine(
  candidate: Candidate,
  small: RuleResult,
  summary: Summary | OutOfReach,
  lifted: Lifted | null,
  remarks: string[],
): RuleResult {
  const { rule } = small;
  if (small.verdict === 'refuted') return small;
  if (summary.kind === 'out-of-reach') return { ...small, verdict: 'inconclusive' };
  const outcome = summary.outcomes.find((each) => each.rule === rule);
  const states = small.states + summary.states;
  if (outcome === undefined) return { ...small, verdict: 'inconclusive', states };
  const { message } = outcome;
  if (lifted !== null) {
    return { ...small, verdict: 'refuted', states, message: lifted.message };
  }
  if (outcome.verdict === 'refuted') {
    remarks.push(
      `${rule.id}: the summary breaks it (${message ?? ''}), but no concrete run was found that does, so nothing is said`,
    );
    return { ...small, verdict: 'inconclusive', states, message };
  }
  if (outcome.verdict === 'verified' && candidate.fault !== userMemAbort) {
    remarks.push(
      `${rule.id}: verified for the host thread at this size, but what the candidate does when a vCPU faults is looked at in the small scenarios only`,
    );
    return { ...small, verdict: 'inconclusive', states };
  }
  const both = outcome.verdict === 'verified' && small.verdict === 'verified';
  return { ...small, verdict: both ? 'verified' : 'inconclusive', states };
}
