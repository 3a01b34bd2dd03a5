import { describe, expect, test } from 'vitest';
import { DEFAULT_FEATURES, type Features } from '../../src/arm64/features.ts';
import { findCandidate } from '../../src/candidates/catalogue.ts';
import { checkScenario } from '../../src/explore/check.ts';
import { keepIds } from '../../src/explore/kept-check.ts';
import { scenarioWith } from '../../src/explore/library.ts';
import { search } from '../../src/explore/search.ts';
import type { BoundsMet } from '../../src/machine/bounds-met.ts';
import { LEDGER_SLOTS } from '../../src/machine/ledger.ts';
import { createMachine, type Machine } from '../../src/machine/machine.ts';
import type { MachineSetup } from '../../src/machine/setup.ts';
import { MAX_WINDOW } from '../../src/machine/window.ts';
import { tablesChangeUnderLock } from '../../src/rules/tables-change-under-lock.ts';
import { defaultScenario } from '../../src/scenario/scenario.ts';
import { idJournal } from '../../src/util/id-tables.ts';
import { randomFrom } from '../../src/util/random.ts';
import { disagreement, look, type Seen } from '../explore/compare.ts';
import { randomWorld, setupOf } from '../explore/random-world.ts';
import {
  cellOf,
  dsb,
  guestLoad,
  hostStore,
  IPA_A,
  isb,
  smallWorld,
  straight,
  tlbi,
} from './small-world.ts';

const WORLDS = process.env['TLBGATE_PROVE'] === undefined ? 80 : 4000;

const candidateOf = (id: string) => {
  const candidate = findCandidate(id);
  if (candidate === null) throw new Error('no such candidate');
  return candidate;
};

/** The whole graph with a bound on instructions in flight, and whether it was one. */
function seenWith(setup: MachineSetup, window: number): Seen & { readonly met: BoundsMet } {
  const machine = createMachine({ ...setup, bounds: { window } });
  const seen = look(machine, { reduced: true, wholeAccesses: true, symmetric: true }, 4000);
  // Ids of memory are those of one machine.
  const ends = [...new Set(seen.ends.map((end) => end.replace(/ memory \d+$/, '')))];
  return { ...seen, ends, met: machine.inspect.boundsMet() };
}

/** Random worlds with few instructions in flight that show something else than with many, or not. */
interface Compared {
  /** The worlds in which few are said to be no bound. */
  none: number;
  /** Of these, the ones that show something else. */
  wronglyNone: number;
  different: number;
}

function comparedWorlds(): Compared {
  const found: Compared = { none: 0, wronglyNone: 0, different: 0 };
  for (let seed = 0; seed < WORLDS; seed += 1) {
    const setup = setupOf(randomWorld(randomFrom(seed)));
    const all = seenWith(setup, MAX_WINDOW);
    if (all.kind !== 'exhausted' || all.met.window) continue;
    for (const window of [1, 2, 4]) {
      const bounded = seenWith(setup, window);
      if (bounded.kind !== 'exhausted') continue;
      const isDifferent = disagreement(all, bounded, true) !== null;
      if (isDifferent) found.different += 1;
      if (bounded.met.window) continue;
      found.none += 1;
      if (isDifferent) found.wronglyNone += 1;
    }
  }
  return found;
}

describe('a bound on instructions in flight that was not reached is none', () => {
  test(`in ${WORLDS} random worlds`, () => {
    const { none, wronglyNone, different } = comparedWorlds();
    expect(wronglyNone).toBe(0);
    expect(none).toBeGreaterThan(WORLDS / 4);
    // A machine that never says it was reached would be wrong in these.
    expect(different).toBeGreaterThan(3);
  });

  test('the unmap of the kernel reaches 31 nowhere, and 4 of course', () => {
    const met = [MAX_WINDOW, 4].map((window) => {
      const id = 'unmap-stage2-range/per-page-flush';
      const scenario = { ...defaultScenario(id, DEFAULT_FEATURES), window };
      const checked = checkScenario(scenario, candidateOf(id), [tablesChangeUnderLock], {
        states: 100_000,
      });
      if ('kind' in checked) throw new Error(checked.message);
      return checked.boundsMet;
    });
    expect(met).toEqual([
      { window: false, tlbis: false },
      { window: true, tlbis: false },
    ]);
  });

  test('where 8 hide a bug they are said to be a bound', () => {
    const candidate = candidateOf('memory-fault/install-without-lock');
    const scenario = {
      ...scenarioWith(candidate, DEFAULT_FEATURES, ['notified-fault-path']),
      pages: 2,
      window: 8,
    };
    const checked = checkScenario(scenario, candidate, [tablesChangeUnderLock], {
      states: 200_000,
    });
    if ('kind' in checked) throw new Error(checked.message);
    expect(checked.outcomes.map(({ verdict }) => verdict)).toEqual(['verified']);
    expect(checked.boundsMet.window).toBe(true);
  });
});

describe('what has no room behind a barrier', () => {
  const before = [hostStore(cellOf(IPA_A), 0n), dsb()];
  const metBy = (
    effects: readonly ReturnType<typeof dsb>[],
    features: Partial<Features> = {},
  ): boolean => {
    const guests = [straight(effects)];
    const setup = smallWorld({ host: straight([hostStore(cellOf(IPA_A), 0n)]), guests, features });
    return seenWith(setup, 2).met.window;
  };

  test('can do nothing: then no bound is reached', () => {
    expect(metBy([...before, hostStore(cellOf(IPA_A), 1n)])).toBe(false);
  });

  test('can be translated while a DSB waits', () => {
    expect(metBy([...before, guestLoad(IPA_A)])).toBe(true);
    expect(metBy([...before, guestLoad(IPA_A)], { ets: 'ets2' })).toBe(false);
  });

  test('cannot even be translated behind a context synchronisation event', () => {
    expect(metBy([...before, isb(), guestLoad(IPA_A)])).toBe(false);
    expect(metBy([...before, guestLoad(IPA_A), isb()])).toBe(true);
  });
});

test('TLBIs outstanding: a bound where one more finds no slot', () => {
  const metWith = (count: number): BoundsMet => {
    const issues = Array.from({ length: count }, () => tlbi('VMALLS12E1'));
    const machine = createMachine({
      ...smallWorld({ host: straight([...issues, dsb()]), guests: [] }),
      bounds: { window: MAX_WINDOW },
    });
    // Issued in program order, none delivered.
    let state = machine.initial;
    for (;;) {
      const step = machine.stepsOf(state, 0)[0];
      if (step === undefined) return machine.inspect.boundsMet();
      state = state.slice();
      machine.apply(step, state);
    }
  };
  expect(metWith(LEDGER_SLOTS)).toEqual({ window: false, tlbis: false });
  expect(metWith(LEDGER_SLOTS + 1)).toEqual({ window: false, tlbis: true });
});

test('whoever goes on with the ids of a machine knows which bounds it has met', () => {
  const effects = [guestLoad(IPA_A), guestLoad(IPA_A, false), guestLoad(IPA_A, false)];
  const setup = smallWorld({ host: straight([]), guests: [straight(effects)] });
  const make = (): Machine => createMachine({ ...setup, bounds: { window: 1 } });
  const [first, second] = [make(), make()];
  const { snapshot } = keepIds(first, null);
  expect(first.inspect.boundsMet().window).toBe(false);
  expect(search(first, { states: 4000 }, { reduced: true }).kind).toBe('exhausted');
  expect(first.inspect.boundsMet().window).toBe(true);
  expect(second.inspect.boundsMet().window).toBe(false);
  second.inspect.ids.attach(idJournal(snapshot().ids));
  expect(second.inspect.boundsMet().window).toBe(true);
  // Steps that are remembered are not made again: what was met stays met.
  expect(search(second, { states: 4000 }, { reduced: true }).kind).toBe('exhausted');
  expect(search(second, { states: 4000 }, { reduced: true }).kind).toBe('exhausted');
  expect(second.inspect.boundsMet().window).toBe(true);
});
