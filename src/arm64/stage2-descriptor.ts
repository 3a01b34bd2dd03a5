import { never } from '../util/never.ts';
import type { Pa } from './address.ts';
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

/** A stage-2 table descriptor: the walk goes on in another table. Stage 2 has no table attributes. */
export interface Stage2Table {
  readonly kind: 'table';
  /** Physical address of the next table. */
  readonly next: Pa;
  /** All bits not named here, in place: ignored and RES0 ones. */
  readonly rest: bigint;
}

/** A stage-2 block or page descriptor: the end of a walk. */
export interface Stage2Leaf {
  readonly kind: 'block' | 'page';
  /** Physical address of the first byte that the descriptor covers. */
  readonly output: Pa;
  /** MemAttr[3:0], bits 5:2, raw; what it means depends on FWB (see attributes). */
  readonly memAttr: number;
  /** S2AP[0], bit 6: reads are permitted. */
  readonly read: boolean;
  /** S2AP[1], bit 7: writes are permitted; with DBM set it also means "dirty". */
  readonly write: boolean;
  /** SH[1:0], bits 9:8, raw; null under LPA2, where VTCR_EL2.SH0 holds for all. */
  readonly sh: number | null;
  /** AF, bit 10. A leaf without it faults when used, is then not cached, or hardware sets it. */
  readonly af: boolean;
  /** FnXS, bit 11: forces XS to 0 (FEAT_XS; otherwise false and the bit is in `rest`). */
  readonly fnxs: boolean;
  /** nT, bit 16 (blocks with FEAT_BBM; otherwise false). */
  readonly nt: boolean;
  /** DBM, bit 51. */
  readonly dbm: boolean;
  /** Contiguous, bit 52. */
  readonly contiguous: boolean;
  /** XN[1:0], bits 54:53, raw (see permissions). */
  readonly xn: number;
  /** Bits 58:55, free for software. */
  readonly software: number;
  /** All bits not named here, in place: PBHA, ignored and RES0 ones. */
  readonly rest: bigint;
}

/** A stage-2 descriptor as a walk understands it. */
export type Stage2Descriptor = InvalidDescriptor | ReservedDescriptor | Stage2Table | Stage2Leaf;

const READ_BIT = 1n << 6n;
const WRITE_BIT = 1n << 7n;
const FNXS_BIT = 1n << 11n;
const SH_MASK = 0b11n << 8n;

/**
 * Decodes a cell read by stage 2 at a level. Total: every 64-bit value has a meaning, and
 * `encodeStage2` gives the same 64 bits back. `granule` is stage 2's, VTCR_EL2.TG0.
 */
export function decodeStage2(
  bits: DescriptorBits,
  level: Level,
  granule: Granule,
  features: Features,
): Stage2Descriptor {
  const kind = descriptorType(bits, level, granule, features);
  switch (kind) {
    case 'invalid':
      return { kind, payload: bits };
    case 'reserved':
      return { kind, bits };
    case 'table': {
      const shift = pageShift(granule);
      return {
        kind,
        next: readOutputAddress(bits, granule, shift, features) as Pa,
        rest: bits & ~tableMask(granule, features) & ALL_BITS,
      };
    }
    case 'block':
    case 'page':
      return {
        kind,
        output: readOutputAddress(bits, granule, levelShift(granule, level), features) as Pa,
        memAttr: field(bits, 2, 4),
        read: (bits & READ_BIT) !== 0n,
        write: (bits & WRITE_BIT) !== 0n,
        sh: holdsShareability(granule, features) ? field(bits, 8, 2) : null,
        af: (bits & AF_BIT) !== 0n,
        fnxs: features.xs && (bits & FNXS_BIT) !== 0n,
        nt: holdsNt(kind, features) && (bits & NT_BIT) !== 0n,
        dbm: (bits & DBM_BIT) !== 0n,
        contiguous: (bits & CONTIGUOUS_BIT) !== 0n,
        xn: field(bits, 53, 2),
        software: field(bits, 55, 4),
        rest: bits & ~leafMask(kind, level, granule, features) & ALL_BITS,
      };
    default:
      return never(kind);
  }
}

/**
 * Encodes a stage-2 descriptor for a level. Throws a RangeError for what the machine cannot hold:
 * a block or table at a level without one, an address that is not aligned or too wide, a field that
 * does not fit, or a feature bit (nT, FnXS) whose feature is off.
 */
export function encodeStage2(
  descriptor: Stage2Descriptor,
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
        writeOutputAddress(descriptor.next, granule, pageShift(granule), features)
      );
    case 'block':
    case 'page':
      checkLevel(descriptor.kind, level, granule, features);
      if (descriptor.nt && !holdsNt(descriptor.kind, features)) {
        throw new RangeError('nT needs a block and FEAT_BBM');
      }
      if (descriptor.fnxs && !features.xs) throw new RangeError('FnXS needs FEAT_XS');
      return (
        (descriptor.rest & ~leafMask(descriptor.kind, level, granule, features)) |
        typeBits(descriptor.kind) |
        writeOutputAddress(descriptor.output, granule, levelShift(granule, level), features) |
        place(descriptor.memAttr, 2, 4) |
        bitIf(descriptor.read, READ_BIT) |
        bitIf(descriptor.write, WRITE_BIT) |
        (holdsShareability(granule, features) ? place(descriptor.sh ?? 0, 8, 2) : 0n) |
        bitIf(descriptor.af, AF_BIT) |
        bitIf(descriptor.fnxs, FNXS_BIT) |
        bitIf(descriptor.nt, NT_BIT) |
        bitIf(descriptor.dbm, DBM_BIT) |
        bitIf(descriptor.contiguous, CONTIGUOUS_BIT) |
        place(descriptor.xn, 53, 2) |
        place(descriptor.software, 55, 4)
      );
    default:
      return never(descriptor);
  }
}

function tableMask(granule: Granule, features: Features): bigint {
  return 0b11n | outputAddressMask(granule, pageShift(granule), features);
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
    (0b1111n << 2n) |
    READ_BIT |
    WRITE_BIT |
    (holdsShareability(granule, features) ? SH_MASK : 0n) |
    AF_BIT |
    bitIf(features.xs, FNXS_BIT) |
    bitIf(holdsNt(kind, features), NT_BIT) |
    DBM_BIT |
    CONTIGUOUS_BIT |
    (0b11n << 53n) |
    (0b1111n << 55n)
  );
}
