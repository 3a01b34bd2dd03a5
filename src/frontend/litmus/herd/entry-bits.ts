import type { Position } from '../problem.ts';
import { reject } from '../problem.ts';
import type { EntryFields } from './value.ts';

/**
 * herd7's page-table entries as 64-bit level-3 stage-1 descriptors. The places of the bits are the
 * architecture's, which herd7's bitwise operations on entries assume too (AArch64PteVal.ml, `orop`):
 * valid 0, el0 6 (AP[1]), db 7 inverted (AP[2]), af 10, dbm 51, x 54 inverted (XN). Bit 1 is set in
 * every entry, invalid ones included, so that setting the valid bit makes a page.
 */

const PAGE_BIT = 2n;
const OUTPUT_MASK = 0x0000_ffff_ffff_f000n;

/** The memory type of an entry: a byte of MAIR and the SH field. */
export interface EntryAttributes {
  readonly mair: number;
  readonly sh: number;
}

/** Which MAIR byte each attribute index stands for; index 0 is Normal Write-Back. */
export interface AttributeTable {
  /** The index of a memory type, made when it is new. */
  indexOf(mair: number, at: Position): number;
  /** MAIR_EL1 with all types asked for so far. */
  mair(): bigint;
  /** The byte of an index. */
  byteAt(index: number): number;
}

const NORMAL_WRITE_BACK = 0xff;

/** A table that knows Normal Write-Back memory only. */
export function attributeTable(): AttributeTable {
  const bytes = [NORMAL_WRITE_BACK];
  return {
    indexOf(mair, at) {
      const known = bytes.indexOf(mair);
      if (known >= 0) return known;
      if (bytes.length === 8) return reject('unsupported', at, 'there are too many memory types.');
      bytes.push(mair);
      return bytes.length - 1;
    },
    mair: () => bytes.reduce((all, byte, index) => all | (BigInt(byte) << BigInt(8 * index)), 0n),
    byteAt: (index) => bytes[index] ?? NORMAL_WRITE_BACK,
  };
}

const DEVICES: ReadonlyMap<string, number> = new Map([
  ['Device-nGnRnE', 0x00],
  ['Device-nGnRE', 0x04],
  ['Device-nGRE', 0x08],
  ['Device-GRE', 0x0c],
]);

const CACHEABILITY: ReadonlyMap<string, number> = new Map([
  ['WB', 0xf],
  ['write-back', 0xf],
  ['WT', 0xb],
  ['write-through', 0xb],
  ['NC', 0x4],
  ['non-cacheable', 0x4],
]);

const SHAREABILITY: ReadonlyMap<string, number> = new Map([
  ['NSH', 0],
  ['Non-shareable', 0],
  ['OSH', 2],
  ['Outer-shareable', 2],
  ['ISH', 3],
  ['Inner-shareable', 3],
]);

const TAGGED = 0xf0;

/** The memory type that the names of an entry say; without any: Normal, Inner Shareable, WB. */
export function attributesOf(names: readonly string[], at: Position): EntryAttributes {
  let inner = 0xf;
  let outer = 0xf;
  let sh = 3;
  let whole: number | null = null;
  for (const name of names) {
    const device = DEVICES.get(name);
    const share = SHAREABILITY.get(name);
    const cached = /^(i|o|Inner-|Outer-)(.+)$/.exec(name);
    const nibble = CACHEABILITY.get(cached?.[2] ?? '');
    if (device !== undefined) whole = device;
    else if (share !== undefined) sh = share;
    else if (nibble !== undefined && cached !== null) {
      if (cached[1]?.startsWith('i') === true || cached[1]?.startsWith('I') === true)
        inner = nibble;
      else outer = nibble;
    } else if (name === 'TaggedNormal') whole = TAGGED;
    else if (name !== 'Normal') {
      return reject('unsupported', at, `the memory attribute \`${name}\` is not supported.`);
    }
  }
  return { mair: whole ?? (outer << 4) | inner, sh };
}

/** What herd7 prints for a memory type; null for the default one. */
export function showAttributes({ mair, sh }: EntryAttributes): string | null {
  if (mair < 0x10) {
    const device = [...DEVICES].find(([, byte]) => byte === mair);
    return device?.[0] ?? null;
  }
  if (mair === TAGGED) return 'TaggedNormal';
  if (mair === NORMAL_WRITE_BACK && sh === 3) return null;
  const cache = (nibble: number): string => (nibble === 0xf ? 'WB' : nibble === 0xb ? 'WT' : 'NC');
  const share = sh === 0 ? 'NSH' : sh === 2 ? 'OSH' : 'ISH';
  return `Normal,${share},i${cache(mair & 0xf)},o${cache(mair >> 4)}`;
}

function bit(value: number, position: number): bigint {
  return value === 0 ? 0n : 1n << BigInt(position);
}

/** The descriptor of an entry with the output address. */
export function encodeEntry(
  entry: EntryFields,
  output: bigint,
  table: AttributeTable,
  at: Position,
): bigint {
  const { mair, sh } = attributesOf(entry.attributes, at);
  return (
    PAGE_BIT |
    output |
    bit(entry.valid, 0) |
    (BigInt(table.indexOf(mair, at)) << 2n) |
    bit(entry.el0, 6) |
    bit(1 - entry.db, 7) |
    (BigInt(sh) << 8n) |
    bit(entry.af, 10) |
    bit(entry.dbm, 51) |
    bit(1 - entry.x, 54)
  );
}

/** An entry read back from a descriptor. */
export interface DecodedEntry {
  readonly output: bigint;
  readonly valid: number;
  readonly af: number;
  readonly db: number;
  readonly dbm: number;
  readonly el0: number;
  readonly x: number;
  readonly attributes: EntryAttributes;
}

const KNOWN_BITS =
  OUTPUT_MASK |
  0b11n |
  0b11100n |
  (1n << 6n) |
  (1n << 7n) |
  (3n << 8n) |
  (1n << 10n) |
  (1n << 51n) |
  (1n << 54n);

/** The entry in a 64-bit value; null when the value is not one that `encodeEntry` makes. */
export function decodeEntry(bits: bigint, table: AttributeTable): DecodedEntry | null {
  if ((bits & PAGE_BIT) === 0n || (bits & ~KNOWN_BITS) !== 0n) return null;
  const at = (position: number): number => Number((bits >> BigInt(position)) & 1n);
  const index = Number((bits >> 2n) & 7n);
  return {
    output: bits & OUTPUT_MASK,
    valid: at(0),
    af: at(10),
    db: 1 - at(7),
    dbm: at(51),
    el0: at(6),
    x: 1 - at(54),
    attributes: { mair: table.byteAt(index), sh: Number((bits >> 8n) & 3n) },
  };
}
