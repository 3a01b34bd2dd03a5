import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Ipa } from '../../src/arm64/address.ts';
import { ALL_BITS } from '../../src/arm64/descriptor.ts';
import {
  decodeStage1,
  encodeStage1,
  type Stage1Descriptor,
  type Stage1Leaf,
  type Stage1Table,
} from '../../src/arm64/stage1-descriptor.ts';
import { anyGranule, anyLevel, layoutFeatures, machine } from './helpers.ts';

const BARE_PAGE: Stage1Leaf = {
  kind: 'page',
  output: 0n as Ipa,
  attrIndx: 0,
  el0: false,
  readOnly: false,
  sh: 0,
  af: false,
  ng: false,
  nt: false,
  dbm: false,
  contiguous: false,
  pxn: false,
  uxn: false,
  software: 0,
  rest: 0n,
};

const BARE_TABLE: Stage1Table = {
  kind: 'table',
  next: 0n as Ipa,
  noEl0: false,
  readOnly: false,
  uxn: false,
  pxn: false,
  rest: 0n,
};

test('every 64-bit value survives decoding and encoding at every level, granule and layout', () => {
  fc.assert(
    fc.property(
      fc.bigInt(0n, ALL_BITS),
      anyLevel,
      anyGranule,
      layoutFeatures,
      (bits, level, granule, features) => {
        const decoded = decodeStage1(bits, level, granule, features);
        expect(encodeStage1(decoded, level, granule, features)).toBe(bits);
      },
    ),
    { numRuns: 3000 },
  );
});

test('each field of a page sits at its bit', () => {
  const cases: readonly (readonly [bigint, Partial<Stage1Leaf>])[] = [
    [1n << 2n, { attrIndx: 1 }],
    [1n << 4n, { attrIndx: 4 }],
    [1n << 5n, { rest: 1n << 5n }],
    [1n << 6n, { el0: true }],
    [1n << 7n, { readOnly: true }],
    [1n << 8n, { sh: 1 }],
    [1n << 10n, { af: true }],
    [1n << 11n, { ng: true }],
    [1n << 12n, { output: 0x1000n as Ipa }],
    [1n << 50n, { rest: 1n << 50n }],
    [1n << 51n, { dbm: true }],
    [1n << 52n, { contiguous: true }],
    [1n << 53n, { pxn: true }],
    [1n << 54n, { uxn: true }],
    [1n << 55n, { software: 1 }],
  ];
  for (const [bit, fields] of cases) {
    expect(decodeStage1(0b11n | bit, 3, '4k', machine({}))).toEqual({ ...BARE_PAGE, ...fields });
  }
});

test('each field of a table sits at its bit', () => {
  const cases: readonly (readonly [bigint, Partial<Stage1Table>])[] = [
    [1n << 10n, { rest: 1n << 10n }],
    [1n << 12n, { next: 0x1000n as Ipa }],
    [1n << 59n, { pxn: true }],
    [1n << 60n, { uxn: true }],
    [1n << 61n, { noEl0: true }],
    [1n << 62n, { readOnly: true }],
    [1n << 63n, { rest: 1n << 63n }],
  ];
  for (const [bit, fields] of cases) {
    expect(decodeStage1(0b11n | bit, 2, '4k', machine({}))).toEqual({ ...BARE_TABLE, ...fields });
  }
});

test('what no machine can hold is refused', () => {
  const bad: readonly (readonly [Stage1Descriptor, 0 | 2 | 3])[] = [
    [{ ...BARE_PAGE, kind: 'block' }, 0],
    [BARE_PAGE, 2],
    [BARE_TABLE, 3],
    [{ ...BARE_PAGE, attrIndx: 8 }, 3],
    [{ ...BARE_PAGE, nt: true }, 3],
    [{ ...BARE_TABLE, next: 0x800n as Ipa }, 2],
  ];
  for (const [descriptor, level] of bad) {
    expect(() => encodeStage1(descriptor, level, '4k', machine({}))).toThrow(RangeError);
  }
});
