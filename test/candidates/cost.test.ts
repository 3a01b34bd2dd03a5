import { expect, it } from 'vitest';
import { DEFAULT_FEATURES } from '../../src/arm64/features.ts';
import type { Granule } from '../../src/arm64/granule.ts';
import type { Candidate } from '../../src/candidates/candidate.ts';
import { counts, runAlone } from '../../src/candidates/run-alone.ts';
import { deferredRangeFlush } from '../../src/candidates/unmap-stage2-range/deferred-range-flush.ts';
import { perPageFlush } from '../../src/candidates/unmap-stage2-range/per-page-flush.ts';
import { rangeStepUnit } from '../../src/candidates/unmap-stage2-range/range-flush-forms.ts';
import { openVm, unmapRequest } from '../../src/candidates/world/open-vm.ts';
import type { WorldOptions } from '../../src/candidates/world/options.ts';
import { buildWorld } from '../../src/candidates/world/world.ts';

/** TLBIs by name, for pages side by side from the base of a table on. */
function tlbis(
  candidate: Candidate,
  pages: number,
  options: Partial<WorldOptions> & { readonly granule?: Granule } = {},
): { readonly byIpa: number; readonly stage1: number; readonly whole: number } {
  const { granule = '4k', ...rest } = options;
  const world = buildWorld({
    features: { ...DEFAULT_FEATURES, granule },
    layout: 'adjacent',
    pages,
    ...rest,
  });
  const vm = world.vms[0];
  if (vm === undefined) throw new Error('no VM');
  const { effects } = runAlone(
    candidate.host(openVm(world, vm), unmapRequest(world, vm, 'nothing')),
    world,
  );
  const found = counts(effects);
  return {
    byIpa: found['tlbi IPAS2E1IS'] ?? 0,
    stage1: found['tlbi VMALLE1IS'] ?? 0,
    whole: found['tlbi VMALLS12E1IS'] ?? 0,
  };
}

/** Flush calls of a fully mapped range that ends with its tables: leaves, level-3 and level-2 tables. */
const baselineCalls = (leaves: number): number => leaves + leaves / 512 + 1;
const seedCalls = (leaves: number): number => leaves / 512 + 1 + 1;

it('agrees with the closed form of the baseline, which gives 262,657 calls for 1 GiB', () => {
  const found = tlbis(perPageFlush, 1024);
  expect(found).toEqual({ byIpa: baselineCalls(1024), stage1: baselineCalls(1024), whole: 0 });
  expect(baselineCalls(262_144)).toBe(262_657);
});

it('agrees with the closed form of the seed, which gives 513 single calls and a whole one', () => {
  const { byIpa, stage1, whole } = tlbis(deferredRangeFlush, 1024);
  expect(whole).toBe(1);
  expect(byIpa).toBe(stage1);
  expect(byIpa + whole).toBe(seedCalls(1024));
  expect(seedCalls(262_144)).toBe(514);
});

it.each(['4k', '16k', '64k'] as const)(
  'takes the large branch from 512 pages on: %s',
  (granule) => {
    // Two tables at 4K; one at 16K and 64K, where the level above is the root.
    const flushesOfTables = tlbis(perPageFlush, 1, { granule }).byIpa - 1;
    expect(tlbis(deferredRangeFlush, 511, { granule })).toEqual({
      byIpa: 511 + flushesOfTables,
      stage1: 1 + flushesOfTables,
      whole: 0,
    });
    expect(tlbis(deferredRangeFlush, 512, { granule })).toEqual({
      byIpa: flushesOfTables,
      stage1: flushesOfTables,
      whole: 1,
    });
  },
);

it('takes the large branch for a wide range with one page in it', () => {
  const { byIpa, whole } = tlbis(deferredRangeFlush, 1, { range: 'wide', keepTables: true });
  expect({ byIpa, whole }).toEqual({ byIpa: 0, whole: 1 });
});

it('gives each 64 KiB page 16 operands when the step is one unit', () => {
  const options = { granule: '64k', keepTables: true } as const;
  expect(tlbis(rangeStepUnit, 2, options).byIpa).toBe(32);
  expect(tlbis(deferredRangeFlush, 2, options).byIpa).toBe(2);
});
