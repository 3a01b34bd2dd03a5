import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  alignDown,
  alignUp,
  asid,
  ipa,
  ipaAsPa,
  isAligned,
  lowMask,
  pa,
  va,
  vmid,
} from '../../src/arm64/address.ts';

test('each kind of address takes exactly its range', () => {
  for (const [make, bits] of [
    [va, 64],
    [ipa, 52],
    [pa, 52],
  ] as const) {
    expect(make(0n)).toBe(0n);
    expect(make(lowMask(bits))).toBe(2n ** BigInt(bits) - 1n);
    expect(() => make(2n ** BigInt(bits))).toThrow(RangeError);
    expect(() => make(-1n)).toThrow(RangeError);
  }
  expect(ipaAsPa(ipa(0x1000n))).toBe(pa(0x1000n));
});

test('VMID and ASID are integers of 16 bits', () => {
  for (const make of [vmid, asid]) {
    expect(make(0)).toBe(0);
    expect(make(0xffff)).toBe(0xffff);
    for (const bad of [-1, 0x1_0000, 1.5, Number.NaN]) expect(() => make(bad)).toThrow(RangeError);
  }
});

test('rounding gives the nearest multiples on both sides', () => {
  fc.assert(
    fc.property(fc.bigInt(0n, lowMask(64)), fc.integer({ min: 0, max: 52 }), (address, bits) => {
      const unit = 2n ** BigInt(bits);
      const down = alignDown(address, bits);
      const up = alignUp(address, bits);
      expect(down % unit).toBe(0n);
      expect(up % unit).toBe(0n);
      expect(down <= address && address - down < unit).toBe(true);
      expect(up >= address && up - address < unit).toBe(true);
      expect(isAligned(address, bits)).toBe(address % unit === 0n);
    }),
  );
});
