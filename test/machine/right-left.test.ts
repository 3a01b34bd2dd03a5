import { expect, test } from 'vitest';
import { search } from '../../src/explore/search.ts';
import type { Fact } from '../../src/machine/facts.ts';
import { createMachine } from '../../src/machine/machine.ts';
import type { Announcement, Effect } from '../../src/program/effect.ts';
import {
  bare,
  cellOf,
  dsb,
  forEver,
  guestLoad,
  hostStore,
  IPA_A,
  IPA_B,
  isb,
  smallWorld,
  straight,
  tlbi,
  VMID,
} from './small-world.ts';

const MAY_WRITE = 1n << 7n;
const left = (facts: readonly Fact[]): string | null =>
  facts.some(({ kind }) => kind === 'right-left') ? 'left' : null;

/** Write-protects what lies at `changed`, and says so of A; the guest only reads. */
function protect(
  changed: bigint,
  change: Partial<Announcement & { readonly kind: 'operation-returns' }>,
): string {
  const guests = [forEver(guestLoad(IPA_A))];
  const { memory } = smallWorld({ host: straight([]), guests });
  const entry = memory.find(({ address }) => address === cellOf(changed))?.value ?? 0n;
  const returned: Effect = bare({
    kind: 'announce',
    fact: {
      kind: 'operation-returns',
      name: 'write-protect',
      vmid: VMID,
      pages: [IPA_A],
      removes: 'write-permission',
      ...change,
    },
  });
  const host = straight([
    hostStore(cellOf(changed), entry & ~MAY_WRITE),
    dsb(),
    tlbi('VMALLS12E1IS'),
    dsb(),
    isb(),
    returned,
  ]);
  const machine = createMachine(smallWorld({ host, guests }));
  return search(machine, { states: 100_000 }, { violation: left }).kind;
}

test('an entry of stage 2 that still gives the right to write was passed over', () => {
  expect(protect(IPA_A, { alone: true })).toBe('exhausted');
  expect(protect(IPA_B, { alone: true })).toBe('violation');
});

test('it says nothing where others may have given the right back, or of another VM', () => {
  expect(protect(IPA_B, {})).toBe('exhausted');
  expect(protect(IPA_B, { alone: true, vmid: VMID + 1 })).toBe('exhausted');
  expect(protect(IPA_B, { alone: true, removes: 'translations' })).toBe('exhausted');
});
