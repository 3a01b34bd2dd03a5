import { describe, expect, test } from 'vitest';
import { search } from '../../src/explore/search.ts';
import type { Fact } from '../../src/machine/facts.ts';
import { createMachine } from '../../src/machine/machine.ts';
import type { Effect } from '../../src/program/effect.ts';
import { constant } from '../../src/program/expr.ts';
import type { ThreadBody } from '../../src/program/generator-thread.ts';
import {
  bare,
  cellOf,
  dsb,
  forEver,
  guestLoad,
  IPA_A,
  isb,
  PAGE_B,
  returns,
  smallWorld,
  straight,
  tlbi,
} from './small-world.ts';

/** Writes `value` if the word holds `compare`, or always; the thread looks at what was there. */
function swap(address: bigint, value: bigint, compare: bigint | null): Effect {
  return bare({
    kind: 'rmw',
    at: { kind: 'physical', address: constant(address) },
    bytes: 8,
    update: (old) => (compare === null || old === compare ? value : null),
    operands: [],
    written: constant(value),
    ...(compare === null ? {} : { compare: constant(compare) }),
    acquire: false,
    release: false,
    noReturn: false,
    wanted: true,
  });
}

const dead = (facts: readonly Fact[]): string | null =>
  facts.some((fact) => fact.kind === 'access' && fact.dead) ? 'dead' : null;
const failed = (facts: readonly Fact[]): string | null =>
  facts.some((fact) => fact.kind === 'check-failed') ? 'failed' : null;

const flush = [
  tlbi('IPAS2E1IS', IPA_A >> 12n),
  dsb(),
  tlbi('VMALLE1IS'),
  dsb(),
  isb(),
  returns([IPA_A]),
];

/** An entry is taken out by an atomic whose result the host wants, and flushed. */
function unmap(between: readonly Effect[], compare: bigint | null): string {
  const world = smallWorld({ host: straight([]), guests: [forEver(guestLoad(IPA_A))] });
  const entry = world.memory.find(({ address }) => address === cellOf(IPA_A))?.value ?? 0n;
  const host = straight([
    swap(cellOf(IPA_A), 0n, compare === null ? null : entry),
    ...between,
    ...flush,
  ]);
  const setup = smallWorld({ host, guests: [forEver(guestLoad(IPA_A))] });
  return search(createMachine(setup), { states: 100_000 }, { violation: dead }).kind;
}

describe('an atomic has its result before its write is performed', () => {
  // Only a DSB orders a TLBI after the write of a descriptor (R_TGRMW), whichever instruction wrote it.
  test.each([
    ['an exchange', null],
    ['a compare-and-swap that succeeds', 1n],
  ])('%s and a TLBI without a DSB between: the old entry may be cached again', (_, compare) => {
    expect(unmap([], compare)).toBe('violation');
    expect(unmap([dsb('st')], compare)).toBe('exhausted');
  });

  test('of two compare-and-swaps of one word one succeeds', () => {
    const counter = PAGE_B + 8n;
    const once = (value: bigint): ThreadBody =>
      function* () {
        const before = yield swap(PAGE_B, value, 0n);
        if (before.kind !== 'value' || before.value !== 0n) return 'ends';
        const others = yield swap(counter, 1n, null);
        if (others.kind === 'value' && others.value === 1n) {
          yield bare({ kind: 'announce', fact: { kind: 'check-failed', check: 'BUG_ON' } });
        }
        return 'ends';
      };
    const world = smallWorld({ host: once(1n), guests: [once(2n)] });
    const machine = createMachine(world);
    expect(search(machine, { states: 100_000 }, { violation: failed }).kind).toBe('exhausted');
    // The check fails where nobody compares.
    const always: ThreadBody = function* () {
      yield swap(PAGE_B, 3n, null);
      const others = yield swap(counter, 1n, null);
      if (others.kind === 'value' && others.value === 1n) {
        yield bare({ kind: 'announce', fact: { kind: 'check-failed', check: 'BUG_ON' } });
      }
      return 'ends';
    };
    const both = createMachine(smallWorld({ host: always, guests: [always] }));
    expect(search(both, { states: 100_000 }, { violation: failed }).kind).toBe('violation');
  });
});
