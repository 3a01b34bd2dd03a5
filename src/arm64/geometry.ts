import { never } from '../util/never.ts';
import { lowMask, MAX_PHYSICAL_BITS, type Pa } from './address.ts';
import type { Features } from './features.ts';
import { bitsPerLevel, DESCRIPTOR_BYTES, pageShift, type Granule } from './granule.ts';

/**
 * Level of a translation table. Level 3 holds pages; each level above resolves more significant
 * bits. Level -1 exists only with the 4K granule and 52-bit addresses (FEAT_LPA2).
 */
export type Level = -1 | 0 | 1 | 2 | 3;

/** Every level from the root-most to the last. */
export const LEVELS: readonly Level[] = [-1, 0, 1, 2, 3];

/** The level whose leaves are pages. */
export const LAST_LEVEL = 3;

/** The next level of a walk. Throws a RangeError below level 3: such a walk has no next table. */
export function nextLevel(level: Level): Level {
  const next = LEVELS[level + 2];
  if (next === undefined) throw new RangeError('level 3 has no next level');
  return next;
}

/** log2 of the bytes one descriptor of this level covers: 12, 21, 30, 39, 48 with the 4K granule. */
export function levelShift(granule: Granule, level: Level): number {
  return pageShift(granule) + (LAST_LEVEL - level) * bitsPerLevel(granule);
}

/** Bytes one descriptor of this level covers. */
export function levelBytes(granule: Granule, level: Level): bigint {
  return 1n << BigInt(levelShift(granule, level));
}

/**
 * Whether a block descriptor is permitted at this level: level 2 always; level 1 with 4K, with 16K
 * under LPA2, with 64K under LPA; level 0 with 4K under LPA2. Elsewhere the encoding is reserved
 * and a walk that reads it faults (Arm ARM pseudocode, block descriptor support).
 */
export function mayHoldBlock(granule: Granule, level: Level, features: Features): boolean {
  switch (granule) {
    case '4k':
      return level === 2 || level === 1 || (level === 0 && features.lpa2);
    case '16k':
      return level === 2 || (level === 1 && features.lpa2);
    case '64k':
      return level === 2 || (level === 1 && features.lpa);
    default:
      return never(granule);
  }
}

/** Whether a leaf (block or page) is permitted at this level. */
export function mayHoldLeaf(granule: Granule, level: Level, features: Features): boolean {
  return level === LAST_LEVEL || mayHoldBlock(granule, level, features);
}

/**
 * Number of adjacent descriptors that may be cached as one entry when all have the Contiguous bit;
 * null where the bit means nothing. 4K: 16 at levels 1 to 3. 16K: 128 pages, 32 blocks at level 2.
 * 64K: 32 at levels 2 and 3. Arm ARM D8.7.1. Groups of the large blocks that exist only with LPA or
 * LPA2 are not claimed here.
 */
export function contiguousCount(granule: Granule, level: Level): number | null {
  switch (granule) {
    case '4k':
      return level >= 1 ? 16 : null;
    case '16k':
      return level === 3 ? 128 : level === 2 ? 32 : null;
    case '64k':
      return level >= 2 ? 32 : null;
    default:
      return never(granule);
  }
}

/** The shape of one translation table tree: where a walk starts and how large its root is. */
export interface Geometry {
  readonly granule: Granule;
  /** Size of the input address in bits: 64 - TxSZ. */
  readonly inputBits: number;
  readonly startLevel: Level;
  /** Descriptors in the root; at stage 2 the root may be several table pages side by side. */
  readonly rootEntries: number;
  /** Table pages of the root: 1, or 2 to 16 concatenated ones at stage 2. */
  readonly rootPages: number;
  /** log2 of the alignment of the root in bytes: the size of the root, at least 64 bytes. */
  readonly rootAlignmentBits: number;
}

/** Largest input address of stage 1 that is covered (56 bits, FEAT_LVA3, are not). */
const MAX_VIRTUAL_BITS = 52;

/** At stage 2 at most 16 = 2^4 root tables are concatenated. */
const CONCATENATION_BITS = 4;

function geometryFrom(granule: Granule, inputBits: number, startLevel: Level): Geometry {
  const rootBits = inputBits - levelShift(granule, startLevel);
  return {
    granule,
    inputBits,
    startLevel,
    rootEntries: 1 << rootBits,
    rootPages: 1 << Math.max(0, rootBits - bitsPerLevel(granule)),
    rootAlignmentBits: Math.max(6, rootBits + 3),
  };
}

/**
 * The stage-1 tree for an input address of `inputBits` (64 - TxSZ): the start level is the deepest
 * whose single table resolves all remaining bits. Throws a RangeError when no level fits.
 */
export function stage1Geometry(granule: Granule, inputBits: number): Geometry {
  const bits = inputBits - pageShift(granule);
  const startLevel = [...LEVELS]
    .reverse()
    .find((level) => bits > 0 && bits <= (LAST_LEVEL - level + 1) * bitsPerLevel(granule));
  if (startLevel === undefined || !exists(granule, startLevel) || inputBits > MAX_VIRTUAL_BITS) {
    throw new RangeError(`no ${granule} stage-1 tree has an input address of ${inputBits} bits`);
  }
  return geometryFrom(granule, inputBits, startLevel);
}

/**
 * Every start level that stage 2 may be given for an input address of this size, deepest first.
 * From the Arm ARM pseudocode: below the start level all bits are resolved, the start level
 * resolves at least one bit and at most one full table and 4 bits of concatenation. Two limits are
 * not applied: by implemented PA size (a tree may not start shallow on small machines), and FEAT_TTST
 * for a start at level 3.
 */
export function stage2StartLevels(granule: Granule, inputBits: number): readonly Level[] {
  return [...LEVELS].reverse().filter((level) => {
    const rootBits = inputBits - levelShift(granule, level);
    return (
      inputBits <= MAX_PHYSICAL_BITS &&
      exists(granule, level) &&
      rootBits >= 1 &&
      rootBits <= bitsPerLevel(granule) + CONCATENATION_BITS
    );
  });
}

/**
 * The stage-2 tree that Linux builds: the deepest start level that leaves at least two levels,
 * concatenating up to 16 root tables.
 * 4K: 40 bits start at level 1 with 2 root pages, 48 at level 0, 52 at level 0 with 16 root pages.
 * Throws a RangeError when no level fits, or when `startLevel` is given and not permitted.
 */
export function stage2Geometry(granule: Granule, inputBits: number, startLevel?: Level): Geometry {
  const permitted = stage2StartLevels(granule, inputBits);
  const level = startLevel ?? permitted.find((candidate) => candidate < LAST_LEVEL);
  if (level === undefined || !permitted.includes(level)) {
    throw new RangeError(
      `no ${granule} stage-2 tree of ${inputBits} bits starts at level ${startLevel ?? 'any'}`,
    );
  }
  return geometryFrom(granule, inputBits, level);
}

/** Whether the granule has this level at all: 64K has no level 0, and only 4K has level -1. */
function exists(granule: Granule, level: Level): boolean {
  return levelShift(granule, level) < MAX_PHYSICAL_BITS;
}

/**
 * Index of the descriptor for an input address in the table of this level. At the start level the
 * index runs over all concatenated root pages; bits above the input size are ignored.
 */
export function indexAt(geometry: Geometry, address: bigint, level: Level): number {
  const shift = levelShift(geometry.granule, level);
  const top =
    level === geometry.startLevel ? geometry.inputBits : shift + bitsPerLevel(geometry.granule);
  return Number((address >> BigInt(shift)) & lowMask(top - shift));
}

/**
 * Address of the descriptor cell for an input address, given the table (at the start level: the
 * root) it is in.
 */
export function descriptorAddress(
  geometry: Geometry,
  table: Pa,
  address: bigint,
  level: Level,
): Pa {
  return (table + BigInt(indexAt(geometry, address, level)) * DESCRIPTOR_BYTES) as Pa;
}
