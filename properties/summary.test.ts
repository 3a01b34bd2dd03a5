import { describe, expect, it } from 'vitest';
import { DEFAULT_FEATURES, type Features } from '../src/arm64/features.ts';
import type { Candidate } from '../src/candidates/candidate.ts';
import { CANDIDATES } from '../src/candidates/catalogue.ts';
import { mutants, type Mutant } from '../src/candidates/mutants/mutate.ts';
import { buildWorld } from '../src/candidates/world/world.ts';
import { lift } from '../src/explore/summary/lift.ts';
import { summarise } from '../src/explore/summary/summarise.ts';
import { verifyFullSize } from '../src/explore/summary/verify-full-size.ts';
import { ALL_RULES } from '../src/rules/all-rules.ts';
import { isInputError } from '../src/scenario/input-error.ts';
import { bothVerdicts } from '../test/explore/summary/agreement.ts';
import { LIMITS, PROVE } from './support/scale.ts';

const MACHINES: readonly Partial<Features>[] = [
  {},
  { fwb: true },
  { vhe: false },
  { granule: '64k' },
  { readingTableDropByAnyIpa: false },
  { erratumRepeatTlbi: true },
];

/** Host threads that change tables for themselves; a block is too many pages for plain exploration. */
const reached = CANDIDATES.filter(
  ({ id, operation }) =>
    operation !== 'fault' && operation !== 'block' && !id.endsWith('/without-lock'),
);

/** Mutants of two pages; one that takes the place of a page needs to be there. */
function mutantsOf(candidate: Candidate): readonly Mutant[] {
  const sparePages = candidate.operation === 'remap' ? 1 : 0;
  return mutants(candidate, buildWorld({ features: DEFAULT_FEATURES, pages: 2, sparePages }));
}

/** The whole of what test/explore/summary takes samples of; `npm run prove`. */
describe.skipIf(!PROVE)('summary and plain exploration agree', () => {
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

  it.each(reached)('mutants of $id', (candidate) => {
    for (const { candidate: mutant, id } of mutantsOf(candidate)) {
      const both = bothVerdicts(mutant, DEFAULT_FEATURES, 1, 1);
      if (typeof both === 'string') continue;
      expect([id, both.summary]).toEqual([id, both.concrete]);
    }
  });
});

/** A violation of the summary counts only with a run of the real thread, so each must have one. */
describe.skipIf(!PROVE)('a concrete run is made of each violation', () => {
  const size = { features: DEFAULT_FEATURES, pages: 2, mapping: '4k' };
  it.each(reached)('$id and its mutants', (candidate) => {
    for (const each of [candidate, ...mutantsOf(candidate).map((made) => made.candidate)]) {
      const found = summarise(each, size, ALL_RULES, LIMITS);
      if (isInputError(found) || found.kind === 'out-of-reach') continue;
      for (const { rule, verdict } of found.outcomes) {
        if (verdict !== 'refuted') continue;
        expect([each.id, rule.id, lift(each, size, rule, LIMITS)?.message]).toEqual([
          each.id,
          rule.id,
          expect.any(String),
        ]);
      }
    }
  });
});

/** The world of one block has 512 pages and more: what the small scenarios say of it stands for plain exploration. */
describe('summary and small scenarios agree where a block is put in the place of a table', () => {
  const blocks = CANDIDATES.filter(({ operation }) => operation === 'block');
  for (const machine of PROVE ? MACHINES : [{}]) {
    const features: Features = { ...DEFAULT_FEATURES, ...machine };
    it.each(blocks)(`$id, ${JSON.stringify(machine)}`, (candidate) => {
      const whole = verifyFullSize({
        candidate,
        rules: ALL_RULES,
        features,
        pages: features.granule === '64k' ? 8192 : 512,
        vcpus: 48,
        mapping: null,
        statesPerSearch: LIMITS.states,
        expired: () => false,
      });
      if (isInputError(whole)) throw new Error(whole.message);
      const [size] = whole.sizes;
      if (size === undefined || size.result.kind === 'out-of-reach') throw new Error('no summary');
      expect(size.result.outcomes.map(({ rule, verdict }) => [rule.id, verdict])).toEqual(
        size.small.map(({ rule, verdict }) => [rule.id, verdict]),
      );
    });
  }
});
