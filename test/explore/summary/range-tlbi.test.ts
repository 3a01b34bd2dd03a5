import { describe, expect, it } from 'vitest';
import { DEFAULT_FEATURES, type Features } from '../../../src/arm64/features.ts';
import { lift } from '../../../src/explore/summary/lift.ts';
import { summarise } from '../../../src/explore/summary/summarise.ts';
import { ALL_RULES } from '../../../src/rules/all-rules.ts';
import { noAccessAfterReturn } from '../../../src/rules/no-access-after-return.ts';
import { isInputError } from '../../../src/scenario/input-error.ts';
import { bothVerdicts } from './agreement.ts';
import { byRange, type RangeForm } from './range-tlbi.ts';

const RANGES: Features = { ...DEFAULT_FEATURES, tlbiRange: true, ttl: true, fwb: true };
const LIMITS = { states: 400_000 };

function brokenAt(
  form: RangeForm,
  pages: number,
  mapping: string,
  changes: Partial<Features> = {},
): readonly string[] {
  const features = { ...RANGES, ...changes };
  const found = summarise(byRange(form), { features, pages, mapping }, ALL_RULES, LIMITS);
  if (isInputError(found)) throw new Error(found.message);
  if (found.kind === 'out-of-reach') throw new Error(found.reason);
  expect(found.outcomes.filter(({ verdict }) => verdict === 'inconclusive')).toEqual([]);
  return found.outcomes.filter(({ verdict }) => verdict === 'refuted').map(({ rule }) => rule.id);
}

const LIVE = expect.arrayContaining(['no-access-after-return', 'no-reuse-under-translation']);

describe('TLBIs by range at size', () => {
  it.each([
    ['pages', 1200, '4k', {}],
    ['blocks', 1536, '2m', {}],
    ['pages and blocks', 1100, 'mixed', {}],
    ['any IPA need not drop a table', 1200, '4k', { readingTableDropByAnyIpa: false }],
    ['64K pages', 9001, '64k', { granule: '64k' }],
    ['16K pages', 2100, '16k', { granule: '16k' }],
  ] as const)('the right split holds: %s', (_, pages, mapping, changes) => {
    const broken = brokenAt({ name: 'right' }, pages, mapping, changes);
    // What v5.8 frees rests on the reading, with or without ranges.
    const rests = 'readingTableDropByAnyIpa' in changes;
    expect(broken).toEqual(rests ? ['no-walk-of-freed-table'] : []);
  });

  it.each([
    ['the last two pages left out', { short: 2 }, 1200, '4k', {}],
    ['the number of pages in units of 64K', { unitShift: 16 }, 1200, '4k', {}],
    ['the hint of a block for pages', { level: 2 }, 1024, '4k', {}],
    ['the hint of a page for blocks', { level: 3 }, 1536, '2m', {}],
    ['a hint that is right for half of the range', { level: 3 }, 2048, 'mixed', {}],
    ['of this PE alone', { op: 'RIPAS2E1' }, 600, '4k', {}],
  ] as const)('refuted: %s', (name, form, pages, mapping, changes) => {
    expect(brokenAt({ name, ...form }, pages, mapping, changes)).toEqual(LIVE);
  });

  it('a split that stops at 1024 pages: right where few are unmapped, refuted by a concrete run', () => {
    const form = { name: 'stops', most: 1024 };
    expect(brokenAt(form, 2000, '4k')).toEqual([]);
    expect(brokenAt(form, 4000, '4k')).toEqual(LIVE);
    const size = { features: RANGES, pages: 4000, mapping: '4k' };
    const lifted = lift(byRange(form), size, noAccessAfterReturn, LIMITS);
    expect(lifted?.pages).toBe(2048);
  });

  it.each([
    ['right', {}],
    ['short', { short: 1 }],
    ['hint', { level: 2 }],
    ['last level', { op: 'RIPAS2LE1IS' }],
  ] as const)('says what plain exploration says: %s', (name, form) => {
    for (const pages of [1, 2]) {
      const views = ['mmu-off'] as const;
      const both = bothVerdicts(byRange({ name, ...form }), RANGES, pages, 1, views);
      if (typeof both === 'string') throw new Error(both);
      expect(both.summary).toEqual(both.concrete);
    }
  });
});
