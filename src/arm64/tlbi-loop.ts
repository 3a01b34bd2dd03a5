import { lowMask, type Asid } from './address.ts';
import { pageShift, type Granule } from './granule.ts';

/**
 * The arithmetic of the flush loops of arm64 Linux around v5.8, restated: addresses are first turned
 * into TLBI operands, which count in units of 4 KiB whatever the page size, and the loop then runs
 * over operands. It is a candidate to be judged, not part of the architecture; the split we would
 * use with range operations is `rangeOperands`.
 */

/** Units of an operand: 4 KiB. */
const UNIT_SHIFT = 12n;

/** Bits of an operand that hold the address. */
const OPERAND_ADDRESS_BITS = 44;

/** From this many pages on the loop gives up and invalidates everything of the VMID. */
const THRESHOLD_PAGES = 512n;

/**
 * An address and an ASID as an operand: address bits 55:12 in bits 43:0, ASID in bits 63:48, no level
 * hint. Higher address bits are lost, so the first address above a 56-bit space becomes 0.
 */
export function vaddrOperand(address: bigint, asid: Asid | 0): bigint {
  return ((address >> UNIT_SHIFT) & lowMask(OPERAND_ADDRESS_BITS)) | (BigInt(asid) << 48n);
}

/** Difference of operands from which on everything is invalidated: 512 pages in units of 4 KiB. */
export function loopThreshold(granule: Granule): bigint {
  return THRESHOLD_PAGES << (BigInt(pageShift(granule)) - UNIT_SHIFT);
}

/** What the loop adds to the operand: one page in units of 4 KiB. */
export function loopStep(granule: Granule): bigint {
  return 1n << (BigInt(pageShift(granule)) - UNIT_SHIFT);
}

/** What a flush of [start, end) does. */
export type RangeFlush =
  | { readonly kind: 'whole-vmid' }
  /** One invalidation by IPA for each operand, in this order. May be empty. */
  | { readonly kind: 'each-page'; readonly operands: readonly bigint[] };

/**
 * The seed's range flush of the addresses [start, end). The difference is unsigned, so an end whose
 * operand wrapped below that of the start counts as large. Neither bound is rounded: that is left to
 * the caller.
 */
export function rangeFlush(start: bigint, end: bigint, granule: Granule): RangeFlush {
  const first = vaddrOperand(start, 0);
  const last = vaddrOperand(end, 0);
  if (BigInt.asUintN(64, last - first) >= loopThreshold(granule)) return { kind: 'whole-vmid' };
  const operands: bigint[] = [];
  for (let operand = first; operand < last; operand += loopStep(granule)) operands.push(operand);
  return { kind: 'each-page', operands };
}
