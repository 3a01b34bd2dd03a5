import { describe, expect, it } from 'vitest';
import { search } from '../../src/explore/search.ts';
import type { Fact } from '../../src/machine/facts.ts';
import { createMachine } from '../../src/machine/machine.ts';
import type { MachineSetup } from '../../src/machine/setup.ts';
import { constant } from '../../src/program/expr.ts';
import {
  bare,
  cellOf,
  civac,
  dsb,
  guestStore,
  hostLoad,
  hostStore,
  IPA_A,
  PAGE_A,
  returns,
  smallWorld,
  straight,
  tlbi,
} from './small-world.ts';

function violates(setup: MachineSetup, isViolation: (fact: Fact) => boolean): boolean {
  const result = search(
    createMachine(setup),
    { states: 200_000 },
    {
      reduced: true,
      violation: (facts) => (facts.some(isViolation) ? 'violated' : null),
    },
  );
  expect(result.kind).not.toBe('limit');
  return result.kind === 'violation';
}

describe('faults that litmus tests cannot see', () => {
  it('bypass-ignored: an access past the cache cannot be lost behind a clean line any more', () => {
    const host = [
      hostStore(cellOf(IPA_A), 0n),
      dsb('st'),
      civac(PAGE_A),
      dsb('full', 'sy'),
      tlbi('VMALLS12E1IS'),
      dsb(),
      returns([IPA_A]),
      hostLoad(PAGE_A),
    ];
    const setup = smallWorld({
      host: straight(host),
      guests: [straight([guestStore(IPA_A, 1n)])],
    });
    const isLost = (fact: Fact): boolean =>
      fact.kind === 'content-read' && fact.value !== fact.lastStored;
    expect(violates(setup, isLost)).toBe(true);
    expect(violates({ ...setup, faults: new Set(['bypass-ignored']) }, isLost)).toBe(false);
  });

  it('fetch-sees-memory: an old instruction is never fetched any more', () => {
    const fetch = bare({
      kind: 'fetch',
      at: { kind: 'virtual', address: constant(IPA_A), unprivileged: false },
      wanted: true,
    });
    const setup: MachineSetup = {
      ...smallWorld({
        features: { fwb: true },
        host: straight([hostStore(PAGE_A, 7n), dsb()]),
        guests: [straight([fetch])],
      }),
      instructionCache: 'modelled',
    };
    const isStale = (fact: Fact): boolean => fact.kind === 'stale-fetch';
    expect(violates(setup, isStale)).toBe(true);
    expect(violates({ ...setup, faults: new Set(['fetch-sees-memory']) }, isStale)).toBe(false);
  });
});
