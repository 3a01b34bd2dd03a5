import { expect, test } from 'vitest';
import { DEFAULT_FEATURES } from '../../src/arm64/features.ts';
import { findCandidate } from '../../src/candidates/catalogue.ts';
import type { Candidate } from '../../src/candidates/candidate.ts';
import {
  performCheck,
  type CheckRecord,
  type CheckTask,
  type TaskKeeper,
  type TaskSnapshot,
} from '../../src/explore/check-journal.ts';
import { keepIds } from '../../src/explore/kept-check.ts';
import { search, type SearchHooks, type SearchResult } from '../../src/explore/search.ts';
import type { SearchSnapshot } from '../../src/explore/search-snapshot.ts';
import type { Machine } from '../../src/machine/machine.ts';
import { ALL_RULES } from '../../src/rules/all-rules.ts';
import { firstViolation } from '../../src/rules/rule.ts';
import { isInputError } from '../../src/scenario/input-error.ts';
import { defaultScenario } from '../../src/scenario/scenario.ts';
import { seedMachine } from './seed-machine.ts';

/** What is asked between states, so that a search is cut off after so many questions. */
function after(questions: number): () => boolean {
  let asked = 0;
  return () => {
    asked += 1;
    return asked >= questions;
  };
}

const HOOKS: SearchHooks = {
  reduced: true,
  wholeAccesses: true,
  symmetric: true,
  violation: (facts) => firstViolation(ALL_RULES, facts)?.message ?? null,
};

interface Kept {
  readonly search: SearchSnapshot;
  readonly tables: readonly number[];
  readonly ids: Int32Array;
}

/** Searches in pieces, each on a machine of its own that knows nothing but what the last has left. */
function inPieces(
  machine: () => Machine,
  hooks: SearchHooks,
  spoil: (kept: Kept) => Kept = (kept) => kept,
): { readonly result: SearchResult; readonly pieces: number } {
  let left: Kept | null = null;
  for (let pieces = 1; ; pieces += 1) {
    const here = machine();
    const from = left === null ? null : { refuted: [], states: 0, ...spoil(left) };
    const { basis, snapshot } = keepIds(here, from);
    const expired = after(1 + (pieces % 3));
    let isOver = false;
    const result = search(
      here,
      {
        states: 100_000,
        expired: () => (isOver = expired()),
        keep: (take) => {
          left = structuredClone({ search: take(), ...snapshot() });
        },
      },
      hooks,
      basis ?? undefined,
    );
    if (!isOver) return { result, pieces };
  }
}

test.each([
  ['a pass', { pages: 3, features: { ...DEFAULT_FEATURES, fwb: true } }, HOOKS],
  ['a refutation', { pages: 3 }, HOOKS],
  ['two vCPUs that are alike', { pages: 3, vcpus: 2 }, HOOKS],
  ['without reduction', { window: 2 }, { violation: HOOKS.violation }],
])('a search in pieces is the same search: %s', { timeout: 60_000 }, (_, change, hooks) => {
  const machine = (): Machine => seedMachine(change);
  const whole = search(machine(), { states: 100_000 }, hooks as SearchHooks);
  const { result, pieces } = inPieces(machine, hooks as SearchHooks);
  expect(pieces).toBeGreaterThan(2);
  expect(result).toEqual(whole);
});

test('a piece on a machine that numbers contents in another order is refused or another search', () => {
  const whole = search(seedMachine({ pages: 3 }), { states: 100_000 }, HOOKS);
  const withoutIds = (kept: Kept): Kept => ({ ...kept, ids: new Int32Array(0) });
  let result: SearchResult | null = null;
  try {
    ({ result } = inPieces(() => seedMachine({ pages: 3 }), HOOKS, withoutIds));
  } catch {
    // Ids that stand for nothing.
  }
  expect(result).not.toEqual(whole);
});

function known(id: string): Candidate {
  const candidate = findCandidate(id);
  if (candidate === null) throw new Error(`no candidate ${id}`);
  return candidate;
}

/** A check whose searches are cut off again and again and go on from what was kept. */
function checkInPieces(task: CheckTask, candidate: Candidate): CheckRecord {
  let left: TaskSnapshot | null = null;
  for (let piece = 1; piece < 200; piece += 1) {
    const expired = after(3);
    let isOver = false;
    const keeper: TaskKeeper = {
      from: left,
      offer: (snapshot) => {
        left = structuredClone(snapshot());
      },
      isForeign: () => expect.unreachable(),
    };
    const limits = { expired: () => (isOver = isOver || expired()) };
    const record = performCheck(task, candidate, limits, { keeper });
    if (isInputError(record)) throw new Error(record.message);
    if (!isOver) return record;
  }
  throw new Error('a check makes no progress');
}

test('a check of several searches in pieces has the same record, features looked at included', () => {
  const candidate = known('unmap-stage2-range/without-table-flush');
  const scenario = defaultScenario(candidate.id, DEFAULT_FEATURES);
  const task: CheckTask = { scenario, rules: ALL_RULES.map(({ id }) => id), states: 100_000 };
  const whole = performCheck(task, candidate, {});
  if (isInputError(whole)) throw new Error(whole.message);
  expect(whole.outcomes.filter(({ verdict }) => verdict === 'refuted').length).toBeGreaterThan(1);
  expect(checkInPieces(task, candidate)).toEqual(whole);
});

test('a snapshot of another check is said to be foreign, and the check is made anew', () => {
  const candidate = known('unmap-stage2-range/without-leaf-flush');
  const scenario = defaultScenario(candidate.id, DEFAULT_FEATURES);
  const task: CheckTask = { scenario, rules: ['break-before-make'], states: 100_000 };
  const other = { ...task, scenario: { ...scenario, vcpus: 3 } };
  let kept: TaskSnapshot | null = null;
  const keep: TaskKeeper = {
    from: null,
    offer: (snapshot) => (kept ??= structuredClone(snapshot())),
    isForeign: () => expect.unreachable(),
  };
  performCheck(task, candidate, {}, { keeper: keep });
  expect(kept).not.toBeNull();
  let foreign = 0;
  const record = performCheck(
    other,
    candidate,
    {},
    { keeper: { from: kept, offer: () => undefined, isForeign: () => (foreign += 1) } },
  );
  expect(foreign).toBe(1);
  expect(record).toEqual(performCheck(other, candidate, {}));
});
