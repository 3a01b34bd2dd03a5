import { expect, it } from 'vitest';
import { DEFAULT_FEATURES } from '../../src/arm64/features.ts';
import { mutants } from '../../src/candidates/mutants/mutate.ts';
import { runAlone } from '../../src/candidates/run-alone.ts';
import { perPageFlush } from '../../src/candidates/unmap-stage2-range/per-page-flush.ts';
import { openVm, unmapRequest } from '../../src/candidates/world/open-vm.ts';
import { buildWorld } from '../../src/candidates/world/world.ts';

const world = buildWorld({ features: DEFAULT_FEATURES, pages: 2 });

it('makes mutants of every kind, with ids that name the source', () => {
  const list = mutants(perPageFlush, world);
  const tally: Record<string, number> = {};
  for (const { kind } of list) tally[kind] = (tally[kind] ?? 0) + 1;
  expect(tally).toMatchInlineSnapshot(`
    {
      "drop": 36,
      "free-before-flush": 2,
      "leaf-only": 3,
      "level-hint": 3,
      "narrow-scope": 17,
      "skip-page": 7,
      "swap": 16,
      "wrong-vmid": 3,
    }
  `);
  const ids = list.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toContain(
    'unmap-stage2-range/per-page-flush#drop@dsb at __kvm_tlb_flush_vmid_ipa:162 < unmap_stage2_ptes:270',
  );
  expect(ids).toContain(
    'unmap-stage2-range/per-page-flush#free-before-flush@free-page at clear_stage2_pmd_entry:193',
  );
});

it('each mutant differs from the original when it runs', () => {
  const vm = world.vms[0];
  if (vm === undefined) throw new Error('no VM');
  const request = unmapRequest(world, vm, 'nothing');
  const run = (host: typeof perPageFlush.host): string =>
    JSON.stringify(
      runAlone(host(openVm(world, vm), request), world, [1, 1, 1]).effects,
      (_key, value: unknown) => (typeof value === 'bigint' ? `0x${value.toString(16)}` : value),
    );
  const original = run(perPageFlush.host);
  const same = mutants(perPageFlush, world).filter(
    (mutant) => run(mutant.candidate.host) === original,
  );
  expect(same.map(({ id }) => id)).toEqual([]);
});
