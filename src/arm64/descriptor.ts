import type { Features } from './features.ts';
import { LAST_LEVEL, mayHoldBlock, type Level } from './geometry.ts';
import type { Granule } from './granule.ts';

/** Raw contents of a descriptor cell: 64 bits. */
export type DescriptorBits = bigint;

/**
 * Bit 0 is clear: the walk faults and nothing is cached (R_XCLRD). Hardware ignores all other bits,
 * so software may keep something there, for example the address of the page it just unmapped.
 */
export interface InvalidDescriptor {
  readonly kind: 'invalid';
  /** Bits 63:1 in place, bit 0 clear. */
  readonly payload: bigint;
}

/**
 * Bit 0 is set but the type is not permitted at this level: a block at a level that holds none, or
 * bits 1:0 = 0b01 at level 3. A walk faults as if it were invalid, so it is never cached.
 */
export interface ReservedDescriptor {
  readonly kind: 'reserved';
  readonly bits: DescriptorBits;
}

/** What the type field says at a level, before any other field is looked at. */
export type DescriptorType = 'invalid' | 'table' | 'block' | 'page' | 'reserved';

/** Bit 0: the descriptor is valid. */
export const VALID_BIT = 1n;

/** Bits 1:0 of tables (levels below 3) and of pages (level 3). */
const TABLE_OR_PAGE = 0b11n;

/** The type of a descriptor read at a level (Arm ARM pseudocode, decoding of the descriptor type). */
export function descriptorType(
  bits: DescriptorBits,
  level: Level,
  granule: Granule,
  features: Features,
): DescriptorType {
  if ((bits & VALID_BIT) === 0n) return 'invalid';
  if ((bits & TABLE_OR_PAGE) === TABLE_OR_PAGE) return level === LAST_LEVEL ? 'page' : 'table';
  return mayHoldBlock(granule, level, features) ? 'block' : 'reserved';
}

/** Throws a RangeError when descriptors of this kind do not exist at the level. */
export function checkLevel(
  kind: 'table' | 'block' | 'page',
  level: Level,
  granule: Granule,
  features: Features,
): void {
  const exists =
    kind === 'page'
      ? level === LAST_LEVEL
      : kind === 'table'
        ? level !== LAST_LEVEL
        : mayHoldBlock(granule, level, features);
  if (!exists) throw new RangeError(`there is no ${kind} at level ${level} with ${granule}`);
}

/** Bits 1:0 of a descriptor of this kind. */
export function typeBits(kind: 'table' | 'block' | 'page'): bigint {
  return kind === 'block' ? VALID_BIT : TABLE_OR_PAGE;
}

/** Whether a walk that reads this descriptor goes on or ends in an output address. */
export function isValid(descriptor: { readonly kind: DescriptorType }): boolean {
  return descriptor.kind !== 'invalid' && descriptor.kind !== 'reserved';
}

/** Bit 10, AF: the Access flag of a leaf. */
export const AF_BIT = 1n << 10n;

/** Bit 16, nT: while set, a translation through the block may fault (FEAT_BBM, blocks only). */
export const NT_BIT = 1n << 16n;

/** Bit 51, DBM: hardware may make a read-only leaf writable when it is written. */
export const DBM_BIT = 1n << 51n;

/** Bit 52, Contiguous: the leaf is one of a group that may be cached as one entry (D8.7.1). */
export const CONTIGUOUS_BIT = 1n << 52n;

/** Whether bit 16 of a leaf is nT: in blocks, when FEAT_BBM has level 1 or 2. */
export function holdsNt(kind: 'block' | 'page', features: Features): boolean {
  return kind === 'block' && features.bbm > 0;
}

/** One field of a descriptor as a small number. */
export function field(bits: DescriptorBits, low: number, width: number): number {
  return Number((bits >> BigInt(low)) & ((1n << BigInt(width)) - 1n));
}

/** Puts a small number into a field. Throws a RangeError when it does not fit. */
export function place(value: number, low: number, width: number): bigint {
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** width) {
    throw new RangeError(`${value} does not fit in descriptor bits ${low + width - 1}:${low}`);
  }
  return BigInt(value) << BigInt(low);
}

/** The bit when the condition holds, otherwise nothing. */
export function bitIf(condition: boolean, bit: bigint): bigint {
  return condition ? bit : 0n;
}

/** Bits 63:0 set; complements of masks are cut to it because bigint has no width. */
export const ALL_BITS = (1n << 64n) - 1n;
