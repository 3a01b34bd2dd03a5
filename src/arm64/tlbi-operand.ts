import { never } from '../util/never.ts';
import { alignDown, lowMask, type Asid, type Ipa, type Va } from './address.ts';
import type { Features } from './features.ts';
import type { Level } from './geometry.ts';
import { pageShift, type Granule } from './granule.ts';

/** The register operand Xt of a TLBI: 64 bits. */
export type TlbiOperand = bigint;

/**
 * What the TTL field of an operand says (FEAT_TTL): the granule and level of the leaf that is
 * invalidated. A wrong hint means that nothing need be removed (R_SQXYZ).
 */
export interface LevelHint {
  readonly granule: Granule;
  readonly level: Level;
}

const TTL_SHIFT = 44n;
const ASID_SHIFT = 48n;
const NS_BIT = 1n << 63n;
/** The address field of the VA and IPA forms: address bits 55:12, whatever the granule. */
const ADDRESS_MASK = lowMask(44);
/** IPA[51:12] in bits 39:0. */
const IPA_MASK = lowMask(40);
/** Addresses of VA forms are compared in 56 bits; the tag byte above has no effect. */
export const VA_COMPARE_BITS = 56;

/** The TG encoding of TLBI operands; 0 is "none" or reserved. */
export function granuleCode(granule: Granule): 1 | 2 | 3 {
  switch (granule) {
    case '4k':
      return 1;
    case '16k':
      return 2;
    case '64k':
      return 3;
    default:
      return never(granule);
  }
}

/** The granule of a TG encoding, null for 0. */
export function granuleOfCode(code: number): Granule | null {
  switch (code) {
    case 1:
      return '4k';
    case 2:
      return '16k';
    case 3:
      return '64k';
    default:
      return null;
  }
}

/**
 * Whether a hint can be expressed: levels 1 to 3, level 0 only with 4K under LPA2, level 1 with 16K
 * only under LPA2. Levels without leaves have no encoding.
 */
export function isLevelHint(hint: LevelHint, features: Features): boolean {
  switch (hint.granule) {
    case '4k':
      return hint.level >= 1 || (hint.level === 0 && features.lpa2);
    case '16k':
      return hint.level >= 2 || (hint.level === 1 && features.lpa2);
    case '64k':
      return hint.level >= 1;
    default:
      return never(hint.granule);
  }
}

/**
 * Decodes TTL, bits 47:44: granule in 3:2, level in 1:0. Null means no information, which hardware
 * must take for "any level": granule 0, the combinations that `isLevelHint` excludes, and every
 * value on a machine without FEAT_TTL, where the field is RES0.
 */
export function decodeTtl(ttl: number, features: Features): LevelHint | null {
  const granule = granuleOfCode(ttl >> 2);
  if (granule === null || !features.ttl) return null;
  const hint: LevelHint = { granule, level: (ttl & 0b11) as Level };
  return isLevelHint(hint, features) ? hint : null;
}

function encodeTtl(hint: LevelHint | null, features: Features): bigint {
  if (hint === null) return 0n;
  if (!features.ttl || !isLevelHint(hint, features)) {
    throw new RangeError(`no TTL value says level ${hint.level} with ${hint.granule}`);
  }
  return BigInt((granuleCode(hint.granule) << 2) | hint.level) << TTL_SHIFT;
}

/** Operand of the VA forms (VAE1, VALE1, VAAE1, VAE2, ...) as fields. */
export interface VaOperand {
  /** Bits 63:48; ignored by the all-ASID forms and where the regime has no ASID. */
  readonly asid: number;
  readonly hint: LevelHint | null;
  /** VA[55:12] from bits 43:0, in place; bits below the page of the granule in use are ignored. */
  readonly address: bigint;
}

/** Encodes the operand of a VA form. Throws a RangeError for a hint that cannot be expressed. */
export function encodeVaOperand(
  operand: { readonly asid: Asid | 0; readonly hint: LevelHint | null; readonly address: Va },
  features: Features,
): TlbiOperand {
  return (
    (BigInt(operand.asid) << ASID_SHIFT) |
    encodeTtl(operand.hint, features) |
    ((operand.address >> 12n) & ADDRESS_MASK)
  );
}

/** Decodes the operand of a VA form. */
export function decodeVaOperand(operand: TlbiOperand, features: Features): VaOperand {
  return {
    asid: Number((operand >> ASID_SHIFT) & lowMask(16)),
    hint: decodeTtl(Number((operand >> TTL_SHIFT) & 0b1111n), features),
    address: (operand & ADDRESS_MASK) << 12n,
  };
}

/** Operand of the IPA forms (IPAS2E1, IPAS2LE1) as fields. */
export interface IpaOperand {
  /** Bit 63: the address space is Non-secure; only read in Secure state. */
  readonly ns: boolean;
  readonly hint: LevelHint | null;
  /** IPA[51:12] from bits 39:0, in place. The field counts in 4K units for every granule. */
  readonly address: bigint;
}

/** Encodes the operand of an IPA form. Throws a RangeError for a hint that cannot be expressed. */
export function encodeIpaOperand(
  operand: { readonly ns: boolean; readonly hint: LevelHint | null; readonly address: Ipa },
  features: Features,
): TlbiOperand {
  return (
    (operand.ns ? NS_BIT : 0n) |
    encodeTtl(operand.hint, features) |
    ((operand.address >> 12n) & IPA_MASK)
  );
}

/** Decodes the operand of an IPA form. */
export function decodeIpaOperand(operand: TlbiOperand, features: Features): IpaOperand {
  return {
    ns: (operand & NS_BIT) !== 0n,
    hint: decodeTtl(Number((operand >> TTL_SHIFT) & 0b1111n), features),
    address: (operand & IPA_MASK) << 12n,
  };
}

/** The page of the granule in use that an operand address lies in: low bits have no effect. */
export function operandPage(address: bigint, granule: Granule): bigint {
  return alignDown(address, pageShift(granule));
}
