import { never } from '../util/never.ts';
import type { Ipa } from './address.ts';
import {
  AF_BIT,
  ALL_BITS,
  bitIf,
  checkLevel,
  CONTIGUOUS_BIT,
  DBM_BIT,
  descriptorType,
  field,
  holdsNt,
  NT_BIT,
  place,
  typeBits,
  type DescriptorBits,
  type InvalidDescriptor,
  type ReservedDescriptor,
} from './descriptor.ts';
import type { Features } from './features.ts';
import { levelShift, type Level } from './geometry.ts';
import { pageShift, type Granule } from './granule.ts';
import {
  holdsShareability,
  outputAddressMask,
  readOutputAddress,
  writeOutputAddress,
} from './output-address.ts';

/** A stage-1 table descriptor. Its attributes restrict everything below it. */
export interface Stage1Table {
  readonly kind: 'table';
  /** Address of the next table: an IPA in EL1&0 under stage 2, otherwise already the PA. */
  readonly next: Ipa;
  /** APTable[0], bit 61: no access from EL0 below. */
  readonly noEl0: boolean;
  /** APTable[1], bit 62: no writes below. */
  readonly readOnly: boolean;
  /** UXNTable (XNTable in regimes with one privilege level), bit 60. */
  readonly uxn: boolean;
  /** PXNTable, bit 59. */
  readonly pxn: boolean;
  /** All bits not named here, in place: NSTable, ignored and RES0 ones. */
  readonly rest: bigint;
}

/** A stage-1 block or page descriptor: the end of a walk. */
export interface Stage1Leaf {
  readonly kind: 'block' | 'page';
  /** First address that the descriptor maps to: an IPA under stage 2, otherwise already the PA. */
  readonly output: Ipa;
  /** AttrIndx[2:0], bits 4:2: which byte of MAIR_ELx gives the memory type. */
  readonly attrIndx: number;
  /** AP[1], bit 6: EL0 has access too (RES1 in the EL2 regime without E2H). */
  readonly el0: boolean;
  /** AP[2], bit 7: read-only; with DBM set it means "clean". */
  readonly readOnly: boolean;
  /** SH[1:0], bits 9:8, raw; null under LPA2, where TCR_ELx.SHn holds for all. */
  readonly sh: number | null;
  /** AF, bit 10. */
  readonly af: boolean;
  /** nG, bit 11: the translation is for the current ASID only. */
  readonly ng: boolean;
  /** nT, bit 16 (blocks with FEAT_BBM; otherwise false). */
  readonly nt: boolean;
  /** DBM, bit 51. */
  readonly dbm: boolean;
  /** Contiguous, bit 52. */
  readonly contiguous: boolean;
  /** PXN, bit 53: no execution at EL1 (at EL2 under E2H). */
  readonly pxn: boolean;
  /** UXN, bit 54: no execution at EL0; it is XN in regimes with one privilege level. */
  readonly uxn: boolean;
  /** Bits 58:55, free for software. */
  readonly software: number;
  /** All bits not named here, in place: NS, GP, PBHA, ignored and RES0 ones. */
  readonly rest: bigint;
}

/** A stage-1 descriptor as a walk understands it. */
export type Stage1Descriptor = InvalidDescriptor | ReservedDescriptor | Stage1Table | Stage1Leaf;

const EL0_BIT = 1n << 6n;
const READ_ONLY_BIT = 1n << 7n;
const SH_MASK = 0b11n << 8n;
const NG_BIT = 1n << 11n;
const PXN_BIT = 1n << 53n;
const UXN_BIT = 1n << 54n;
const TABLE_PXN_BIT = 1n << 59n;
const TABLE_UXN_BIT = 1n << 60n;
const TABLE_NO_EL0_BIT = 1n << 61n;
const TABLE_READ_ONLY_BIT = 1n << 62n;

/**
 * Decodes a cell read by stage 1 at a level. Total: every 64-bit value has a meaning, and
 * `encodeStage1` gives the same 64 bits back. `granule` is that of the stage-1 regime, which may
 * differ from `features.granule`.
 */
export function decodeStage1(
  bits: DescriptorBits,
  level: Level,
  granule: Granule,
  features: Features,
): Stage1Descriptor {
  const kind = descriptorType(bits, level, granule, features);
  switch (kind) {
    case 'invalid':
      return { kind, payload: bits };
    case 'reserved':
      return { kind, bits };
    case 'table':
      return {
        kind,
        next: readOutputAddress(bits, granule, pageShift(granule), features) as Ipa,
        noEl0: (bits & TABLE_NO_EL0_BIT) !== 0n,
        readOnly: (bits & TABLE_READ_ONLY_BIT) !== 0n,
        uxn: (bits & TABLE_UXN_BIT) !== 0n,
        pxn: (bits & TABLE_PXN_BIT) !== 0n,
        rest: bits & ~tableMask(granule, features) & ALL_BITS,
      };
    case 'block':
    case 'page':
      return {
        kind,
        output: readOutputAddress(bits, granule, levelShift(granule, level), features) as Ipa,
        attrIndx: field(bits, 2, 3),
        el0: (bits & EL0_BIT) !== 0n,
        readOnly: (bits & READ_ONLY_BIT) !== 0n,
        sh: holdsShareability(granule, features) ? field(bits, 8, 2) : null,
        af: (bits & AF_BIT) !== 0n,
        ng: (bits & NG_BIT) !== 0n,
        nt: holdsNt(kind, features) && (bits & NT_BIT) !== 0n,
        dbm: (bits & DBM_BIT) !== 0n,
        contiguous: (bits & CONTIGUOUS_BIT) !== 0n,
        pxn: (bits & PXN_BIT) !== 0n,
        uxn: (bits & UXN_BIT) !== 0n,
        software: field(bits, 55, 4),
        rest: bits & ~leafMask(kind, level, granule, features) & ALL_BITS,
      };
    default:
      return never(kind);
  }
}

/**
 * Encodes a stage-1 descriptor for a level. Throws a RangeError for what the machine cannot hold:
 * a block or table at a level without one, an address that is not aligned or too wide, a field that
 * does not fit, or nT without FEAT_BBM.
 */
export function encodeStage1(
  descriptor: Stage1Descriptor,
  level: Level,
  granule: Granule,
  features: Features,
): DescriptorBits {
  switch (descriptor.kind) {
    case 'invalid':
      return descriptor.payload & ~1n;
    case 'reserved':
      return descriptor.bits;
    case 'table':
      checkLevel('table', level, granule, features);
      return (
        (descriptor.rest & ~tableMask(granule, features)) |
        typeBits('table') |
        writeOutputAddress(descriptor.next, granule, pageShift(granule), features) |
        bitIf(descriptor.noEl0, TABLE_NO_EL0_BIT) |
        bitIf(descriptor.readOnly, TABLE_READ_ONLY_BIT) |
        bitIf(descriptor.uxn, TABLE_UXN_BIT) |
        bitIf(descriptor.pxn, TABLE_PXN_BIT)
      );
    case 'block':
    case 'page':
      checkLevel(descriptor.kind, level, granule, features);
      if (descriptor.nt && !holdsNt(descriptor.kind, features)) {
        throw new RangeError('nT needs a block and FEAT_BBM');
      }
      return (
        (descriptor.rest & ~leafMask(descriptor.kind, level, granule, features)) |
        typeBits(descriptor.kind) |
        writeOutputAddress(descriptor.output, granule, levelShift(granule, level), features) |
        place(descriptor.attrIndx, 2, 3) |
        bitIf(descriptor.el0, EL0_BIT) |
        bitIf(descriptor.readOnly, READ_ONLY_BIT) |
        (holdsShareability(granule, features) ? place(descriptor.sh ?? 0, 8, 2) : 0n) |
        bitIf(descriptor.af, AF_BIT) |
        bitIf(descriptor.ng, NG_BIT) |
        bitIf(descriptor.nt, NT_BIT) |
        bitIf(descriptor.dbm, DBM_BIT) |
        bitIf(descriptor.contiguous, CONTIGUOUS_BIT) |
        bitIf(descriptor.pxn, PXN_BIT) |
        bitIf(descriptor.uxn, UXN_BIT) |
        place(descriptor.software, 55, 4)
      );
    default:
      return never(descriptor);
  }
}

function tableMask(granule: Granule, features: Features): bigint {
  return (
    0b11n |
    outputAddressMask(granule, pageShift(granule), features) |
    TABLE_NO_EL0_BIT |
    TABLE_READ_ONLY_BIT |
    TABLE_UXN_BIT |
    TABLE_PXN_BIT
  );
}

function leafMask(
  kind: 'block' | 'page',
  level: Level,
  granule: Granule,
  features: Features,
): bigint {
  return (
    0b11n |
    outputAddressMask(granule, levelShift(granule, level), features) |
    (0b111n << 2n) |
    EL0_BIT |
    READ_ONLY_BIT |
    (holdsShareability(granule, features) ? SH_MASK : 0n) |
    AF_BIT |
    NG_BIT |
    bitIf(holdsNt(kind, features), NT_BIT) |
    DBM_BIT |
    CONTIGUOUS_BIT |
    PXN_BIT |
    UXN_BIT |
    (0b1111n << 55n)
  );
}
