import { reject, type Position } from '../problem.ts';
import type { StageAttributes } from './setup-language.ts';

/** Fields of leaf descriptors with their lowest bit and width (Arm ARM D8.3). */
const FIELDS: Readonly<Record<1 | 2, ReadonlyMap<string, readonly [low: number, width: number]>>> =
  {
    1: new Map([
      ['UXN', [54, 1]],
      ['PXN', [53, 1]],
      ['Contiguous', [52, 1]],
      ['DBM', [51, 1]],
      ['nG', [11, 1]],
      ['AF', [10, 1]],
      ['SH', [8, 2]],
      ['AP', [6, 2]],
      ['NS', [5, 1]],
      ['AttrIndx', [2, 3]],
    ]),
    2: new Map([
      ['XN', [54, 1]],
      ['Contiguous', [52, 1]],
      ['DBM', [51, 1]],
      ['AF', [10, 1]],
      ['SH', [8, 2]],
      ['S2AP', [6, 2]],
      ['MemAttr', [2, 4]],
    ]),
  };

/**
 * What isla gives a mapping that says nothing (page_table.rs): access flag set, non-shareable; stage
 * 1: read and write from EL0 too, attribute index 0; stage 2: read and write, Normal Write-Back.
 * `code`: stage 1 read-only at all levels; stage 2 without data access.
 */
const DEFAULTS: Readonly<Record<1 | 2, Readonly<Record<'default' | 'code', bigint>>>> = {
  1: { default: (1n << 10n) | (0b01n << 6n), code: (1n << 10n) | (0b11n << 6n) },
  2: {
    default: (1n << 10n) | (0b11n << 6n) | (0b1111n << 2n),
    code: (1n << 10n) | (0b1111n << 2n),
  },
};

/** The attribute bits of a leaf descriptor of a stage. */
export function attributeBits(stage: 1 | 2, attributes: StageAttributes, at: Position): bigint {
  if (attributes.kind === 'code') return DEFAULTS[stage].code;
  let bits = DEFAULTS[stage].default;
  for (const [name, value] of attributes.fields) {
    // Tests write AP for the access permissions of either stage.
    const field = FIELDS[stage].get(stage === 2 && name === 'AP' ? 'S2AP' : name);
    if (field === undefined) {
      return reject('unsupported', at, `a stage ${stage} descriptor has no attribute \`${name}\`.`);
    }
    const [low, width] = field;
    const mask = ((1n << BigInt(width)) - 1n) << BigInt(low);
    bits = (bits & ~mask) | ((value << BigInt(low)) & mask);
  }
  return bits;
}
