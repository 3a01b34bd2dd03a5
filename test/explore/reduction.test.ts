import { describe, expect, test } from 'vitest';
import { search } from '../../src/explore/search.ts';
import type { Fact } from '../../src/machine/facts.ts';
import { createMachine, type Machine } from '../../src/machine/machine.ts';
import { ALL_RULES } from '../../src/rules/all-rules.ts';
import { randomFrom } from '../../src/util/random.ts';
import {
  cellOf,
  civac,
  dsb,
  forEver,
  guestLoad,
  guestStore,
  hostLoad,
  hostStore,
  IPA_A,
  isb,
  PAGE_A,
  returns,
  smallWorld,
  straight,
  tlbi,
} from '../machine/small-world.ts';
import type { MachineSetup } from '../../src/machine/setup.ts';
import { compareSearches, disagreement } from './compare.ts';
import { randomWorld, setupOf, VMID, type Op, type RandomWorld } from './random-world.ts';

/** Number of random worlds; many more are run by `TLBGATE_PROVE=1`. */
const WORLDS = process.env['TLBGATE_PROVE'] === undefined ? 100 : 5000;
/** Milliseconds, far more than either takes. */
const MOST_TIME = WORLDS * 1200;

const PLAIN: RandomWorld = {
  fwb: false,
  ets: 'none',
  fillOutOfContext: true,
  erratumRepeatTlbi: false,
  dataCache: 'modelled',
  instructionCache: false,
  window: 8,
  hosts: [],
  guests: [],
};

const read: Op = { kind: 'guest', access: 'read', page: 0, value: 0, wanted: false };
const clear: Op = { kind: 'set-leaf', leaf: 0, to: 'zero' };

describe('exploring eager steps alone finds what plain search finds', () => {
  test(
    `in ${WORLDS} random worlds: the same rules broken, the same ends`,
    () => {
      let compared = 0;
      let plainStates = 0;
      let reducedStates = 0;
      const broken = new Set<string>();
      for (let seed = 0; seed < WORLDS; seed += 1) {
        const result = compareSearches(setupOf(randomWorld(randomFrom(seed))), 2500);
        if (result === null) continue;
        compared += 1;
        plainStates += result.plain.states;
        reducedStates += result.reduced.states;
        for (const rule of result.plain.rules) broken.add(rule);
        expect([seed, disagreement(result.plain, result.reduced)]).toEqual([seed, null]);
      }
      // The comparison is worth something only if worlds finish, break rules, and are reduced at all.
      expect(compared).toBeGreaterThan(WORLDS / 2);
      expect(broken.size).toBeGreaterThanOrEqual(6);
      expect(reducedStates).toBeLessThan(plainStates / 2);
    },
    MOST_TIME,
  );

  test(
    `accesses in one piece, PEs alike, in ${WORLDS} random worlds`,
    () => {
      let compared = 0;
      for (let seed = 0; seed < WORLDS; seed += 1) {
        const reductions = { reduced: seed % 2 === 0, wholeAccesses: true, symmetric: true };
        const result = compareSearches(setupOf(randomWorld(randomFrom(seed))), 2500, reductions);
        if (result === null) continue;
        compared += 1;
        expect([seed, disagreement(result.plain, result.reduced)]).toEqual([seed, null]);
      }
      expect(compared).toBeGreaterThan(WORLDS / 2);
    },
    MOST_TIME,
  );

  /** Worlds on which an earlier form of the reduction lost something. */
  const REGRESSIONS: readonly (readonly [string, RandomWorld])[] = [
    [
      'a TLBI must not be issued before an earlier access has had the chance to fault',
      {
        ...PLAIN,
        hosts: [[clear]],
        guests: [
          [
            { ...read, page: 0 },
            { kind: 'tlbi', op: 'VMALLE1IS', page: 0 },
          ],
        ],
      },
    ],
    [
      'under the repeat-TLBI erratum a delivery that changes nothing now may leave an access owed later',
      {
        ...PLAIN,
        erratumRepeatTlbi: true,
        hosts: [
          [
            { kind: 'tlbi', op: 'VMALLS12E1IS', page: 0 },
            { kind: 'set-root', to: 'block' },
            { kind: 'dsb' },
          ],
        ],
        guests: [[read]],
      },
    ],
    [
      'a TLBI before an exception return is not executed at the lower Exception level',
      {
        ...PLAIN,
        fillOutOfContext: false,
        hosts: [[{ kind: 'tlbi', op: 'IPAS2E1IS', page: 0 }, { kind: 'leave' }]],
      },
    ],
    [
      'a lock protects reads of tables only from those who take the same lock',
      {
        ...PLAIN,
        hosts: [
          [
            { kind: 'lock', lock: 0 },
            { kind: 'read-leaf', leaf: 0 },
            { kind: 'read-leaf', leaf: 0 },
            { kind: 'unlock', lock: 0 },
          ],
          [{ kind: 'lock', lock: 1 }, clear, { kind: 'unlock', lock: 1 }],
        ],
        guests: [[{ ...read, page: 1, wanted: true }]],
      },
    ],
    [
      'a read of a table that its own PE frees before it',
      {
        ...PLAIN,
        hosts: [
          [{ kind: 'lock', lock: 0 }, { kind: 'free-table' }, { kind: 'read-leaf', leaf: 1 }],
        ],
        guests: [[read]],
      },
    ],
    [
      'a read that may come after the unlock before it',
      {
        ...PLAIN,
        hosts: [
          [
            { kind: 'lock', lock: 0 },
            { kind: 'read-page', page: 0 },
            { kind: 'unlock', lock: 0 },
            { kind: 'read-leaf', leaf: 0 },
            { kind: 'returns', removes: 'translations' },
          ],
          [{ kind: 'lock', lock: 0 }, clear, { kind: 'unlock', lock: 0 }],
        ],
        guests: [[read]],
      },
    ],
    [
      'a VMID that is not in force yet',
      {
        ...PLAIN,
        hosts: [
          [
            { kind: 'vmid', vmid: 0 },
            { kind: 'isb' },
            clear,
            { kind: 'dsb-st' },
            { kind: 'vmid', vmid: VMID },
            { kind: 'tlbi', op: 'VMALLS12E1IS', page: 0 },
            { kind: 'dsb' },
            { kind: 'returns', removes: 'translations' },
          ],
        ],
        guests: [[{ ...read, wanted: true }]],
      },
    ],
  ];

  test('a guest that goes round in eager steps alone does not put off everybody else', () => {
    const host = straight([hostStore(cellOf(IPA_A), 0n), returns([IPA_A])]);
    const guests = [forEver(isb(), isb()), forEver(guestLoad(IPA_A))];
    const result = compareSearches(smallWorld({ host, guests }), 5000);
    expect(result?.plain.rules).toContain('no-access-after-return');
    if (result !== null) expect(disagreement(result.plain, result.reduced)).toBeNull();
  });

  /** An unmap of one page, less and less of it: guests that repeat, so that PEs are at rest. */
  const UNMAP = [
    hostStore(cellOf(IPA_A), 0n),
    dsb('st'),
    tlbi('IPAS2E1IS', IPA_A >> 12n),
    dsb(),
    tlbi('VMALLE1IS'),
    dsb(),
    isb(),
    civac(PAGE_A),
    dsb('full', 'sy'),
    returns([IPA_A]),
    hostLoad(PAGE_A),
  ];

  test.each([
    ['whole', []],
    ['without the first TLBI', [2]],
    ['without the middle DSB', [3]],
    ['without the second TLBI', [4]],
    ['without the DSB after it', [5]],
    ['without the clean and invalidate', [7]],
    ['without maintenance', [2, 4]],
  ])('an unmap %s: each reduction finds what plain search finds', (_, without) => {
    const host = straight(UNMAP.filter((__, i) => !without.some((j) => i === j)));
    const guest = forEver(guestLoad(IPA_A), guestStore(IPA_A, 1n));
    const setup = smallWorld({ host, guests: [guest] });
    const all = { reduced: true, wholeAccesses: true, symmetric: true };
    for (const reductions of [{ wholeAccesses: true }, all]) {
      const result = compareSearches(setup, 300_000, reductions);
      expect(result).not.toBeNull();
      if (result === null) continue;
      const { plain, reduced } = result;
      expect([reductions, disagreement(plain, reduced, true)]).toEqual([reductions, null]);
      // Alone it saves little: a fault event that is put off keeps a PE from rest.
      expect(reduced.states).toBeLessThan(plain.states / ('reduced' in reductions ? 100 : 1));
    }
  });

  /** An unmap beside vCPUs that run the same thread, so that they are interchangeable. */
  function besideAlike(vcpus: number, without: readonly number[]): MachineSetup {
    const host = straight(
      UNMAP.filter((__, i) => i < 5 && !without.includes(i)).concat(returns([IPA_A])),
    );
    const setup = smallWorld({ host, guests: [forEver(guestStore(IPA_A, 1n))] });
    const [first, vcpu] = setup.threads;
    if (first === undefined || vcpu === undefined) throw new Error('no such world');
    const threads = [first, ...Array.from({ length: vcpus }, () => vcpu)];
    return { ...setup, threads, bounds: { window: 3 } };
  }

  test.each([
    ['whole', []],
    ['without the second TLBI', [4]],
    ['without the middle DSB', [3]],
  ])('an unmap %s beside two vCPUs alike', (_, without) => {
    const setup = besideAlike(2, without);
    const sizes: number[] = [];
    for (const symmetric of [false, true]) {
      const reductions = { reduced: true, wholeAccesses: true, symmetric };
      const result = compareSearches(setup, 300_000, reductions);
      expect(result).not.toBeNull();
      if (result === null) continue;
      expect(disagreement(result.plain, result.reduced, true)).toBeNull();
      sizes.push(result.reduced.states);
    }
    expect(sizes[1]).toBeLessThan(sizes[0] as number);
  });

  test('the run of a violation is a run, and breaks what is said, in 60 random worlds', () => {
    let found = 0;
    for (let seed = 0; seed < 60; seed += 1) {
      const machine = createMachine(setupOf(randomWorld(randomFrom(seed))));
      const violation = (facts: readonly Fact[]): string | null =>
        ALL_RULES.find((rule) => facts.some((fact) => rule.check(fact) !== null))?.id ?? null;
      if (violation(machine.initialFacts) !== null) continue;
      const how = { reduced: true, wholeAccesses: true, symmetric: true, violation };
      const result = search(machine, { states: 5000 }, how);
      if (result.kind !== 'violation') continue;
      found += 1;
      let at = machine.initial;
      for (const step of result.trace) {
        expect(machine.transitions(at)).toContainEqual(step);
        at = step.next;
      }
      const broken = result.trace.map(({ facts }) => violation(facts)).filter((id) => id !== null);
      expect([seed, broken]).toEqual([seed, [result.violation]]);
    }
    expect(found).toBeGreaterThan(20);
  });

  /** Reductions that are wrong, as a search would be told of them. */
  const WRONG: readonly (readonly [string, (machine: Machine) => Machine])[] = [
    [
      'any step of the first PE is explored alone',
      (machine) => ({
        ...machine,
        eagerSteps: (state) => machine.stepsOf(state, 0).slice(0, 1),
      }),
    ],
    [
      'a delivery is explored alone as soon as it is possible',
      (machine) => ({
        ...machine,
        eagerSteps(state, except) {
          const first = machine.deliveriesTo(state, 1)[0];
          return first === undefined ? machine.eagerSteps(state, except) : [first];
        },
      }),
    ],
    ['another PE stands for each one', (machine) => ({ ...machine, twins: () => 0b110 })],
    ['every PE is at rest', (machine) => ({ ...machine, resting: () => 0b111 })],
  ];

  test.each(WRONG)('a wrong reduction is noticed: %s', (_, alter) => {
    const reductions = { reduced: true, wholeAccesses: true, symmetric: true };
    const isNoticed = (setup: MachineSetup, limit: number, lockless = false): boolean => {
      const result = compareSearches(setup, limit, reductions, alter);
      return result !== null && disagreement(result.plain, result.reduced, lockless) !== null;
    };
    // Nobody waits for the second TLBI.
    const host = straight(UNMAP.filter((__, i) => i !== 5 && i !== 8));
    const unmap = smallWorld({ host, guests: [forEver(guestStore(IPA_A, 1n))] });
    const seeds = Array.from({ length: 60 }, (__, seed) => seed);
    const world = (seed: number) => setupOf(randomWorld(randomFrom(seed)));
    const some =
      seeds.some((seed) => isNoticed(world(seed), 2500)) || isNoticed(unmap, 300_000, true);
    expect(some).toBe(true);
  });

  test.each(REGRESSIONS)('%s', (_, world) => {
    const result = compareSearches(setupOf(world), 50_000);
    expect(result).not.toBeNull();
    if (result !== null) expect(disagreement(result.plain, result.reduced)).toBeNull();
  });
});
