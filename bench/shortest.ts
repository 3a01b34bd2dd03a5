import { DEFAULT_FEATURES } from '../src/arm64/features.ts';
import type { Candidate, Refutation } from '../src/candidates/candidate.ts';
import { CANDIDATES } from '../src/candidates/catalogue.ts';
import { factAtEnd, machineOf } from '../src/explore/check.ts';
import { scenarioWith } from '../src/explore/library.ts';
import { checkProgress } from '../src/explore/progress.ts';
import { search } from '../src/explore/search.ts';
import type { Machine } from '../src/machine/machine.ts';
import { ALL_RULES } from '../src/rules/all-rules.ts';
import { firstViolation } from '../src/rules/rule.ts';
import { isInputError } from '../src/scenario/input-error.ts';

/** The cheapest violation of one broken candidate, in the scenario that its expectation names. */
export interface ShortestRow {
  readonly candidate: string;
  /** The rule broken first, or that nothing was found, and why. */
  readonly rule: string;
  /** Events that are not free; null for what is found on the whole state graph. */
  readonly cost: number | null;
  /** All events of the run. */
  readonly events: number;
  readonly states: number;
  readonly ms: number;
}

const STATES = 2_000_000;

/** Cheapest violations at a size, without FWB: those of all broken candidates. */
export function shortestRows(
  now: () => number,
  size: { readonly vcpus: number; readonly pages: number },
): readonly ShortestRow[] {
  return CANDIDATES.flatMap((candidate) => {
    const expected = candidate.expected(DEFAULT_FEATURES);
    if (expected.verdict !== 'refuted') return [];
    return [shortest(candidate, expected.refutations[0], size, now)];
  });
}

function shortest(
  candidate: Candidate,
  refutation: Refutation,
  size: { readonly vcpus: number; readonly pages: number },
  now: () => number,
): ShortestRow {
  const scenario = { ...scenarioWith(candidate, DEFAULT_FEATURES, refutation.needs), ...size };
  const start = now();
  const machine = machineOf(scenario, candidate);
  if (isInputError(machine)) throw new Error(machine.message);
  const found = cheapest(machine, refutation);
  return { candidate: candidate.id, ...found, ms: now() - start };
}

function cheapest(machine: Machine, refutation: Refutation): Omit<ShortestRow, 'candidate' | 'ms'> {
  // That somebody never gets on is seen on the whole state graph, which no search for facts replaces.
  if (refutation.rule === 'P8') return noProgress(machine);
  const result = search(
    machine,
    { states: STATES },
    {
      reduced: true,
      wholeAccesses: true,
      symmetric: true,
      order: 'cheapest-first',
      violation: (facts) => firstViolation(ALL_RULES, facts)?.rule.id ?? null,
      endViolation: (state) => factAtEnd(machine, state)?.kind ?? null,
    },
  );
  const { states } = result;
  if (result.kind === 'violation') {
    const { violation: rule, cost, trace } = result;
    return {
      rule: result.cheapest ? rule : `${rule}, not proved`,
      cost,
      events: trace.length,
      states,
    };
  }
  return { rule: `none: ${result.kind}`, cost: null, events: 0, states };
}

function noProgress(machine: Machine): Omit<ShortestRow, 'candidate' | 'ms'> {
  const found = checkProgress(machine, { states: STATES, reduced: true });
  const { states } = found;
  if (found.kind !== 'violation') {
    return { rule: `none: ${found.kind}`, cost: null, events: 0, states };
  }
  return { rule: 'progress', cost: null, events: found.lead.length + found.loop.length, states };
}
