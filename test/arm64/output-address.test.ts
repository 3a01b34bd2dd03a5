import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pageShift } from '../../src/arm64/granule.ts';
import {
  holdsShareability,
  outputAddressBits,
  outputAddressMask,
  readOutputAddress,
  writeOutputAddress,
} from '../../src/arm64/output-address.ts';
import { anyGranule, layoutFeatures, machine } from './helpers.ts';

test('an address that fits survives, and takes no bit outside its mask', () => {
  fc.assert(
    fc.property(anyGranule, layoutFeatures, fc.bigInt(0n, 2n ** 52n - 1n), (granule, f, raw) => {
      const shift = pageShift(granule);
      const bits = BigInt(outputAddressBits(granule, f));
      const address = ((raw % 2n ** bits) >> BigInt(shift)) << BigInt(shift);
      const written = writeOutputAddress(address, granule, shift, f);
      expect(readOutputAddress(written, granule, shift, f)).toBe(address);
      expect(written & ~outputAddressMask(granule, shift, f)).toBe(0n);
    }),
  );
});

test('masks by hand: plain, LPA, LPA2', () => {
  expect(outputAddressMask('4k', 12, machine({}))).toBe(0x0000_ffff_ffff_f000n);
  expect(outputAddressMask('4k', 21, machine({}))).toBe(0x0000_ffff_ffe0_0000n);
  expect(outputAddressMask('64k', 16, machine({}))).toBe(0x0000_ffff_ffff_0000n);
  expect(outputAddressMask('64k', 16, machine({ lpa: true }))).toBe(0x0000_ffff_ffff_f000n);
  expect(outputAddressMask('64k', 29, machine({ lpa: true }))).toBe(0x0000_ffff_e000_f000n);
  expect(outputAddressMask('4k', 12, machine({ lpa2: true }))).toBe(0x0003_ffff_ffff_f300n);
  expect(outputAddressMask('16k', 14, machine({ lpa2: true }))).toBe(0x0003_ffff_ffff_c300n);
});

test('LPA concerns 64K only and LPA2 the others only; SH gives way under LPA2', () => {
  const both = machine({ lpa: true, lpa2: true });
  expect(outputAddressBits('4k', machine({ lpa: true }))).toBe(48);
  expect(outputAddressBits('64k', machine({ lpa2: true }))).toBe(48);
  expect(holdsShareability('64k', both)).toBe(true);
  expect(holdsShareability('16k', both)).toBe(false);
  expect(holdsShareability('4k', machine({ lpa: true }))).toBe(true);
});

test('what does not fit is refused', () => {
  expect(() => writeOutputAddress(1n << 48n, '4k', 12, machine({}))).toThrow(RangeError);
  expect(() => writeOutputAddress(0x800n, '4k', 12, machine({}))).toThrow(RangeError);
  expect(() => writeOutputAddress(1n << 52n, '4k', 12, machine({ lpa2: true }))).toThrow(
    RangeError,
  );
});
