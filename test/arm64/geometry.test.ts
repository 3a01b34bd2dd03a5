import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pa } from '../../src/arm64/address.ts';
import {
  contiguousCount,
  descriptorAddress,
  indexAt,
  levelBytes,
  LEVELS,
  levelShift,
  mayHoldBlock,
  mayHoldLeaf,
  nextLevel,
  stage1Geometry,
  stage2Geometry,
  stage2StartLevels,
  type Geometry,
  type Level,
} from '../../src/arm64/geometry.ts';
import { GRANULES, type Granule } from '../../src/arm64/granule.ts';
import { machine } from './helpers.ts';

const KIB = 1024n;
const MIB = KIB * KIB;
const GIB = MIB * KIB;
const TIB = GIB * KIB;

test('bytes that one descriptor covers, as the manual tabulates them', () => {
  expect(LEVELS.map((level) => levelBytes('4k', level))).toEqual([
    256n * TIB,
    512n * GIB,
    GIB,
    2n * MIB,
    4n * KIB,
  ]);
  expect(LEVELS.slice(1).map((level) => levelBytes('16k', level))).toEqual([
    128n * TIB,
    64n * GIB,
    32n * MIB,
    16n * KIB,
  ]);
  expect(LEVELS.slice(2).map((level) => levelBytes('64k', level))).toEqual([
    4n * TIB,
    512n * MIB,
    64n * KIB,
  ]);
});

test('levels that may hold blocks', () => {
  const blocks = (granule: Granule, lpa: boolean, lpa2: boolean): readonly Level[] =>
    LEVELS.filter((level) => mayHoldBlock(granule, level, machine({ lpa, lpa2 })));
  expect(blocks('4k', true, false)).toEqual([1, 2]);
  expect(blocks('4k', false, true)).toEqual([0, 1, 2]);
  expect(blocks('16k', true, false)).toEqual([2]);
  expect(blocks('16k', false, true)).toEqual([1, 2]);
  expect(blocks('64k', false, true)).toEqual([2]);
  expect(blocks('64k', true, false)).toEqual([1, 2]);
  expect(mayHoldLeaf('4k', 3, machine({}))).toBe(true);
  expect(mayHoldLeaf('4k', 0, machine({}))).toBe(false);
});

test('sizes of contiguous groups', () => {
  const groups = GRANULES.map((granule) =>
    LEVELS.flatMap((level) => {
      const count = contiguousCount(granule, level);
      return count === null ? [] : [BigInt(count) * levelBytes(granule, level)];
    }),
  );
  expect(groups).toEqual([
    [16n * GIB, 32n * MIB, 64n * KIB],
    [GIB, 2n * MIB],
    [16n * GIB, 2n * MIB],
  ]);
});

test('a walk ends at level 3', () => {
  expect([-1, 0, 1, 2].map((level) => nextLevel(level as Level))).toEqual([0, 1, 2, 3]);
  expect(() => nextLevel(3)).toThrow(RangeError);
});

test('stage 1 starts where a single table resolves the rest', () => {
  // Brute force: take one full table off the input bits until at most one is left.
  for (const granule of GRANULES) {
    const page = { '4k': 12, '16k': 14, '64k': 16 }[granule];
    for (let bits = page + 1; bits <= 52; bits += 1) {
      let level = 3;
      let left = bits - page;
      while (left > page - 3) {
        left -= page - 3;
        level -= 1;
      }
      expect(stage1Geometry(granule, bits)).toMatchObject({
        startLevel: level,
        rootEntries: 2 ** left,
        rootPages: 1,
      });
    }
  }
  const linux = (granule: Granule, bits: number): Level => stage1Geometry(granule, bits).startLevel;
  expect([linux('4k', 39), linux('4k', 48), linux('4k', 52)]).toEqual([1, 0, -1]);
  expect([linux('16k', 36), linux('16k', 47), linux('16k', 48)]).toEqual([2, 1, 0]);
  expect([linux('64k', 42), linux('64k', 48), linux('64k', 52)]).toEqual([2, 1, 1]);
});

test('stage 2 as Linux builds it: start level and concatenated root pages', () => {
  const rows = GRANULES.flatMap((granule) =>
    [32, 36, 40, 42, 44, 48, 52].map((bits) => {
      const { startLevel, rootPages } = stage2Geometry(granule, bits);
      return `${granule} ${bits}: level ${startLevel}, ${rootPages}`;
    }),
  );
  // Concatenation lets level n resolve 4 bits more: with 4K level 2 up to 34 bits, level 1 up to 43,
  // level 0 up to 52; with 16K level 2 up to 40, level 1 up to 51; with 64K level 2 up to 46.
  expect(rows).toEqual([
    '4k 32: level 2, 4',
    '4k 36: level 1, 1',
    '4k 40: level 1, 2',
    '4k 42: level 1, 8',
    '4k 44: level 0, 1',
    '4k 48: level 0, 1',
    '4k 52: level 0, 16',
    '16k 32: level 2, 1',
    '16k 36: level 2, 1',
    '16k 40: level 2, 16',
    '16k 42: level 1, 1',
    '16k 44: level 1, 1',
    '16k 48: level 1, 2',
    '16k 52: level 0, 1',
    '64k 32: level 2, 1',
    '64k 36: level 2, 1',
    '64k 40: level 2, 1',
    '64k 42: level 2, 1',
    '64k 44: level 2, 4',
    '64k 48: level 1, 1',
    '64k 52: level 1, 1',
  ]);
});

test('Linux keeps two levels at stage 2, although one would do for a small 64K guest', () => {
  expect(stage2StartLevels('64k', 32)).toEqual([3, 2]);
  expect(stage2Geometry('64k', 32).startLevel).toBe(2);
  expect(stage2Geometry('64k', 32, 3).rootPages).toBe(8);
});

test('a stage-2 walk may also start shallower, but never with more than 16 root pages', () => {
  expect(stage2StartLevels('4k', 40)).toEqual([1, 0]);
  expect(stage2StartLevels('4k', 52)).toEqual([0, -1]);
  expect(stage2StartLevels('4k', 39)).toEqual([1]);
  expect(stage2StartLevels('16k', 48)).toEqual([1, 0]);
  expect(stage2StartLevels('64k', 46)).toEqual([2, 1]);
  for (const granule of GRANULES) {
    for (let bits = 25; bits <= 52; bits += 1) {
      for (const level of stage2StartLevels(granule, bits)) {
        const { rootPages, rootEntries } = stage2Geometry(granule, bits, level);
        expect(rootPages).toBeLessThanOrEqual(16);
        expect(rootEntries).toBeGreaterThanOrEqual(2);
      }
    }
  }
  expect(stage2Geometry('4k', 40, 0)).toMatchObject({ rootPages: 1, rootEntries: 2 });
  expect(() => stage2Geometry('4k', 48, 1)).toThrow(RangeError);
  expect(() => stage2Geometry('4k', 12)).toThrow(RangeError);
  expect(() => stage1Geometry('4k', 12)).toThrow(RangeError);
  for (const granule of GRANULES) {
    expect(() => stage1Geometry(granule, 53)).toThrow(RangeError);
    expect(() => stage2Geometry(granule, 53)).toThrow(RangeError);
  }
});

test('a root is aligned to its size', () => {
  expect(stage2Geometry('4k', 40).rootAlignmentBits).toBe(13);
  expect(stage2Geometry('4k', 52).rootAlignmentBits).toBe(16);
  expect(stage2Geometry('16k', 40).rootAlignmentBits).toBe(18);
  // Roots smaller than 64 bytes are aligned to 64 bytes.
  expect(stage1Geometry('16k', 48).rootAlignmentBits).toBe(6);
});

/** Trees of both stages for every size that exists. */
const anyTree: fc.Arbitrary<Geometry> = fc
  .tuple(fc.constantFrom(...GRANULES), fc.integer({ min: 31, max: 52 }), fc.boolean())
  .map(([granule, bits, two]) =>
    two ? stage2Geometry(granule, bits) : stage1Geometry(granule, bits),
  );

test('the indices of a walk are the digits of the address, read from its binary text', () => {
  fc.assert(
    fc.property(anyTree, fc.bigInt(0n, 2n ** 64n - 1n), (tree, address) => {
      const text = address
        .toString(2)
        .padStart(64, '0')
        .slice(64 - tree.inputBits);
      const page = { '4k': 12, '16k': 14, '64k': 16 }[tree.granule];
      let digits = text.slice(0, -page);
      for (let level: number = 3; level >= tree.startLevel; level -= 1) {
        const width = level === tree.startLevel ? digits.length : page - 3;
        const digit = digits.slice(digits.length - width);
        digits = digits.slice(0, digits.length - width);
        const index = indexAt(tree, address, level as Level);
        expect(index).toBe(Number.parseInt(digit, 2));
        expect(descriptorAddress(tree, pa(0x10_0000n), address, level as Level)).toBe(
          0x10_0000n + BigInt(index) * 8n,
        );
      }
      expect(digits).toBe('');
      expect(indexAt(tree, address, tree.startLevel)).toBeLessThan(tree.rootEntries);
    }),
  );
});

test('the second root page of a 40-bit guest starts at 512 GiB', () => {
  const tree = stage2Geometry('4k', 40);
  expect(indexAt(tree, 512n * GIB, 1)).toBe(512);
  expect(descriptorAddress(tree, pa(0x2000n), 512n * GIB, 1)).toBe(0x3000n);
  expect(levelShift('4k', 1)).toBe(30);
});
