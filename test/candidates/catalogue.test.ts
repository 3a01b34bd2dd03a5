import { describe, expect, it } from 'vitest';
import { DEFAULT_FEATURES } from '../../src/arm64/features.ts';
import { CANDIDATES, findCandidate, SEED_FAMILY } from '../../src/candidates/catalogue.ts';
import { runAlone } from '../../src/candidates/run-alone.ts';
import { openVm, unmapRequest } from '../../src/candidates/world/open-vm.ts';
import { buildWorld } from '../../src/candidates/world/world.ts';

it('has every id once, and the two of the contract', () => {
  const ids = CANDIDATES.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(findCandidate('unmap-stage2-range/per-page-flush')).not.toBeNull();
  expect(findCandidate('unmap-stage2-range/deferred-range-flush')).not.toBeNull();
  expect(findCandidate('unmap-stage2-range/no-such-form')).toBeNull();
});

it('has the 19 rows of the family, one of them in two forms', () => {
  expect(SEED_FAMILY).toHaveLength(20);
});

it('expects what the table of the family says', () => {
  const verdict = (fwb: boolean): readonly string[] =>
    SEED_FAMILY.map((candidate) => {
      const expected = candidate.expected({ ...DEFAULT_FEATURES, fwb, ttl: true });
      const name = candidate.id.replace('unmap-stage2-range/', '');
      return expected.verdict === 'holds'
        ? `${name}: holds`
        : `${name}: ${expected.refutations.map(({ rule }) => rule).join(' ')}`;
    });
  expect(verdict(false)).toMatchInlineSnapshot(`
    [
      "per-page-flush: holds",
      "deferred-range-flush: P5",
      "gated-on-fwb: holds",
      "two-passes: holds",
      "keep-pfn-second-walk: holds",
      "flush-after-loop: P4 P5",
      "flush-after-unlock: P4 P5",
      "flush-at-notifier-end: P1 P2 P5",
      "without-table-flush: P3 P5",
      "table-flush-leaf-only: P3",
      "table-flush-level-hint: P3",
      "range-without-middle-dsb: P1",
      "range-stage1-first: P1",
      "range-large-stage1-only: P1",
      "range-local: P1",
      "range-step-unit: holds",
      "range-step-bytes: P1",
      "range-without-threshold: holds",
      "range-end-rounded-down: P1",
      "error-exit-without-flush: P1",
    ]
  `);
  expect(verdict(true)).toMatchInlineSnapshot(`
    [
      "per-page-flush: holds",
      "deferred-range-flush: holds",
      "gated-on-fwb: holds",
      "two-passes: holds",
      "keep-pfn-second-walk: holds",
      "flush-after-loop: P4",
      "flush-after-unlock: P4",
      "flush-at-notifier-end: P1 P2",
      "without-table-flush: P3",
      "table-flush-leaf-only: P3",
      "table-flush-level-hint: P3",
      "range-without-middle-dsb: P1",
      "range-stage1-first: P1",
      "range-large-stage1-only: P1",
      "range-local: P1",
      "range-step-unit: holds",
      "range-step-bytes: P1",
      "range-without-threshold: holds",
      "range-end-rounded-down: P1",
      "error-exit-without-flush: P1",
    ]
  `);
});

describe('every candidate', () => {
  it.each(CANDIDATES)('$id runs to its end alone and explains itself', (candidate) => {
    const world = buildWorld({
      features: { ...DEFAULT_FEATURES, ttl: true },
      pages: 2,
      layout: candidate.operation === 'block' ? 'in-block' : 'across',
      sparePages: 1,
      freePages: 2,
    });
    const vm = world.vms[0];
    if (vm === undefined) throw new Error('no VM');
    const request = unmapRequest(world, vm, 'read', vm.sparePages[0] ?? null);
    const { effects } = runAlone(candidate.host(openVm(world, vm), request), world, [0]);
    expect(effects.length > 0).toBe(candidate.operation !== 'fault');
    expect(candidate.why.length).toBeGreaterThan(40);
    expect(candidate.mirrors.length).toBeGreaterThan(0);
  });
});
