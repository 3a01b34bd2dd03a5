import { expect, test } from 'vitest';
import type { Ipa, Pa } from '../../src/arm64/address.ts';
import {
  stage1BbmReason,
  stage2BbmReason,
  type BbmContext,
  type BbmReason,
} from '../../src/arm64/bbm.ts';
import type { BbmLevel } from '../../src/arm64/features.ts';
import type { Level } from '../../src/arm64/geometry.ts';
import type { Stage1Leaf } from '../../src/arm64/stage1-descriptor.ts';
import type { Stage2Descriptor, Stage2Leaf } from '../../src/arm64/stage2-descriptor.ts';
import { machine } from './helpers.ts';

const PAGE: Stage2Leaf = {
  kind: 'page',
  output: 0x8000_0000n as Pa,
  memAttr: 0xf,
  read: true,
  write: true,
  sh: 3,
  af: true,
  fnxs: false,
  nt: false,
  dbm: false,
  contiguous: false,
  xn: 0,
  software: 0,
  rest: 0n,
};
const BLOCK: Stage2Leaf = { ...PAGE, kind: 'block' };
const TABLE: Stage2Descriptor = { kind: 'table', next: 0x1000n as Pa, rest: 0n };
const INVALID: Stage2Descriptor = { kind: 'invalid', payload: 0n };
const RESERVED: Stage2Descriptor = { kind: 'reserved', bits: 1n };

function at(bbm: BbmLevel, some: Partial<BbmContext> = {}): BbmContext {
  return { input: 0n, granule: '4k', features: machine({ bbm }), ...some };
}

function change(
  before: Stage2Descriptor,
  after: Stage2Descriptor,
  context = at(0),
  levels: readonly [Level, Level] = [3, 3],
): BbmReason | null {
  return stage2BbmReason(
    { descriptor: before, level: levels[0] },
    { descriptor: after, level: levels[1] },
    context,
  );
}

test('making, breaking and leaving alone need nothing', () => {
  const others: readonly Stage2Descriptor[] = [INVALID, RESERVED, PAGE];
  for (const other of others) {
    expect(change(INVALID, other)).toBeNull();
    expect(change(other, INVALID)).toBeNull();
    expect(change(RESERVED, other)).toBeNull();
    expect(change(other, other)).toBeNull();
  }
});

test('permissions, Access flag, dirty state and software bits never need it', () => {
  const harmless: readonly Partial<Stage2Leaf>[] = [
    { write: false },
    { read: false },
    { xn: 2 },
    { af: false },
    { dbm: true },
    { software: 5 },
  ];
  for (const fields of harmless) {
    expect(change(PAGE, { ...PAGE, ...fields })).toBeNull();
    expect(change({ ...PAGE, ...fields }, PAGE)).toBeNull();
  }
});

test('memory type, cacheability and shareability need it at every level of FEAT_BBM', () => {
  for (const bbm of [0, 1, 2] as const) {
    expect(change(PAGE, { ...PAGE, memAttr: 0b0001 }, at(bbm))).toBe('memory-type');
    expect(change(PAGE, { ...PAGE, memAttr: 0b0101 }, at(bbm))).toBe('cacheability');
    expect(change(PAGE, { ...PAGE, sh: 2 }, at(bbm))).toBe('shareability');
  }
  // SH says nothing for Device or Non-cacheable memory.
  for (const memAttr of [0b0001, 0b0101]) {
    expect(change({ ...PAGE, memAttr }, { ...PAGE, memAttr, sh: 2 })).toBeNull();
  }
});

test('another output address: needed unless nobody can write and the contents are known equal', () => {
  const moved = { output: 0x9000_0000n as Pa };
  const readOnly = { ...PAGE, write: false };
  const same = at(2, { sameContents: true });
  expect(change(PAGE, { ...PAGE, ...moved }, at(2))).toBe('output-address');
  expect(change(readOnly, { ...readOnly, ...moved }, at(2))).toBe('output-address');
  expect(change(readOnly, { ...readOnly, ...moved }, same)).toBeNull();
  // Old or new writable is enough, and so is DBM.
  expect(change(PAGE, { ...readOnly, ...moved }, same)).toBe('output-address');
  expect(change(readOnly, { ...PAGE, ...moved }, same)).toBe('output-address');
  expect(change({ ...readOnly, dbm: true }, { ...readOnly, ...moved }, same)).toBe(
    'output-address',
  );
});

test('block and table in one place: level 0 always, level 1 unless nT is set, level 2 never', () => {
  const both = (block: Stage2Leaf, bbm: BbmLevel): readonly (BbmReason | null)[] => [
    change(block, TABLE, at(bbm), [2, 2]),
    change(TABLE, block, at(bbm), [2, 2]),
  ];
  const nt = { ...BLOCK, nt: true };
  expect(both(BLOCK, 0)).toEqual(['size', 'size']);
  expect(both(BLOCK, 1)).toEqual(['size', 'size']);
  expect(both(nt, 1)).toEqual([null, null]);
  expect(both(BLOCK, 2)).toEqual([null, null]);
  // Setting nT itself changes nothing that counts.
  expect(change(BLOCK, nt, at(1), [2, 2])).toBeNull();
});

test('a block and a page of it, compared as two entries for one address', () => {
  const input = 0x20_3000n;
  const page = { ...PAGE, output: 0x8000_3000n as Pa };
  const live = (bbm: BbmLevel, block = BLOCK, small = page): BbmReason | null =>
    change(block, small, at(bbm, { input }), [2, 3]);
  expect(live(0)).toBe('size');
  expect(live(1)).toBe('size');
  expect(live(1, { ...BLOCK, nt: true })).toBeNull();
  expect(live(2)).toBeNull();
  // Support for size changes does not forgive another address or type.
  expect(live(2, BLOCK, { ...page, output: 0x8000_4000n as Pa })).toBe('output-address');
  expect(live(2, BLOCK, { ...page, memAttr: 1 })).toBe('memory-type');
});

test('the Contiguous bit: level 0 only, and only where the bit means something', () => {
  const group = { ...PAGE, contiguous: true };
  expect(change(PAGE, group, at(0))).toBe('contiguous');
  expect(change(group, PAGE, at(0))).toBe('contiguous');
  expect(change(PAGE, group, at(1))).toBeNull();
  expect(change(PAGE, group, at(2))).toBeNull();
  const large = { ...BLOCK, contiguous: true };
  const wide = { ...at(0), granule: '16k' } as const;
  expect(change(BLOCK, large, wide, [1, 1])).toBeNull();
});

test('another table: needed unless it is known to translate alike', () => {
  const other: Stage2Descriptor = { kind: 'table', next: 0x2000n as Pa, rest: 0n };
  expect(change(TABLE, TABLE, at(0), [2, 2])).toBeNull();
  expect(change(TABLE, other, at(2), [2, 2])).toBe('next-table');
  expect(change(TABLE, other, at(0, { sameSubtree: true }), [2, 2])).toBeNull();
});

test('stage 1: another memory type index, and global over non-global but not the reverse', () => {
  const page: Stage1Leaf = {
    kind: 'page',
    output: 0x8000_0000n as Ipa,
    attrIndx: 0,
    el0: false,
    readOnly: false,
    sh: 3,
    af: true,
    ng: true,
    nt: false,
    dbm: false,
    contiguous: false,
    pxn: false,
    uxn: false,
    software: 0,
    rest: 0n,
  };
  const stage1 = (after: Partial<Stage1Leaf>, before: Partial<Stage1Leaf> = {}): BbmReason | null =>
    stage1BbmReason(
      { descriptor: { ...page, ...before }, level: 3 },
      { descriptor: { ...page, ...after }, level: 3 },
      at(2),
    );
  expect(stage1({ attrIndx: 1 })).toBe('memory-type');
  expect(stage1({ sh: 2 })).toBe('shareability');
  expect(stage1({ ng: false })).toBe('global');
  expect(stage1({ ng: true }, { ng: false })).toBeNull();
  expect(stage1({ readOnly: true, pxn: true, uxn: true, el0: true })).toBeNull();
  expect(stage1({ output: 0x9000_0000n as Ipa })).toBe('output-address');
});
