import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Pa } from '../../src/arm64/address.ts';
import { ALL_BITS, type DescriptorBits } from '../../src/arm64/descriptor.ts';
import type { Level } from '../../src/arm64/geometry.ts';
import {
  decodeStage2,
  encodeStage2,
  type Stage2Descriptor,
  type Stage2Leaf,
} from '../../src/arm64/stage2-descriptor.ts';
import { anyGranule, anyLevel, layoutFeatures, machine } from './helpers.ts';

const BARE_PAGE: Stage2Leaf = {
  kind: 'page',
  output: 0n as Pa,
  memAttr: 0,
  read: false,
  write: false,
  sh: 0,
  af: false,
  fnxs: false,
  nt: false,
  dbm: false,
  contiguous: false,
  xn: 0,
  software: 0,
  rest: 0n,
};

function leaf(bits: DescriptorBits, level: Level = 3): Stage2Leaf {
  const decoded = decodeStage2(bits, level, '4k', machine({}));
  if (decoded.kind !== 'page' && decoded.kind !== 'block') throw new Error(decoded.kind);
  return decoded;
}

test('every 64-bit value survives decoding and encoding at every level, granule and layout', () => {
  fc.assert(
    fc.property(
      fc.bigInt(0n, ALL_BITS),
      anyLevel,
      anyGranule,
      layoutFeatures,
      (bits, level, granule, features) => {
        const decoded = decodeStage2(bits, level, granule, features);
        expect(encodeStage2(decoded, level, granule, features)).toBe(bits);
      },
    ),
    { numRuns: 3000 },
  );
});

test('a KVM page of RAM has the bits that the manual gives it', () => {
  // MemAttr 0xF (5:2), S2AP read and write (7:6), SH inner (9:8), AF (10), page (1:0).
  const page = { ...BARE_PAGE, output: 0x8_0000_1000n as Pa, memAttr: 0xf, sh: 3 };
  const bits = encodeStage2({ ...page, read: true, write: true, af: true }, 3, '4k', machine({}));
  expect(bits).toBe(0x8_0000_1000n | 0b111_1111_1111n);
});

test('each field sits at its bit', () => {
  const cases: readonly (readonly [bigint, Partial<Stage2Leaf>])[] = [
    [1n << 2n, { memAttr: 1 }],
    [1n << 5n, { memAttr: 8 }],
    [1n << 6n, { read: true }],
    [1n << 7n, { write: true }],
    [1n << 8n, { sh: 1 }],
    [1n << 9n, { sh: 2 }],
    [1n << 10n, { af: true }],
    [1n << 12n, { output: 0x1000n as Pa }],
    [1n << 47n, { output: (1n << 47n) as Pa }],
    [1n << 51n, { dbm: true }],
    [1n << 52n, { contiguous: true }],
    [1n << 53n, { xn: 1 }],
    [1n << 54n, { xn: 2 }],
    [1n << 55n, { software: 1 }],
    [1n << 58n, { software: 8 }],
    [1n << 63n, { rest: 1n << 63n }],
  ];
  for (const [bit, fields] of cases) {
    expect(leaf(0b11n | bit)).toEqual({ ...BARE_PAGE, ...fields });
  }
});

test('nT and FnXS exist only with their features', () => {
  const block = (1n << 16n) | (1n << 11n) | 0b01n;
  const off = decodeStage2(block, 2, '4k', machine({}));
  expect(off).toMatchObject({ kind: 'block', nt: false, fnxs: false, rest: block & ~1n });
  const on = decodeStage2(block, 2, '4k', machine({ bbm: 1, xs: true }));
  expect(on).toMatchObject({ kind: 'block', nt: true, fnxs: true, rest: 0n });
  // Bit 16 of a page is part of its address.
  const page = decodeStage2((1n << 16n) | 0b11n, 3, '4k', machine({ bbm: 1 }));
  expect(page).toMatchObject({ kind: 'page', nt: false, output: 0x1_0000n });
});

test('52-bit addresses: 64K with LPA in bits 15:12, 4K and 16K with LPA2 in bits 9:8', () => {
  const lpa = machine({ granule: '64k', lpa: true });
  const page64k = { ...BARE_PAGE, output: 0xf_0000_0001_0000n as Pa };
  expect(encodeStage2(page64k, 3, '64k', lpa)).toBe(0x1_f003n);

  const lpa2 = machine({ lpa2: true });
  const page4k = { ...BARE_PAGE, output: 0xf_0000_0000_1000n as Pa, sh: null };
  expect(encodeStage2(page4k, 3, '4k', lpa2)).toBe(0x3_0000_0000_1303n);
  expect(encodeStage2({ ...page4k, output: 0xc_0000_0000_4000n as Pa }, 3, '16k', lpa2)).toBe(
    0x4303n,
  );

  const table: Stage2Descriptor = { kind: 'table', next: 0xc_0000_0000_1000n as Pa, rest: 0n };
  expect(encodeStage2(table, 0, '4k', lpa2)).toBe(0x1303n);
  expect(() => encodeStage2(table, 0, '4k', machine({}))).toThrow(RangeError);
});

test('an invalid descriptor keeps what software left in it', () => {
  const payload = 0x0040_1234_5678_9006n;
  const decoded = decodeStage2(payload, 3, '4k', machine({}));
  expect(decoded).toEqual({ kind: 'invalid', payload });
  expect(encodeStage2(decoded, 3, '4k', machine({}))).toBe(payload);
});

test('bits 1:0 = 0b01 are a block only where the granule has blocks', () => {
  const kinds = (granule: '4k' | '16k' | '64k', wide: boolean): string =>
    ([0, 1, 2, 3] as const)
      .map((level) => decodeStage2(1n, level, granule, machine({ lpa: wide, lpa2: wide })).kind)
      .join(' ');
  expect(kinds('4k', false)).toBe('reserved block block reserved');
  expect(kinds('4k', true)).toBe('block block block reserved');
  expect(kinds('16k', false)).toBe('reserved reserved block reserved');
  expect(kinds('16k', true)).toBe('reserved block block reserved');
  expect(kinds('64k', false)).toBe('reserved reserved block reserved');
  expect(kinds('64k', true)).toBe('reserved block block reserved');
});

test('what no machine can hold is refused', () => {
  const features = machine({});
  const bad: readonly (readonly [Stage2Descriptor, Level])[] = [
    [{ ...BARE_PAGE, kind: 'block' }, 3],
    [{ ...BARE_PAGE, kind: 'block' }, 0],
    [BARE_PAGE, 2],
    [{ kind: 'table', next: 0n as Pa, rest: 0n }, 3],
    [{ ...BARE_PAGE, output: 0x800n as Pa }, 3],
    [{ ...BARE_PAGE, kind: 'block', output: 0x1000n as Pa }, 2],
    [{ ...BARE_PAGE, output: (1n << 48n) as Pa }, 3],
    [{ ...BARE_PAGE, memAttr: 16 }, 3],
    [{ ...BARE_PAGE, xn: 4 }, 3],
    [{ ...BARE_PAGE, nt: true }, 3],
    [{ ...BARE_PAGE, fnxs: true }, 3],
  ];
  for (const [descriptor, level] of bad) {
    expect(() => encodeStage2(descriptor, level, '4k', features)).toThrow(RangeError);
  }
});
