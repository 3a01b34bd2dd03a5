import { describe, expect, test } from 'vitest';
import { search } from '../../src/explore/search.ts';
import type { Fact } from '../../src/machine/facts.ts';
import { createMachine } from '../../src/machine/machine.ts';
import type { Effect } from '../../src/program/effect.ts';
import {
  cellOf,
  civac,
  dc,
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
} from './small-world.ts';

const violation = (facts: readonly Fact[]): string | null => {
  for (const fact of facts) {
    if (fact.kind === 'access' && fact.dead) return 'dead';
    if (fact.kind === 'content-read' && fact.value !== fact.lastStored) return 'content';
  }
  return null;
};

const clear = [hostStore(cellOf(IPA_A), 0n), dsb('st')];
const ipa = [tlbi('IPAS2E1IS', IPA_A >> 12n), dsb()];
const stage1 = [tlbi('VMALLE1IS'), dsb(), isb()];
const clean = [civac(PAGE_A), dsb('full', 'sy')];
const done = [returns([IPA_A]), hostLoad(PAGE_A)];

function run(host: readonly Effect[], guests: number, features = {}) {
  const machine = createMachine(
    smallWorld({
      features,
      host: straight(host),
      guests: Array.from({ length: guests }, () =>
        forEver(guestLoad(IPA_A), guestStore(IPA_A, 1n)),
      ),
    }),
  );
  return search(machine, { states: 200_000 }, { violation });
}

describe('unmapping one page, stage 1 off, the guest uses the page as Device', () => {
  test('the full sequence is safe', () => {
    const result = run([...clear, ...ipa, ...stage1, ...clean, ...done], 1);
    expect(result.kind).toBe('exhausted');
    expect(result.states).toBeGreaterThan(50);
  });

  test('without the middle DSB a combined entry is built again', () => {
    const host = [...clear, tlbi('IPAS2E1IS', IPA_A >> 12n), ...stage1, ...clean, ...done];
    expect(run(host, 1)).toMatchObject({ kind: 'violation', violation: 'dead' });
  });

  test('IPA invalidation alone leaves combined entries', () => {
    expect(run([...clear, ...ipa, ...clean, ...done], 1)).toMatchObject({ violation: 'dead' });
  });

  test('stage 1 before stage 2 leaves a way to rebuild', () => {
    expect(run([...clear, ...stage1, ...ipa, ...clean, ...done], 1)).toMatchObject({
      violation: 'dead',
    });
  });

  test('no final DSB: not complete at return', () => {
    const host = [...clear, ...ipa, tlbi('VMALLE1IS'), isb(), ...clean, ...done];
    // The clean ends in a DSB SY, which completes the invalidation too, but too late for the clean
    // itself: a store through the dying entry may still come after it.
    expect(run(host, 1)).toMatchObject({ violation: 'content' });
    expect(run([...clear, ...ipa, tlbi('VMALLE1IS'), isb(), ...done], 1)).toMatchObject({
      violation: 'dead',
    });
  });

  test('cleaning before the invalidation loses a store, unless FWB forces cacheability', () => {
    const host = [...clear, ...clean, ...ipa, ...stage1, ...done];
    expect(run(host, 1)).toMatchObject({ violation: 'content' });
    expect(run(host, 1, { fwb: true }).kind).toBe('exhausted');
  });

  test('DC CVAC leaves a clean line that hides the last store past the caches', () => {
    const host = [...clear, ...ipa, ...stage1, dc('cvac', PAGE_A), dsb('full', 'sy'), ...done];
    expect(run(host, 1)).toMatchObject({ violation: 'content' });
  });

  test('DC IVAC loses a dirty line: it does for Device stores only', () => {
    const host = [...clear, ...ipa, ...stage1, dc('ivac', PAGE_A), dsb('full', 'sy'), ...done];
    expect(run(host, 1).kind).toBe('exhausted');
    expect(run(host, 1, { fwb: true })).toMatchObject({ violation: 'content' });
  });

  test('local invalidation does not reach the vCPU', () => {
    const host = [...clear, tlbi('IPAS2E1', IPA_A >> 12n), dsb(), tlbi('VMALLE1'), dsb(), ...done];
    expect(run(host, 1)).toMatchObject({ violation: 'dead' });
  });

  test('without the first barrier the clear may come after the invalidation', () => {
    const host = [hostStore(cellOf(IPA_A), 0n), ...ipa, ...stage1, ...clean, ...done];
    expect(run(host, 1)).toMatchObject({ violation: 'dead' });
  });
});
