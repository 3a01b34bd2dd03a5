import { describe, expect, it } from 'vitest';
import { DEFAULT_FEATURES, type Features } from '../../src/arm64/features.ts';
import type { Candidate } from '../../src/candidates/candidate.ts';
import { deferredRangeFlush } from '../../src/candidates/unmap-stage2-range/deferred-range-flush.ts';
import { perPageFlush } from '../../src/candidates/unmap-stage2-range/per-page-flush.ts';
import { openVm, unmapRequest } from '../../src/candidates/world/open-vm.ts';
import type { WorldOptions } from '../../src/candidates/world/options.ts';
import { buildWorld } from '../../src/candidates/world/world.ts';
import { counts, runAlone, shorthand, type SequentialRun } from '../../src/candidates/run-alone.ts';

function run(
  candidate: Candidate,
  options: Partial<WorldOptions> = {},
  features: Partial<Features> = {},
): SequentialRun<void> {
  const world = buildWorld({
    reschedule: 'always',
    ...options,
    features: { ...DEFAULT_FEATURES, ...features },
  });
  const vm = world.vms[0];
  if (vm === undefined) throw new Error('no VM');
  const request = unmapRequest(world, vm, 'nothing');
  return runAlone(candidate.host(openVm(world, vm), request), world);
}

/** Without the steps a reader of seed.md 1.3 does not look at. */
function visible(effects: SequentialRun<void>['effects']): readonly string[] {
  const hidden = new Set(['load', 'context', 'isb', 'exception-entry', 'exception-return']);
  return effects.filter(({ kind }) => !hidden.has(kind)).map(shorthand);
}

describe('the order of seed.md 1.3', () => {
  it('baseline: per leaf clear, flush, maintenance; per table clear, flush, free', () => {
    const { effects } = run(perPageFlush, { pages: 1 });
    expect(visible(effects)).toMatchInlineSnapshot(`
      [
        "announce operation-begins",
        "lock",
        "clear",
        "dsb ishst",
        "dsb ishst",
        "tlbi IPAS2E1IS 0x40000000",
        "dsb ish",
        "tlbi VMALLE1IS",
        "dsb ish",
        "dc civac",
        "dsb sy",
        "clear",
        "dsb ishst",
        "tlbi IPAS2E1IS 0x40000000",
        "dsb ish",
        "tlbi VMALLE1IS",
        "dsb ish",
        "free-page",
        "clear",
        "dsb ishst",
        "tlbi IPAS2E1IS 0x40000000",
        "dsb ish",
        "tlbi VMALLE1IS",
        "dsb ish",
        "free-page",
        "unlock",
        "announce operation-returns",
      ]
    `);
  });

  it('seed: per leaf clear, maintenance; one range flush per top-level entry', () => {
    const { effects } = run(deferredRangeFlush, { pages: 2 });
    expect(visible(effects)).toMatchInlineSnapshot(`
      [
        "announce operation-begins",
        "lock",
        "clear",
        "dsb ishst",
        "dc civac",
        "dsb sy",
        "clear",
        "dsb ishst",
        "tlbi IPAS2E1IS 0x3ffff000",
        "dsb ish",
        "tlbi VMALLE1IS",
        "dsb ish",
        "free-page",
        "clear",
        "dsb ishst",
        "tlbi IPAS2E1IS 0x3ffff000",
        "dsb ish",
        "tlbi VMALLE1IS",
        "dsb ish",
        "free-page",
        "dsb ishst",
        "tlbi IPAS2E1IS 0x3ffff000",
        "dsb ish",
        "tlbi VMALLE1IS",
        "dsb ish",
        "unlock",
        "lock",
        "clear",
        "dsb ishst",
        "dc civac",
        "dsb sy",
        "clear",
        "dsb ishst",
        "tlbi IPAS2E1IS 0x40000000",
        "dsb ish",
        "tlbi VMALLE1IS",
        "dsb ish",
        "free-page",
        "clear",
        "dsb ishst",
        "tlbi IPAS2E1IS 0x40000000",
        "dsb ish",
        "tlbi VMALLE1IS",
        "dsb ish",
        "free-page",
        "dsb ishst",
        "tlbi IPAS2E1IS 0x40000000",
        "dsb ish",
        "tlbi VMALLE1IS",
        "dsb ish",
        "unlock",
        "announce operation-returns",
      ]
    `);
  });
});

it('counts of a small run', () => {
  expect(counts(run(perPageFlush).effects)).toMatchInlineSnapshot(`
    {
      "announce operation-begins": 1,
      "announce operation-returns": 1,
      "clear": 6,
      "context": 12,
      "dc civac": 2,
      "dsb ish": 12,
      "dsb ishst": 8,
      "dsb sy": 2,
      "free-page": 4,
      "isb": 24,
      "load": 6,
      "lock": 2,
      "tlbi IPAS2E1IS": 6,
      "tlbi VMALLE1IS": 6,
      "unlock": 2,
    }
  `);
  expect(counts(run(deferredRangeFlush).effects)).toMatchInlineSnapshot(`
    {
      "announce operation-begins": 1,
      "announce operation-returns": 1,
      "clear": 6,
      "context": 12,
      "dc civac": 2,
      "dsb ish": 12,
      "dsb ishst": 8,
      "dsb sy": 2,
      "free-page": 4,
      "isb": 24,
      "load": 6,
      "lock": 2,
      "tlbi IPAS2E1IS": 6,
      "tlbi VMALLE1IS": 6,
      "unlock": 2,
    }
  `);
});
