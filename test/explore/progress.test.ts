import { describe, expect, test } from 'vitest';
import { checkProgress } from '../../src/explore/progress.ts';
import { DEFAULT_FEATURES } from '../../src/arm64/features.ts';
import { createMachine } from '../../src/machine/machine.ts';
import type { MachineSetup } from '../../src/machine/setup.ts';
import type { Answer, Effect } from '../../src/program/effect.ts';
import type { ThreadBody } from '../../src/program/generator-thread.ts';
import {
  bare,
  cellOf,
  dsb,
  forEver,
  guestLoad,
  hostLoad,
  hostStore,
  IPA_A,
  isb,
  PAGE_A,
  pageDescriptor,
  smallWorld,
  straight,
  tlbi,
} from '../machine/small-world.ts';

const lock = (n: number): Effect => bare({ kind: 'lock', lock: n });
const unlock = (n: number): Effect => bare({ kind: 'unlock', lock: n });
const CELL = cellOf(IPA_A);
const MAPPED = pageDescriptor(PAGE_A, DEFAULT_FEATURES);

/** What a fault handler does with the entry once it has the lock. */
type Install = (old: bigint) => readonly Effect[];

const flush = [tlbi('IPAS2E1IS', IPA_A >> 12n), dsb(), tlbi('VMALLE1IS'), dsb(), isb()];
const make = [hostStore(CELL, MAPPED), dsb('st')];

/** Break before make, also when the entry has the wanted value already (before 976d34e2dab1). */
const unconditional: Install = (old) =>
  old === 0n ? make : [hostStore(CELL, 0n), dsb('st'), ...flush, ...make];

/** As it was fixed: nothing to do when nothing changes. */
const skipEqual: Install = (old) => (old === MAPPED ? [] : unconditional(old));

/** A vCPU that wants one read and tries until it comes through. */
function vcpu(install: Install): ThreadBody {
  return function* (): Generator<Effect, 'ends' | 'repeats', Answer> {
    const answer = yield guestLoad(IPA_A);
    if (answer.kind !== 'fault') return 'ends';
    yield bare({ kind: 'exception-entry', toEl: 2 });
    yield lock(0);
    const old = yield hostLoad(CELL);
    for (const effect of install(old.kind === 'value' ? old.value : 0n)) yield effect;
    yield unlock(0);
    yield bare({ kind: 'exception-return', toEl: 1 });
    return 'repeats';
  };
}

function world(host: ThreadBody, guests: readonly ThreadBody[], mapped = false): MachineSetup {
  const setup = smallWorld({ host, guests });
  return {
    ...setup,
    locks: ['lock A', 'lock B'],
    memory: mapped ? setup.memory : setup.memory.filter((word) => word.address !== CELL),
    bounds: { window: 4 },
  };
}

const check = (setup: MachineSetup, reduced = false) =>
  checkProgress(createMachine(setup), { states: 200_000, reduced });

describe('deadlock', () => {
  const abba: readonly ThreadBody[] = [
    straight([lock(0), lock(1), unlock(1), unlock(0)]),
    straight([lock(1), lock(0), unlock(0), unlock(1)]),
  ];
  const two = (bodies: readonly ThreadBody[], guests: readonly ThreadBody[]): MachineSetup =>
    world(bodies[0] ?? straight([]), [bodies[1] ?? straight([]), ...guests], true);

  test.each([false, true])('two locks in either order (reduced: %s)', (reduced) => {
    const result = check(two(abba, []), reduced);
    expect(result).toMatchObject({ kind: 'violation', loop: [] });
    expect(result.kind === 'violation' && result.fact.message).toMatch(/waits for lock/);
  });

  test.each([false, true])('a guest that repeats for ever does not hide it (%s)', (reduced) => {
    expect(check(two(abba, [forEver(guestLoad(IPA_A))]), reduced).kind).toBe('violation');
  });

  test('the same order everywhere is fine', () => {
    const same = straight([lock(0), lock(1), unlock(1), unlock(0)]);
    expect(check(two([same, same], [forEver(guestLoad(IPA_A))])).kind).toBe('holds');
  });

  test('a lock that is never released blocks the other', () => {
    const result = check(two([straight([lock(0)]), straight([lock(0), unlock(0)])], []));
    expect(result).toMatchObject({ kind: 'violation' });
  });
});

describe('two vCPUs fault on one entry (corpus: s2-refault-livelock)', () => {
  test.each([false, true])('unconditional break-before-make may go on for ever (%s)', (reduced) => {
    const result = check(world(straight([]), [vcpu(unconditional), vcpu(unconditional)]), reduced);
    expect(result).toMatchObject({ kind: 'violation' });
    if (result.kind !== 'violation') return;
    expect(result.fact.message).toMatch(/vcpu\d faults for ever/);
    expect(result.loop.length).toBeGreaterThan(10);
    // It is a loop, and the lead ends where it begins.
    const start = result.lead.at(-1)?.next;
    expect([...(result.loop.at(-1)?.next ?? [])]).toEqual([...(start ?? [])]);
  });

  test.each([false, true])('skipping an entry that is there already ends it (%s)', (reduced) => {
    const result = check(world(straight([]), [vcpu(skipEqual), vcpu(skipEqual)]), reduced);
    expect(result).toMatchObject({ kind: 'holds' });
  });

  test('one vCPU alone gets through in any case', () => {
    expect(check(world(straight([]), [vcpu(unconditional)])).kind).toBe('holds');
  });

  test('a handler that installs nothing never gets anywhere', () => {
    const result = check(world(straight([]), [vcpu(() => [])]));
    expect(result).toMatchObject({ kind: 'violation' });
  });

  test('retrying while a slow host has the page away is not endless: the host goes on', () => {
    const host = straight([lock(0), hostStore(CELL, MAPPED), dsb('st'), unlock(0)]);
    expect(check(world(host, [vcpu(() => [])])).kind).toBe('holds');
  });
});
