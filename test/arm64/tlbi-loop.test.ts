import fc from 'fast-check';
import { expect, test } from 'vitest';
import { asid } from '../../src/arm64/address.ts';
import { GRANULES, pageBytes, type Granule } from '../../src/arm64/granule.ts';
import { loopStep, loopThreshold, rangeFlush, vaddrOperand } from '../../src/arm64/tlbi-loop.ts';
import { decodeIpaOperand, decodeVaOperand, operandPage } from '../../src/arm64/tlbi-operand.ts';
import { machine } from './helpers.ts';

const ttl = machine({ ttl: true });
const MIB = 1024n * 1024n;

/** Pages that the operations of a flush name, as page addresses. */
function flushed(start: bigint, end: bigint, granule: Granule): readonly bigint[] {
  const flush = rangeFlush(start, end, granule);
  if (flush.kind === 'whole-vmid') throw new Error('whole VMID');
  return flush.operands.map((operand) =>
    operandPage(decodeIpaOperand(operand, ttl).address, granule),
  );
}

/** Pages that intersect [start, end), counted one by one. */
function touched(start: bigint, end: bigint, granule: Granule): readonly bigint[] {
  const size = pageBytes(granule);
  const pages: bigint[] = [];
  for (let page = (start / size) * size; page < end; page += size) pages.push(page);
  return pages;
}

test('row 8: the threshold is 512 pages for every granule, that is 2, 8 and 32 MiB', () => {
  expect(GRANULES.map((granule) => loopThreshold(granule) << 12n)).toEqual([
    2n * MIB,
    8n * MIB,
    32n * MIB,
  ]);
  for (const granule of GRANULES) {
    for (let pages = 0n; pages <= 1024n; pages += 1n) {
      const { kind } = rangeFlush(0n, pages * pageBytes(granule), granule);
      expect(kind).toBe(pages >= 512n ? 'whole-vmid' : 'each-page');
    }
  }
});

test('row 9: the step is one page, and every page of an aligned range gets exactly one operand', () => {
  expect(GRANULES.map(loopStep)).toEqual([1n, 4n, 16n]);
  for (const granule of GRANULES) {
    for (const first of [0n, 1n, 511n, 0x12345n]) {
      const start = first * pageBytes(granule);
      for (let pages = 0n; pages < 512n; pages += 1n) {
        const end = start + pages * pageBytes(granule);
        expect(flushed(start, end, granule)).toEqual(touched(start, end, granule));
      }
    }
  }
});

test('row 10: an operand is the IPA in bits 39:0, no NS, no level hint, enough for 52 bits', () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 40n - 1n), (page) => {
      const operand = vaddrOperand(page << 12n, 0);
      expect(operand).toBe(page);
      expect(decodeIpaOperand(operand, ttl)).toEqual({
        ns: false,
        hint: null,
        address: page << 12n,
      });
    }),
  );
});

test('the same macro as a VA operand: bits 55:12 of the address and the ASID', () => {
  const operand = vaddrOperand(0xffff_8000_1234_5000n, asid(0x42));
  expect(decodeVaOperand(operand, ttl)).toEqual({
    asid: 0x42,
    hint: null,
    address: 0xff_8000_1234_5000n,
  });
});

test('row 11: bounds that are not page aligned are not rounded', () => {
  // Half a page: no operation at all.
  expect(flushed(0x1000n, 0x1800n, '4k')).toEqual([]);
  expect(touched(0x1000n, 0x1800n, '4k')).toHaveLength(1);
  // A range that straddles two 64K pages: one operation, the second page is missed.
  expect(flushed(0x9000n, 0x1_1000n, '64k')).toEqual([0n]);
  expect(touched(0x9000n, 0x1_1000n, '64k')).toEqual([0n, 0x1_0000n]);
});

test('row 11, all of it: exactly which unaligned ranges of three pages miss one', () => {
  for (const granule of GRANULES) {
    const size = pageBytes(granule);
    const unit = size / 16n;
    for (let start = 0n; start < 3n * size; start += unit) {
      for (let end = start + unit; end <= 3n * size; end += unit) {
        const done = new Set(flushed(start, end, granule));
        const missed = touched(start, end, granule).filter((page) => !done.has(page));
        // Operands are cut to 4 KiB; the loop then takes ceil(length / page) steps from the start.
        const first = start >> 12n;
        const last = end >> 12n;
        const steps = (last - first + size / 4096n - 1n) / (size / 4096n);
        const needed = (end - 1n) / size - start / size + 1n;
        expect(BigInt(missed.length)).toBe(needed - steps);
        if (start % size === 0n && end % size === 0n) expect(missed).toEqual([]);
      }
    }
  }
});

test('row 12: the end of the largest IPA space does not wrap', () => {
  for (const granule of GRANULES) {
    const end = 2n ** 52n;
    expect(vaddrOperand(end, 0)).toBe(2n ** 40n);
    const start = end - 3n * pageBytes(granule);
    expect(flushed(start, end, granule)).toEqual(touched(start, end, granule));
  }
});

test('where it would wrap, at 2^56, the unsigned difference is large and everything is flushed', () => {
  expect(vaddrOperand(2n ** 56n, 0)).toBe(0n);
  expect(rangeFlush(2n ** 56n - 0x1000n, 2n ** 56n, '4k').kind).toBe('whole-vmid');
});
