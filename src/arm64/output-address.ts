import { lowMask } from './address.ts';
import type { Features } from './features.ts';
import type { Granule } from './granule.ts';

/**
 * Where a descriptor holds its output or next-table address. The low part lies at its own bit
 * positions; with 52-bit addresses a few top bits are moved to a place that is free otherwise.
 *
 * - 48 bits: OA[47:n] at 47:n.
 * - 64K with FEAT_LPA: OA[47:16] at 47:16, OA[51:48] at 15:12.
 * - 4K and 16K with FEAT_LPA2 (DS = 1): OA[49:n] at 49:n, OA[51:50] at 9:8, where SH was.
 */
interface AddressLayout {
  /** One above the highest address bit held at its own position. */
  readonly mainTop: number;
  /** Number of address bits from `mainTop` upwards that are moved. */
  readonly movedBits: number;
  /** Lowest descriptor bit of the moved part. */
  readonly movedTo: number;
}

function layoutOf(granule: Granule, features: Features): AddressLayout {
  if (granule === '64k') {
    return features.lpa
      ? { mainTop: 48, movedBits: 4, movedTo: 12 }
      : { mainTop: 48, movedBits: 0, movedTo: 0 };
  }
  return features.lpa2
    ? { mainTop: 50, movedBits: 2, movedTo: 8 }
    : { mainTop: 48, movedBits: 0, movedTo: 0 };
}

/** Whether descriptor bits 9:8 hold SH: not under LPA2, where SH comes from TCR_ELx or VTCR_EL2. */
export function holdsShareability(granule: Granule, features: Features): boolean {
  return granule === '64k' || !features.lpa2;
}

/** Bits of an output address that descriptors of this granule can hold: 48 or 52. */
export function outputAddressBits(granule: Granule, features: Features): 48 | 52 {
  const wide = granule === '64k' ? features.lpa : features.lpa2;
  return wide ? 52 : 48;
}

/** The descriptor bits that hold an address aligned to 2^shift. */
export function outputAddressMask(granule: Granule, shift: number, features: Features): bigint {
  const { mainTop, movedBits, movedTo } = layoutOf(granule, features);
  return (lowMask(mainTop) & ~lowMask(shift)) | (lowMask(movedBits) << BigInt(movedTo));
}

/** The address held by a descriptor whose address is aligned to 2^shift. */
export function readOutputAddress(
  bits: bigint,
  granule: Granule,
  shift: number,
  features: Features,
): bigint {
  const { mainTop, movedBits, movedTo } = layoutOf(granule, features);
  const main = bits & lowMask(mainTop) & ~lowMask(shift);
  const moved = (bits >> BigInt(movedTo)) & lowMask(movedBits);
  return main | (moved << BigInt(mainTop));
}

/**
 * The descriptor bits for an address. Throws a RangeError when the address is not aligned to
 * 2^shift or has more bits than the descriptors of this machine: both are mistakes of the caller.
 */
export function writeOutputAddress(
  address: bigint,
  granule: Granule,
  shift: number,
  features: Features,
): bigint {
  const { mainTop, movedTo } = layoutOf(granule, features);
  if ((address & lowMask(shift)) !== 0n) {
    throw new RangeError(`address ${address.toString(16)} is not aligned to 2^${shift}`);
  }
  if (address >> BigInt(outputAddressBits(granule, features)) !== 0n) {
    throw new RangeError(`address ${address.toString(16)} does not fit in a ${granule} descriptor`);
  }
  const moved = address >> BigInt(mainTop);
  return (address & lowMask(mainTop)) | (moved << BigInt(movedTo));
}
