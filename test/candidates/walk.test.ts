import { describe, expect, it } from 'vitest';
import { DEFAULT_FEATURES, type Features } from '../../src/arm64/features.ts';
import { counts, runAlone, type SequentialRun } from '../../src/candidates/run-alone.ts';
import { deferredRangeFlush } from '../../src/candidates/unmap-stage2-range/deferred-range-flush.ts';
import { perPageFlush } from '../../src/candidates/unmap-stage2-range/per-page-flush.ts';
import { openVm, unmapRequest } from '../../src/candidates/world/open-vm.ts';
import type { WorldOptions } from '../../src/candidates/world/options.ts';
import { buildWorld, type World } from '../../src/candidates/world/world.ts';

function unmap(
  options: Partial<WorldOptions>,
  features: Partial<Features> = {},
  change: (world: World) => World = (world) => world,
): SequentialRun<void> & { readonly world: World } {
  const world = change(
    buildWorld({
      reschedule: 'never',
      ...options,
      features: { ...DEFAULT_FEATURES, ...features },
    }),
  );
  const vm = world.vms[0];
  if (vm === undefined) throw new Error('no VM');
  const request = unmapRequest(world, vm, 'nothing');
  return { ...runAlone(perPageFlush.host(openVm(world, vm), request), world), world };
}

describe('what is left in memory', () => {
  it.each(['page', 'block', 'mixed'] as const)('nothing of the tables: %s', (mapping) => {
    const { memory } = unmap({ mapping, pages: 4 });
    expect([...memory.values()].filter((value) => value !== 0n)).toEqual([]);
  });

  it.each(['4k', '16k', '64k'] as const)('with every granule: %s', (granule) => {
    const { memory, effects } = unmap({ pages: 2 }, { granule });
    expect([...memory.values()].filter((value) => value !== 0n)).toEqual([]);
    // 4K with 40 bits has a level-2 table on each side; the others start at level 2.
    expect(counts(effects)['free-page']).toBe(granule === '4k' ? 4 : 2);
  });

  it('with four levels the level-1 tables go as well', () => {
    const { effects } = unmap({ pages: 2 }, { ipaBits: 48 });
    expect(counts(effects)['free-page']).toBe(6);
  });

  it('tables with another entry stay', () => {
    const { effects } = unmap({ pages: 2, keepTables: true });
    expect(counts(effects)['free-page']).toBeUndefined();
  });
});

it('a partly covered block goes whole, with one flush', () => {
  const { effects, memory, world } = unmap({ pages: 1, mapping: 'block', range: 'inside-block' });
  expect(counts(effects)['dc civac']).toBe(1);
  expect([...memory.values()].filter((value) => value !== 0n)).toEqual([]);
  const vm = world.vms[0];
  if (vm === undefined) throw new Error('no VM');
  expect(unmapRequest(world, vm, 'nothing').pages).toHaveLength(1);
});

it('cleans no device page, and nothing at all with FWB', () => {
  expect(counts(unmap({ pages: 2, devices: [1] }).effects)['dc civac']).toBe(1);
  const withFwb = counts(unmap({ pages: 2 }, { fwb: true }).effects);
  expect(withFwb['dc civac']).toBeUndefined();
  expect(withFwb['dsb sy']).toBeUndefined();
});

it('drops the lock between top-level entries when it is asked to, and nowhere else', () => {
  expect(counts(unmap({ pages: 4, reschedule: 'always' }).effects)['unlock']).toBe(2);
  expect(
    counts(unmap({ pages: 4, layout: 'adjacent', reschedule: 'always' }).effects)['unlock'],
  ).toBe(1);
  expect(counts(unmap({ pages: 4, reschedule: 'choose' }).effects)).toMatchObject({
    choose: 1,
    unlock: 1,
  });
});

it('stops when the root is gone', () => {
  const { effects } = unmap({ pages: 2, rootPointer: true }, {}, (world) => ({
    ...world,
    memory: world.memory.filter(({ address }) => address !== world.vms[0]?.pgdPointer),
  }));
  expect(counts(effects)['load']).toBe(1);
});

it('counts in memory lead to the same steps as private ones', () => {
  const kinds = (run: SequentialRun<void>): readonly string[] =>
    run.effects.map(({ kind }) => kind).filter((kind) => !['load', 'rmw', 'store'].includes(kind));
  const options = { pages: 4, freePages: 1 } as const;
  expect(kinds(unmap({ ...options, sharedCounts: true }))).toEqual(kinds(unmap(options)));
});

it('without VHE each flush is a call to EL2, and a VPIPT I-cache is invalidated there', () => {
  const found = counts(unmap({ pages: 1 }, { vhe: false, e2h: false, icache: 'vpipt' }).effects);
  expect(found['exception-entry']).toBe(found['tlbi IPAS2E1IS']);
  expect(found['exception-return']).toBe(found['exception-entry']);
  expect(found['ic ialluis']).toBe(found['tlbi IPAS2E1IS']);
});

it('gives the lines of the files after the patch for the seed', () => {
  const world = buildWorld({ features: DEFAULT_FEATURES, pages: 1 });
  const vm = world.vms[0];
  if (vm === undefined) throw new Error('no VM');
  const { effects } = runAlone(
    deferredRangeFlush.host(openVm(world, vm), unmapRequest(world, vm, 'nothing')),
    world,
  );
  const lineOf = (fn: string, kind: string): number | undefined =>
    effects.find(({ location, kind: each }) => location.function === fn && each === kind)?.location
      .line;
  // 269 + 6 added at 66; 191 + 6; the new function starts at 192 of tlb.c.
  expect(lineOf('unmap_stage2_ptes', 'store')).toBe(275);
  expect(lineOf('clear_stage2_pmd_entry', 'store')).toBe(197);
  expect(lineOf('__kvm_tlb_flush_vmid_range', 'tlbi')).toBe(213);
  expect(lineOf('__kvm_tlb_flush_vmid_ipa', 'tlbi')).toBe(154);
});
