import { describe, expect, it } from 'vitest';
import { DEFAULT_FEATURES, type Features } from '../src/arm64/features.ts';
import { CANDIDATES } from '../src/candidates/catalogue.ts';
import { mutants } from '../src/candidates/mutants/mutate.ts';
import { perPageFlush } from '../src/candidates/unmap-stage2-range/per-page-flush.ts';
import { deferredRangeFlush } from '../src/candidates/unmap-stage2-range/deferred-range-flush.ts';
import { buildWorld } from '../src/candidates/world/world.ts';
import { bothVerdicts } from '../test/explore/summary/agreement.ts';
import { PROVE } from './support/scale.ts';

const MACHINES: readonly Partial<Features>[] = [
  {},
  { fwb: true },
  { vhe: false },
  { granule: '64k' },
  { readingTableDropByAnyIpa: false },
  { erratumRepeatTlbi: true },
];

/** The whole of what test/explore/summary takes samples of; `npm run prove`. */
describe.skipIf(!PROVE)('summary and plain exploration agree', () => {
  const reached = CANDIDATES.filter(
    ({ id, operation }) =>
      operation !== 'fault' && operation !== 'block' && !id.endsWith('/without-lock'),
  );
  for (const machine of MACHINES) {
    const features = { ...DEFAULT_FEATURES, ...machine };
    for (const [pages, vcpus] of [
      [1, 1],
      [1, 2],
      [2, 1],
    ] as const) {
      it(`${JSON.stringify(machine)} ${pages} x ${vcpus}`, () => {
        for (const candidate of reached) {
          const both = bothVerdicts(candidate, features, pages, vcpus);
          if (typeof both === 'string') continue;
          expect([candidate.id, both.summary]).toEqual([candidate.id, both.concrete]);
        }
      });
    }
  }

  it.each([perPageFlush, deferredRangeFlush])('mutants of $id', (candidate) => {
    const world = buildWorld({ features: DEFAULT_FEATURES, pages: 2 });
    for (const { candidate: mutant, id } of mutants(candidate, world)) {
      const both = bothVerdicts(mutant, DEFAULT_FEATURES, 1, 1);
      if (typeof both === 'string') continue;
      expect([id, both.summary]).toEqual([id, both.concrete]);
    }
  });
});
