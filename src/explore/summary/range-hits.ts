import type { Features } from '../../arm64/features.ts';
import { levelShift, LEVELS, type Geometry, type Level } from '../../arm64/geometry.ts';
import { pageShift } from '../../arm64/granule.ts';
import type { TlbiOp } from '../../arm64/tlbi.ts';
import { tlbiMatches } from '../../arm64/tlbi-match.ts';
import { decodeRangeOperand, rangeExtent } from '../../arm64/tlbi-range.ts';

/** One TLBI by range of IPAs that the host asked for. */
export interface NamedRange {
  readonly op: TlbiOp;
  readonly operand: bigint;
  readonly shape: number;
  /** First page named, and the one after the last; equal where nothing is removed for sure. */
  readonly from: number;
  readonly to: number;
}

/** A TLBI by range as the machine of these features takes it. */
export function namedRange(
  op: TlbiOp,
  operand: bigint,
  shape: number,
  features: Features,
): NamedRange {
  const { granule, ...fields } = decodeRangeOperand(operand, 'ipa', features);
  if (granule !== features.granule) return { op, operand, shape, from: 0, to: 0 };
  const { start, end } = rangeExtent({ ...fields, granule }, 'ipa');
  const shift = BigInt(pageShift(granule));
  return { op, operand, shape, from: Number(start >> shift), to: Number(end >> shift) };
}

/**
 * What a TLBI by range hits of the walk of a page, down to level `deepest`: for each level a bit for a
 * leaf there and one for a table entry. Two such TLBIs that hit the same do the same to the page.
 */
export function rangeHits(
  { op, operand }: NamedRange,
  page: number,
  deepest: number,
  geometry: Geometry,
  features: Features,
): number {
  const { granule } = geometry;
  const ipa = BigInt(page) << BigInt(pageShift(granule));
  let hits = 0;
  for (const level of LEVELS) {
    if (level < geometry.startLevel || level > deepest) continue;
    if (hitsEntry(op, operand, ipa, level, true, features)) hits |= 1 << level;
    if (hitsEntry(op, operand, ipa, level, false, features)) hits |= 16 << level;
  }
  return hits;
}

function hitsEntry(
  op: TlbiOp,
  operand: bigint,
  ipa: bigint,
  level: Level,
  leaf: boolean,
  features: Features,
): boolean {
  const { granule } = features;
  const inputBits = levelShift(granule, level);
  const bits = BigInt(inputBits);
  return tlbiMatches(
    op,
    operand,
    { vmid: 0, granule, features },
    {
      regime: 'el1&0',
      stages: 's2',
      leaf,
      level,
      vmid: 0,
      asid: null,
      inputBase: (ipa >> bits) << bits,
      inputBits,
    },
  );
}
