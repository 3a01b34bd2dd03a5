import { DEFAULT_FEATURES } from '../src/arm64/features.ts';
import type { Candidate } from '../src/candidates/candidate.ts';
import { deferredRangeFlush } from '../src/candidates/unmap-stage2-range/deferred-range-flush.ts';
import { crewOf, startHelpers } from '../src/cli/crew.ts';
import { performCheck, type CheckRecord, type CheckTask } from '../src/explore/check-journal.ts';
import type { Crew } from '../src/explore/shared-search.ts';
import { ALL_RULES } from '../src/rules/all-rules.ts';
import { isInputError } from '../src/scenario/input-error.ts';
import { defaultScenario } from '../src/scenario/scenario.ts';

/** One search by one thread and by two. */
export interface CoresRow {
  /** vCPUs x pages. */
  readonly size: string;
  readonly verdict: string;
  readonly states: number;
  readonly one: Cost;
  readonly two: Cost;
}

/** Milliseconds, by the clock and of the processor; the clock may be that of a computer that does other work. */
export interface Cost {
  readonly clock: number;
  readonly processor: number;
}

const SIZES = [
  [2, 4],
  [3, 4],
  [2, 5],
  [3, 5],
] as const;
const FEATURES = { ...DEFAULT_FEATURES, fwb: true };
/** As in check-worker.ts. */
const ALONE = 10_000;
/** Time for the helper to load its modules. */
const READY = 3000;

/** The pass of the seed, by one thread and by two; both have had a search before the first that counts. */
export async function coresRows(now: () => number, states: number): Promise<readonly CoresRow[]> {
  const candidate = deferredRangeFlush;
  const start = { source: candidate.id, deadline: Infinity, checkpoint: null };
  const helpers = startHelpers(start, 1);
  await new Promise((go) => setTimeout(go, READY));
  const crew = crewOf(helpers.crew, ALONE);
  measure(taskOf(candidate, 2, 3, states), candidate, crew, now);
  const rows = SIZES.map(([vcpus, pages]): CoresRow => {
    const task = taskOf(candidate, vcpus, pages, states);
    const one = measure(task, candidate, null, now);
    const two = measure(task, candidate, crew, now);
    if (JSON.stringify(one.record) !== JSON.stringify(two.record)) {
      throw new Error(`${vcpus} x ${pages}: two threads say something else than one`);
    }
    const verdicts = new Set(one.record.outcomes.map(({ verdict }) => verdict));
    return {
      size: `${vcpus} x ${pages}`,
      verdict: [...verdicts].join(' and '),
      states: one.record.states,
      one: one.cost,
      two: two.cost,
    };
  });
  helpers.end();
  return rows;
}

function taskOf(candidate: Candidate, vcpus: number, pages: number, states: number): CheckTask {
  const scenario = {
    ...defaultScenario(candidate.id, FEATURES),
    vcpus,
    pages,
    layout: 'across' as const,
    guest: { kind: 'general' as const, kinds: ['write' as const] },
  };
  return { scenario, rules: ALL_RULES.map(({ id }) => id), states };
}

function measure(
  task: CheckTask,
  candidate: Candidate,
  crew: Crew | null,
  now: () => number,
): { readonly record: CheckRecord; readonly cost: Cost } {
  const [clock, before] = [now(), process.cpuUsage()];
  const record = performCheck(task, candidate, {}, { crew });
  const { user, system } = process.cpuUsage(before);
  if (isInputError(record)) throw new Error(record.message);
  return { record, cost: { clock: now() - clock, processor: (user + system) / 1000 } };
}
