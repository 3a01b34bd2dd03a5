import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Worker, MessageChannel } from 'node:worker_threads';
import { afterAll, describe, expect, test } from 'vitest';
import { DEFAULT_FEATURES } from '../../src/arm64/features.ts';
import { findCandidate } from '../../src/candidates/catalogue.ts';
import type { Candidate } from '../../src/candidates/candidate.ts';
import { crewOf } from '../../src/cli/crew.ts';
import { checkMachine, findViolation, machineOf } from '../../src/explore/check.ts';
import { performCheck, type CheckTask } from '../../src/explore/check-journal.ts';
import { breadthFirst } from '../../src/explore/frontier.ts';
import { LeftToOne } from '../../src/explore/kept-check.ts';
import {
  findWithCrew,
  helpersOf,
  type Crew,
  type SharedWork,
} from '../../src/explore/shared-search.ts';
import { ALL_RULES } from '../../src/rules/all-rules.ts';
import { isInputError } from '../../src/scenario/input-error.ts';
import { defaultScenario, type Scenario } from '../../src/scenario/scenario.ts';
import { sharedStateSet } from '../../src/util/shared-state-set.ts';
import { stateSet } from '../../src/util/state-set.ts';

const HELPER = resolve('dist/cli/search-helper.js');

/** What a crew was called for. */
interface Called {
  readonly crew: Crew;
  readonly works: SharedWork[];
}

const workers = new Map<string, { readonly worker: Worker; readonly crew: Crew }>();
afterAll(async () => {
  await Promise.all([...workers.values()].map(({ worker }) => worker.terminate()));
});

/** One helper for the searches of a candidate, called after a few hundred states. */
function crewFor(id: string): Called {
  let known = workers.get(id);
  if (known === undefined) {
    const { port1, port2 } = new MessageChannel();
    const worker = new Worker(HELPER, {
      workerData: { source: id, deadline: Infinity, checkpoint: null, calls: port2 },
      transferList: [port2],
    });
    port1.unref();
    const gone = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    const crew = crewOf({ ports: [port1], gone }, 0);
    if (crew === null) throw new Error('no crew');
    known = { worker, crew };
    workers.set(id, known);
  }
  const { crew } = known;
  const works: SharedWork[] = [];
  return {
    works,
    crew: {
      ...crew,
      call(work) {
        works.push(work);
        crew.call(work);
      },
    },
  };
}

function candidateOf(id: string): Candidate {
  const candidate = findCandidate(id);
  if (candidate === null) throw new Error(`no candidate ${id}`);
  return candidate;
}

function taskOf(id: string, change: Partial<Scenario>, states = 100_000): CheckTask {
  const scenario = { ...defaultScenario(id, DEFAULT_FEATURES), ...change };
  return { scenario, rules: ALL_RULES.map((rule) => rule.id), states };
}

const FWB = { features: { ...DEFAULT_FEATURES, fwb: true } };
const BASELINE = 'unmap-stage2-range/per-page-flush';
const SEED = 'unmap-stage2-range/deferred-range-flush';
const LARGER = { vcpus: 3, pages: 3, layout: 'across' } as const;
const ANY_ACCESS = { kind: 'general', kinds: ['read', 'write', 'execute'] } as const;

/** Passes, so that all states are reached: few and many PEs, pages and hosts, kinds of memory, caches. */
const PASSES: readonly (readonly [string, string, Partial<Scenario>])[] = [
  ['three vCPUs', BASELINE, { vcpus: 3 }],
  ['three pages', BASELINE, { pages: 3, layout: 'across' }],
  ['two hosts', BASELINE, { hosts: 2 }],
  ['reuse, the lock drops', BASELINE, { ...LARGER, afterwards: 'reuse', reschedule: 'always' }],
  ['a guest that executes', BASELINE, { vcpus: 2, guest: ANY_ACCESS }],
  ['in a block, non-cacheable', SEED, { ...FWB, view: 'non-cacheable', layout: 'in-block' }],
  ['the seed', SEED, FWB],
  ['the seed, two vCPUs and three pages', SEED, { ...FWB, ...LARGER, vcpus: 2 }],
  ['another order of steps', 'unmap-stage2-range/two-passes', LARGER],
];

describe.skipIf(!existsSync(HELPER))('a search by two threads', () => {
  test.each(PASSES)('reaches the states of one: %s', { timeout: 60_000 }, (_, id, change) => {
    const candidate = candidateOf(id);
    const task = taskOf(id, change);
    const machine = machineOf(task.scenario, candidate);
    if (isInputError(machine)) throw new Error(machine.message);
    const { crew, works } = crewFor(id);
    const find = findWithCrew({ crew, task, noteRead: () => undefined });
    const limits = { states: task.states };
    const found = checkMachine(machine, ALL_RULES, limits, { find });
    const [work] = works;
    if (work === undefined) throw new Error('the search was too short to be shared');
    expect(helpersOf(work)).toEqual({ ended: 1, failed: false, violated: false });
    expect([...found.outcomes.values()].every(({ verdict }) => verdict === 'verified')).toBe(true);
    // One thread with the same machine: the same ids, so the sets can be compared.
    const seen = stateSet(machine.initial.length);
    const basis = { seen, open: breadthFirst(), transitions: 0 };
    const alone = findViolation(machine, ALL_RULES, limits, true, basis);
    expect(alone).toEqual({ kind: 'exhausted', cut: false, states: found.states });
    const shared = sharedStateSet(work.states);
    expect(shared.size()).toBe(seen.size());
    const state = new Int32Array(machine.initial.length);
    let missing = 0;
    for (let i = 0; i < seen.size(); i += 1) {
      seen.read(i, state);
      if (shared.find(state) < 0) missing += 1;
    }
    expect(missing).toBe(0);
  });

  test.each([
    ['a pass', SEED, { ...FWB, vcpus: 2 }, 100_000],
    ['a pass on the whole graph too', BASELINE, { hosts: 2, window: 4 }, 100_000],
    ['a refutation', SEED, { vcpus: 2 }, 100_000],
    ['several refutations', 'unmap-stage2-range/without-table-flush', {}, 100_000],
    ['a limit', SEED, { ...FWB, vcpus: 3 }, 2000],
    ['a deadlock', 'unmap-stage2-range/without-unlock', { hosts: 2 }, 100_000],
  ] as const)('comes to the record of one: %s', { timeout: 60_000 }, (_, id, change, states) => {
    const task = taskOf(id, change, states);
    const { crew, works } = crewFor(id);
    const one = performCheck(task, candidateOf(id), {});
    expect(performCheck(task, candidateOf(id), {}, { crew })).toEqual(one);
    expect(works.length).toBeGreaterThan(0);
    expect(works.some((work) => helpersOf(work).failed)).toBe(false);
  });

  test(
    'says of a limit what one thread says, however near the violation is',
    { timeout: 60_000 },
    () => {
      const machine = machineOf(taskOf(SEED, {}).scenario, candidateOf(SEED));
      if (isInputError(machine)) throw new Error(machine.message);
      const found = findViolation(machine, ALL_RULES, { states: 100_000 }, true);
      expect(found.kind).toBe('violation');
      const verdicts = [-300, -1, 0, 1, 300].map((more) => {
        const task = taskOf(SEED, {}, found.states + more);
        const { crew, works } = crewFor(SEED);
        const one = performCheck(task, candidateOf(SEED), {});
        expect(performCheck(task, candidateOf(SEED), {}, { crew })).toEqual(one);
        expect(works.length).toBeGreaterThan(0);
        if (isInputError(one)) throw new Error(one.message);
        return one.outcomes.some(({ verdict }) => verdict === 'refuted');
      });
      expect(verdicts).toEqual([false, false, true, true, true]);
    },
  );

  test('is left to one thread when the other is gone', () => {
    const task = taskOf(SEED, { ...FWB, vcpus: 2 });
    let asked = 0;
    const crew: Crew = {
      helpers: 1,
      call: () => undefined,
      // There when it is asked first, gone when it should begin.
      isGone: () => (asked += 1) > 1,
      alone: 0,
    };
    const one = performCheck(task, candidateOf(SEED), {});
    expect(performCheck(task, candidateOf(SEED), {}, { crew })).toEqual(one);
    expect(asked).toBeGreaterThan(1);
  });

  test('is left to one thread when the other has another machine', () => {
    const { crew, works } = crewFor(SEED);
    const task = taskOf(SEED, { ...FWB, vcpus: 2 });
    const machine = machineOf(task.scenario, candidateOf(SEED));
    if (isInputError(machine)) throw new Error(machine.message);
    const other = taskOf(SEED, { ...FWB, vcpus: 3 });
    const find = findWithCrew({ crew, task: other, noteRead: () => undefined });
    const check = (): unknown => checkMachine(machine, ALL_RULES, { states: 100_000 }, { find });
    expect(check).toThrow(LeftToOne);
    expect(works.map((work) => helpersOf(work).failed)).toEqual([true]);
  });
});
