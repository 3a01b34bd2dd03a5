import { expect, test } from 'vitest';
import { bitsPerLevel, GRANULES, pageBytes, pageShift } from '../../src/arm64/granule.ts';

test('page size, its logarithm, and the input bits that one full table resolves', () => {
  expect(GRANULES.map((granule) => pageBytes(granule))).toEqual([0x1000n, 0x4000n, 0x10000n]);
  expect(GRANULES.map((granule) => pageShift(granule))).toEqual([12, 14, 16]);
  // 512, 2048 and 8192 descriptors of 8 bytes fill a page.
  expect(GRANULES.map((granule) => bitsPerLevel(granule))).toEqual([9, 11, 13]);
});
