import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Features } from '../../src/arm64/features.ts';
import { levelBytes, levelShift, type Level } from '../../src/arm64/geometry.ts';
import { GRANULES, pageBytes, pageShift, type Granule } from '../../src/arm64/granule.ts';
import {
  decodeRangeOperand,
  encodeRangeOperand,
  isMisalignedForHint,
  MAX_RANGE_PAGES,
  rangeBaseShift,
  rangeExtent,
  rangeOperands,
  rangePages,
  type RangeStep,
} from '../../src/arm64/tlbi-range.ts';
import { anyGranule, machine } from './helpers.ts';

const plain = machine({ tlbiRange: true, tlbiOs: true });
const lpa2 = machine({ tlbiRange: true, tlbiOs: true, lpa2: true });

test('pages of a range: the table of the smallest and largest for each SCALE', () => {
  expect([0, 1, 2, 3].map((scale) => rangePages(scale, 0))).toEqual([2, 64, 2048, 65536]);
  expect([0, 1, 2, 3].map((scale) => rangePages(scale, 31))).toEqual([64, 2048, 65536, 2 ** 21]);
  expect(MAX_RANGE_PAGES).toBe(2 ** 21);
});

test('every encodable operand survives decoding', () => {
  const levels: fc.Arbitrary<Level | null> = fc.constantFrom(null, 1, 2, 3);
  fc.assert(
    fc.property(
      fc.record({
        asid: fc.integer({ min: 0, max: 0xffff }),
        granule: anyGranule,
        scale: fc.integer({ min: 0, max: 3 }),
        num: fc.integer({ min: 0, max: 31 }),
        level: levels,
        unit: fc.bigInt(0n, 2n ** 37n - 1n),
        wide: fc.boolean(),
      }),
      ({ unit, wide, ...fields }) => {
        const features = wide ? lpa2 : plain;
        fc.pre(!(fields.granule === '16k' && fields.level === 1 && !wide));
        const operand = {
          ...fields,
          base: unit << BigInt(rangeBaseShift(fields.granule, features)),
        };
        const bits = encodeRangeOperand(operand, features);
        expect(bits >> 64n).toBe(0n);
        expect(decodeRangeOperand(bits, 'ipa', features)).toEqual(operand);
      },
    ),
  );
});

test('fields by hand: ASID 63:48, TG 47:46, SCALE 45:44, NUM 43:39, TTL 38:37, base 36:0', () => {
  const fields = { asid: 0xabcd, granule: '16k', scale: 2, num: 0b10101, level: 3 } as const;
  const bits = encodeRangeOperand({ ...fields, base: 0x4000n * 5n }, plain);
  expect(bits).toBe(
    (0xabcdn << 48n) | (0b10n << 46n) | (2n << 44n) | (0b10101n << 39n) | (3n << 37n) | 5n,
  );
});

test('the base counts granules, but 64K for every granule under LPA2', () => {
  expect(GRANULES.map((granule) => rangeBaseShift(granule, plain))).toEqual([12, 14, 16]);
  expect(GRANULES.map((granule) => rangeBaseShift(granule, lpa2))).toEqual([16, 16, 16]);
  const fields = { asid: 0, granule: '4k', scale: 0, num: 0, level: null } as const;
  expect(() => encodeRangeOperand({ ...fields, base: 0x1000n }, lpa2)).toThrow('aligned');
  expect(
    decodeRangeOperand(encodeRangeOperand({ ...fields, base: 0x3_0000n }, lpa2), 'ipa', lpa2),
  ).toMatchObject({ base: 0x3_0000n });
});

test('a base of the high half is sign-extended for virtual addresses only', () => {
  const fields = { asid: 0, granule: '4k', scale: 0, num: 0, level: null } as const;
  const bits = encodeRangeOperand({ ...fields, base: 0xffff_8000_0000_1000n }, plain);
  expect(decodeRangeOperand(bits, 'va', plain).base).toBe(0xffff_8000_0000_1000n);
  expect(decodeRangeOperand(bits, 'ipa', plain).base).toBe(0x1_8000_0000_1000n);
});

test('TTL: level 1 with 16K needs LPA2, level 0 cannot be said, TG 0 is reserved', () => {
  const ttl1 = (0b10n << 46n) | (1n << 37n);
  expect(decodeRangeOperand(ttl1, 'va', plain).level).toBeNull();
  expect(decodeRangeOperand(ttl1, 'va', lpa2).level).toBe(1);
  expect(decodeRangeOperand(0n, 'va', plain).granule).toBeNull();
  const fields = { asid: 0, granule: '4k', scale: 0, num: 0, base: 0n } as const;
  expect(() => encodeRangeOperand({ ...fields, level: 0 }, lpa2)).toThrow('level 0');
  expect(() => encodeRangeOperand({ ...fields, level: null, scale: 4 }, lpa2)).toThrow('SCALE 4');
  expect(() => encodeRangeOperand({ ...fields, level: null, num: 32 }, lpa2)).toThrow('NUM 32');
});

test('misaligned for the hint, by the list of the instruction pages', () => {
  const misaligned = (granule: Granule, level: Level, bit: bigint): boolean =>
    isMisalignedForHint({ asid: 0, granule, scale: 0, num: 0, level, base: 1n << bit });
  // Highest base bit that has to be zero, and the first that need not be.
  const rows: readonly (readonly [Granule, Level, bigint])[] = [
    ['4k', 1, 29n],
    ['4k', 2, 20n],
    ['16k', 2, 24n],
    ['64k', 1, 41n],
    ['64k', 2, 28n],
  ];
  for (const [granule, level, bit] of rows) {
    expect(misaligned(granule, level, bit)).toBe(true);
    expect(misaligned(granule, level, bit + 1n)).toBe(false);
  }
});

test('what a range covers: first and last address of one operation', () => {
  const operand = {
    asid: 0,
    granule: '64k',
    scale: 1,
    num: 2,
    level: null,
    base: 0x10_0000n,
  } as const;
  expect(rangeExtent(operand, 'ipa')).toEqual({
    start: 0x10_0000n,
    end: 0x10_0000n + 192n * 0x1_0000n,
  });
});

/** Throws unless the steps cover [base, base + pages) once, in order, with fields in range. */
function checkSplit(
  steps: readonly RangeStep[],
  base: bigint,
  pages: number,
  granule: Granule,
  features: Features,
): void {
  let next = base;
  let covered = 0;
  for (const step of steps) {
    if (step.base !== next) throw new Error(`${pages}: gap or overlap at ${step.base}`);
    if (step.kind === 'range') {
      // R_QKRKL restated without shifts.
      const length = (step.num + 1) * 2 * 32 ** step.scale;
      if (length !== step.pages) throw new Error(`${pages}: wrong length at ${step.base}`);
      if (step.scale < 0 || step.scale > 3 || step.num < 0 || step.num > 31) {
        throw new Error(`${pages}: SCALE ${step.scale} NUM ${step.num}`);
      }
      const unit = features.lpa2 ? 0x1_0000n : pageBytes(granule);
      if (step.base % unit !== 0n) throw new Error(`${pages}: base ${step.base} misaligned`);
    }
    covered += step.pages;
    next += BigInt(step.pages) * pageBytes(granule);
  }
  if (covered !== pages) throw new Error(`${pages}: covered ${covered}`);
}

test('every page count from 0 to 2^21 is covered exactly', () => {
  for (let pages = 0; pages <= 2 ** 21; pages += 1) {
    const steps = rangeOperands(0n, pages, '4k', plain);
    checkSplit(steps, 0n, pages, '4k', plain);
    // One operation for each digit and one for an odd page.
    if (steps.length > 5) throw new Error(`${pages}: ${steps.length} operations`);
  }
});

test('any start, count, granule and layout is covered exactly', () => {
  fc.assert(
    fc.property(
      anyGranule,
      fc.boolean(),
      fc.bigInt(0n, 2n ** 30n),
      fc.oneof(fc.integer({ min: 0, max: 600 }), fc.integer({ min: 0, max: 3 * 2 ** 21 })),
      (granule, wide, page, pages) => {
        const features = wide ? lpa2 : plain;
        const base = page << BigInt(pageShift(granule));
        const steps = rangeOperands(base + 5n, pages, granule, features);
        checkSplit(steps, base, pages, granule, features);
      },
    ),
    { numRuns: 2000 },
  );
});

test('whole blocks from a block boundary: every base is aligned for the hint, no single page', () => {
  const cases = [
    ['4k', 1],
    ['4k', 2],
    ['16k', 2],
    ['64k', 2],
  ] as const;
  fc.assert(
    fc.property(fc.constantFrom(...cases), fc.nat(2 ** 12), fc.nat(600), (place, first, blocks) => {
      const [granule, level] = place;
      const perBlock = 1 << (levelShift(granule, level) - pageShift(granule));
      const base = BigInt(first) * levelBytes(granule, level);
      for (const features of [plain, lpa2]) {
        for (const step of rangeOperands(base, blocks * perBlock, granule, features)) {
          expect(step.kind).toBe('range');
          expect(step.base % levelBytes(granule, level)).toBe(0n);
        }
      }
    }),
  );
});

test('a level-1 block of 16K or 64K is larger than one range, so no hint fits its second part', () => {
  for (const granule of ['16k', '64k'] as const) {
    const pages = Number(levelBytes(granule, 1) / pageBytes(granule));
    expect(pages).toBeGreaterThan(MAX_RANGE_PAGES);
    const second = rangeOperands(0n, pages, granule, plain)[1];
    expect(second?.base).toBe(BigInt(MAX_RANGE_PAGES) * pageBytes(granule));
  }
});
