import type { Features } from '../arm64/features.ts';
import type { Candidate } from '../candidates/candidate.ts';
import type { Machine } from '../machine/machine.ts';
import { ruleById } from '../rules/all-rules.ts';
import type { Rule } from '../rules/rule.ts';
import {
  sharedJournal,
  sharedJournalMemory,
  type SharedJournalMemory,
} from '../util/shared-journal.ts';
import { sharedStates, sharedStateSet, type SharedStates } from '../util/shared-state-set.ts';
import { findViolation, machineOf, type CheckUse, type Found } from './check.ts';
import type { CheckTask } from './check-journal.ts';
import { watchFeatures } from './features-read.ts';
import { idJournal } from '../util/id-tables.ts';
import { LeftToOne, type CheckInWork } from './kept-check.ts';
import { STATES_PER_QUESTION, type SearchLimits } from './search.ts';
import type { SearchSnapshot } from './search-snapshot.ts';
import { sharedFrontier, sharedFrontierMemory } from './shared-frontier.ts';

/**
 * One search by several threads: one set of states and one journal of ids in shared memory, and a
 * machine in each thread. The journal keeps the machines equal, so a state is the same integers for
 * all. Depth by depth, each thread takes states and explores them by the same function as one thread
 * does (search.ts).
 *
 * What is explored of a state does not depend on the order within a depth, so the states reached are
 * those of one thread, and so is their number. Which violation is met first does depend on it: where there is one, the result is
 * left to one thread.
 */
export interface SharedWork {
  readonly task: CheckTask;
  /** Rules looked at, by id. */
  readonly rules: readonly string[];
  readonly reduced: boolean;
  readonly threads: number;
  /** Ids given by a new machine. */
  readonly tables: readonly number[];
  readonly states: SharedStates;
  readonly frontier: SharedArrayBuffer;
  readonly journal: SharedJournalMemory;
  /** Integers of `STATUS`, then a bit for each feature that a helper has looked at. */
  readonly status: SharedArrayBuffer;
}

const STATUS = {
  /** Helpers that have ended. */
  ended: 0,
  /** One could not go on. */
  failed: 1,
  violated: 2,
  /** The time was over. */
  limited: 3,
  read: 4,
} as const;

/** How the helpers of a search have ended, so far. */
export function helpersOf({ status }: SharedWork): {
  readonly ended: number;
  readonly failed: boolean;
  readonly violated: boolean;
} {
  const ints = new Int32Array(status);
  return {
    ended: Atomics.load(ints, STATUS.ended),
    failed: Atomics.load(ints, STATUS.failed) === 1,
    violated: Atomics.load(ints, STATUS.violated) === 1,
  };
}

/** Integers of ids a journal has room for. */
const JOURNAL = 1 << 26;

/** Other threads that take part in a search when asked to. */
export interface Crew {
  /** How many they are. */
  readonly helpers: number;
  /** Has each of them call `helpSearch`. */
  readonly call: (work: SharedWork) => void;
  /** Whether one of them will never answer. */
  readonly isGone: () => boolean;
  /** States that one thread explores before it calls: most searches have no more. */
  readonly alone: number;
}

/** What a crew needs to know of the check that it makes. */
export interface CrewCheck {
  readonly crew: Crew;
  readonly task: CheckTask;
  /** A helper has looked at a feature. */
  readonly noteRead: (feature: keyof Features) => void;
}

/**
 * Makes the searches of a check (`CheckUse.find`) on the thread that leads the crew: alone at first,
 * and together once a search is long and can be kept (`SearchLimits.keep`): not one with a bound on
 * preemptions. Throws `LeftToOne` where one thread has to make it.
 */
export function findWithCrew(check: CrewCheck): NonNullable<CheckUse['find']> {
  return (machine, rules, limits, reduced, basis, inWork) => {
    let asked = 0;
    let left: SearchSnapshot | null = null;
    const alone: SearchLimits = {
      ...limits,
      keep(snapshot) {
        limits.keep?.(snapshot);
        asked += STATES_PER_QUESTION;
        if (asked > check.crew.alone && !check.crew.isGone()) left = snapshot();
      },
      expired: () => left !== null || limits.expired?.() === true,
    };
    const found = findViolation(machine, rules, alone, reduced, basis);
    if (left === null) return found;
    return searchTogether({ ...check, machine, rules, limits, reduced, inWork }, left);
  };
}

interface SharedSearch extends CrewCheck {
  readonly machine: Machine;
  readonly rules: readonly Rule[];
  readonly limits: SearchLimits;
  readonly reduced: boolean;
  readonly inWork: CheckInWork;
}

function searchTogether(search: SharedSearch, from: SearchSnapshot): Found {
  const { crew, task, machine, rules, reduced, limits, inWork } = search;
  // Nothing has been given an id in the order of several threads yet.
  const toOne = new LeftToOne(from.together === true ? null : inWork.snapshot(from));
  let work: SharedWork;
  try {
    work = workOf(search, from);
  } catch (problem) {
    // There is not so much memory.
    if (problem instanceof RangeError) throw toOne;
    throw problem;
  }
  const status = new Int32Array(work.status);
  const seen = sharedStateSet(work.states);
  const open = sharedFrontier(work.frontier, {
    threads: work.threads,
    isLeader: true,
    reached: seen.size,
    hasRoom: () => !seen.isFull(),
    isGone: crew.isGone,
    atDepth: machine.inspect.ids.catchUp,
    atTurn: (place) =>
      limits.keep?.(() => ({ states: seen.content(), place, transitions: 0, together: true })),
  });
  crew.call(work);
  let found: Found;
  try {
    const { keep: _, ...quiet } = limits;
    found = findViolation(machine, rules, { ...quiet, states: Infinity }, reduced, {
      seen,
      open,
      transitions: from.transitions,
    });
  } catch {
    // One thread comes to it as well, and says what it is.
    throw toOne;
  } finally {
    open.stop();
  }
  const areDone = waitForHelpers(status, crew);
  for (const [i, feature] of featuresOf(task).entries()) {
    if (Atomics.load(status, STATUS.read + i) === 1) search.noteRead(feature);
  }
  const helpers = helpersOf(work);
  if (!areDone || helpers.failed || helpers.violated || found.kind === 'violation') throw toOne;
  // What comes after has no need of the others, nor of a bound; bounds that others met are among their ids.
  machine.inspect.ids.catchUp();
  inWork.ids.moveTo(idJournal(sharedJournal(work.journal).content()));
  const states = seen.size();
  const isLimited = found.kind === 'limit' || Atomics.load(status, STATUS.limited) === 1;
  if (isLimited || seen.isFull()) return { kind: 'limit', states };
  if (!open.isFinished()) throw toOne;
  return { kind: 'exhausted', cut: false, states };
}

/** Puts what has been searched so far into shared memory. */
function workOf(
  { crew, task, machine, inWork, rules, reduced, limits }: SharedSearch,
  from: SearchSnapshot,
): SharedWork {
  const width = machine.initial.length;
  const threads = crew.helpers + 1;
  const { tables, ids } = inWork.ids.snapshot();
  const memory = sharedJournalMemory(JOURNAL);
  const journal = sharedJournal(memory);
  journal.begin(ids);
  inWork.ids.moveTo(journal);
  const states = sharedStates(width, limits.states);
  const seen = sharedStateSet(states);
  let id = 0;
  for (const piece of from.states.sequences) {
    for (let at = 0; at < piece.length && id < from.states.count; at += width, id += 1) {
      seen.add(piece.subarray(at, at + width), from.states.parents[id] as number);
    }
  }
  const ints = STATUS.read + featuresOf(task).length;
  return {
    task,
    rules: rules.map((rule) => rule.id),
    reduced,
    threads,
    tables,
    states,
    frontier: sharedFrontierMemory(from.place, threads),
    journal: memory,
    status: new SharedArrayBuffer(ints * Int32Array.BYTES_PER_ELEMENT),
  };
}

/** False when one of them will never answer. */
function waitForHelpers(status: Int32Array, { helpers, isGone }: Crew): boolean {
  for (;;) {
    const ended = Atomics.load(status, STATUS.ended);
    if (ended === helpers) return true;
    if (isGone()) return false;
    Atomics.wait(status, STATUS.ended, ended, 50);
  }
}

function featuresOf({ scenario }: CheckTask): readonly (keyof Features)[] {
  return Object.keys(scenario.features) as (keyof Features)[];
}

/** Takes part in a search that another thread leads, until it is over. */
export function helpSearch(work: SharedWork, candidate: Candidate, expired: () => boolean): void {
  const { task, reduced, threads } = work;
  const status = new Int32Array(work.status);
  const seen = sharedStateSet(work.states);
  const open = sharedFrontier(work.frontier, {
    threads,
    isLeader: false,
    reached: seen.size,
    hasRoom: () => !seen.isFull(),
    isGone: () => false,
    // What others have given ids to is in the states that they have reached.
    atDepth: () => catchUp(),
  });
  const read = new Set<keyof Features>();
  let catchUp = (): void => undefined;
  try {
    const features = watchFeatures(task.scenario.features, read);
    const machine = machineOf({ ...task.scenario, features }, candidate);
    if ('kind' in machine) throw new Error(machine.message);
    const { ids } = machine.inspect;
    if (ids.sizes().join() !== work.tables.join()) throw new Error('another machine');
    ids.attach(sharedJournal(work.journal));
    ({ catchUp } = ids);
    const rules = work.rules.flatMap((id) => ruleById(id) ?? []);
    const limits = { states: Infinity, expired };
    const found = findViolation(machine, rules, limits, reduced, { seen, open, transitions: 0 });
    if (found.kind === 'violation') Atomics.store(status, STATUS.violated, 1);
    if (found.kind === 'limit') Atomics.store(status, STATUS.limited, 1);
  } catch {
    // Whatever it is, the thread that leads comes to it too, alone, and says what it is.
    Atomics.store(status, STATUS.failed, 1);
  } finally {
    for (const [i, feature] of featuresOf(task).entries()) {
      if (read.has(feature)) Atomics.store(status, STATUS.read + i, 1);
    }
    open.stop();
    Atomics.add(status, STATUS.ended, 1);
    Atomics.notify(status, STATUS.ended);
  }
}
