import { expect, it } from 'vitest';
import { DEFAULT_FEATURES, type Features } from '../../src/arm64/features.ts';
import { harmlessReason } from '../../src/candidates/mutants/harmless.ts';
import { mutants, type Mutant } from '../../src/candidates/mutants/mutate.ts';
import { perPageFlush } from '../../src/candidates/unmap-stage2-range/per-page-flush.ts';
import { smallWorld, type SmallWorld } from '../../src/candidates/world/needs.ts';
import { buildWorld } from '../../src/candidates/world/world.ts';
import { verdictOnMachine } from './on-machine.ts';

/** With and without FWB, VHE, tables that go, and blocks: what one hides another shows. */
const CONFIGURATIONS: readonly { readonly features: Features; readonly world: SmallWorld }[] = [
  true,
  false,
].flatMap((fwb) =>
  [true, false].flatMap((keepTables) =>
    (['page', 'block'] as const).map((mapping) => ({
      features: { ...DEFAULT_FEATURES, fwb, ttl: true, vhe: keepTables, e2h: keepTables },
      world: { ...smallWorld('unmap', []), keepTables, mapping },
    })),
  ),
);

it('refutes every mutant of the baseline that has no argument, and no other', () => {
  const killed = new Map<string, boolean>();
  for (const { features, world } of CONFIGURATIONS) {
    const list: readonly Mutant[] = mutants(perPageFlush, buildWorld({ features, ...world }));
    for (const { id, candidate } of list) {
      if (killed.get(id) === true) continue;
      killed.set(id, verdictOnMachine(candidate, features, [], world) !== 'exhausted');
    }
  }
  const survivors = [...killed].filter(([, dead]) => !dead).map(([id]) => id);
  expect(survivors.filter((id) => harmlessReason({ id }) === null)).toEqual([]);
  const dead = [...killed].filter(([, isDead]) => isDead).map(([id]) => id);
  expect(dead.filter((id) => harmlessReason({ id }) !== null)).toEqual([]);
  expect(dead.length).toBeGreaterThan(40);
});
