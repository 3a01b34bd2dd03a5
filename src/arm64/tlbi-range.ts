import { alignDown, isAligned, lowMask } from './address.ts';
import type { Features } from './features.ts';
import { levelShift, type Level } from './geometry.ts';
import { pageShift, type Granule } from './granule.ts';
import {
  granuleCode,
  granuleOfCode,
  isLevelHint,
  VA_COMPARE_BITS,
  type TlbiOperand,
} from './tlbi-operand.ts';

/** Operand of a range form (RVAE1, RIPAS2E1, ...) as fields. */
export interface RangeOperand {
  /** Bits 63:48 of the VA forms. The IPA forms have NS in bit 63 and RES0 below; give 0. */
  readonly asid: number;
  /** TG, bits 47:46; null is the reserved value 0. */
  readonly granule: Granule | null;
  /** SCALE, bits 45:44. */
  readonly scale: number;
  /** NUM, bits 43:39. */
  readonly num: number;
  /** TTL, bits 38:37: the level of the leaves, or null for "any level". */
  readonly level: Level | null;
  /** First address of the range. */
  readonly base: bigint;
}

/** Which input addresses a range counts: virtual ones are sign-extended, IPAs are not. */
export type RangeSpace = 'va' | 'ipa';

/** Largest value of SCALE. */
export const MAX_SCALE = 3;

/** Largest value of NUM. */
export const MAX_NUM = 31;

/** Pages of one range operation: (NUM + 1) << (5 * SCALE + 1) granules (R_QKRKL). */
export function rangePages(scale: number, num: number): number {
  return (num + 1) << (5 * scale + 1);
}

/** The most pages that one range operation covers: 2^21. */
export const MAX_RANGE_PAGES = rangePages(MAX_SCALE, MAX_NUM);

/**
 * log2 of the unit in which BaseADDR counts: the granule, but 64K for every granule under LPA2
 * (TCR_ELx.DS or VTCR_EL2.DS = 1).
 */
export function rangeBaseShift(granule: Granule, features: Features): number {
  return features.lpa2 ? 16 : pageShift(granule);
}

const BASE_BITS = 37;

/** Encodes a range operand. Throws a RangeError for a field that cannot be expressed. */
export function encodeRangeOperand(
  operand: RangeOperand & { readonly granule: Granule },
  features: Features,
): TlbiOperand {
  const { asid, granule, scale, num, level, base } = operand;
  const shift = rangeBaseShift(granule, features);
  if (!isAligned(base, shift)) {
    throw new RangeError(`range base ${base.toString(16)} is not aligned to 2^${shift}`);
  }
  if (scale < 0 || scale > MAX_SCALE || num < 0 || num > MAX_NUM) {
    throw new RangeError(`SCALE ${scale} or NUM ${num} is out of range`);
  }
  // The two bits of TTL have no encoding for level 0, whose blocks exist only under LPA2.
  if (level !== null && (level < 1 || !isLevelHint({ granule, level }, features))) {
    throw new RangeError(`no TTL value of a range says level ${level} with ${granule}`);
  }
  return (
    (BigInt(asid) << 48n) |
    (BigInt(granuleCode(granule)) << 46n) |
    (BigInt(scale) << 44n) |
    (BigInt(num) << 39n) |
    (BigInt(level ?? 0) << 37n) |
    ((base >> BigInt(shift)) & lowMask(BASE_BITS))
  );
}

/**
 * Decodes a range operand. The base of a VA range is sign-extended from the top bit of the field, so
 * that ranges of the high half compare with 64-bit addresses.
 */
export function decodeRangeOperand(
  operand: TlbiOperand,
  space: RangeSpace,
  features: Features,
): RangeOperand {
  const granule = granuleOfCode(Number((operand >> 46n) & 0b11n));
  const shift = rangeBaseShift(granule ?? '4k', features);
  const encoded = operand & lowMask(BASE_BITS);
  const signed = space === 'va' ? BigInt.asUintN(64, BigInt.asIntN(BASE_BITS, encoded)) : encoded;
  return {
    asid: Number((operand >> 48n) & lowMask(16)),
    granule,
    scale: Number((operand >> 44n) & 0b11n),
    num: Number((operand >> 39n) & 0b11111n),
    level: rangeLevel(Number((operand >> 37n) & 0b11n), granule, features),
    base: BigInt.asUintN(64, signed << BigInt(shift)),
  };
}

/** TTL of a range: 0 is any level, and 16K has level-1 leaves only under LPA2 (treated as 0). */
function rangeLevel(ttl: number, granule: Granule | null, features: Features): Level | null {
  if (ttl === 0) return null;
  return ttl === 1 && granule === '16k' && !features.lpa2 ? null : (ttl as Level);
}

/** The input addresses [start, end) of a range operand; `end` may lie beyond the address space. */
export interface RangeExtent {
  readonly start: bigint;
  readonly end: bigint;
}

/** What a range operand with a granule covers, compared in 56 bits for virtual addresses. */
export function rangeExtent(
  operand: RangeOperand & { readonly granule: Granule },
  space: RangeSpace,
): RangeExtent {
  const start = space === 'va' ? operand.base & lowMask(VA_COMPARE_BITS) : operand.base;
  const pages = BigInt(rangePages(operand.scale, operand.num));
  return { start, end: start + (pages << BigInt(pageShift(operand.granule))) };
}

/**
 * Whether the base is misaligned for the hinted level; the range that is invalidated is then
 * UNPREDICTABLE (I_TYBWT), so nothing is removed for sure.
 */
export function isMisalignedForHint(
  operand: RangeOperand & { readonly granule: Granule },
): boolean {
  return (
    operand.level !== null && !isAligned(operand.base, levelShift(operand.granule, operand.level))
  );
}

/** One operation of a split range. `pages` granules are covered from `base`. */
export type RangeStep =
  | {
      readonly kind: 'range';
      readonly base: bigint;
      readonly scale: number;
      readonly num: number;
      readonly pages: number;
    }
  | { readonly kind: 'single'; readonly base: bigint; readonly pages: 1 };

/**
 * Splits `pages` granules from `base` into range operations and single ones, without gap, overlap or
 * excess. `base` is first rounded down to a page.
 *
 * A range covers an even number of pages, (NUM+1) * 2 * 32^SCALE. So half of the count is written in
 * base 32: the digit of weight 32^SCALE, when it is not 0, is one operation with NUM = digit - 1, from
 * the largest weight down, and an odd count leaves one single operation at the end. Going down, every
 * operation starts at a multiple of its unit from the first, so whole blocks from a block boundary
 * keep every base aligned for a level hint. That ends with blocks of more than 2^21 pages (level 1 of
 * 16K and 64K), for which no hint may be given. Under LPA2, where bases are multiples of 64K, single
 * operations come first, up to the next such boundary.
 */
export function rangeOperands(
  base: bigint,
  pages: number,
  granule: Granule,
  features: Features,
): readonly RangeStep[] {
  const shift = BigInt(pageShift(granule));
  const steps: RangeStep[] = [];
  let next = alignDown(base, pageShift(granule));
  let left = pages;

  const advance = (step: RangeStep): void => {
    steps.push(step);
    next += BigInt(step.pages) << shift;
    left -= step.pages;
  };

  while (left > 0 && !isAligned(next, rangeBaseShift(granule, features))) {
    advance({ kind: 'single', base: next, pages: 1 });
  }
  // Only counts of 2^21 pages and more reach this: one maximal operation each.
  while (left >= MAX_RANGE_PAGES) {
    advance({ kind: 'range', base: next, scale: MAX_SCALE, num: MAX_NUM, pages: MAX_RANGE_PAGES });
  }
  for (let scale = MAX_SCALE; scale >= 0; scale -= 1) {
    const digit = Math.floor(left / rangePages(scale, 0));
    if (digit > 0) {
      const num = digit - 1;
      advance({ kind: 'range', base: next, scale, num, pages: rangePages(scale, num) });
    }
  }
  if (left > 0) advance({ kind: 'single', base: next, pages: 1 });
  return steps;
}
