import fc from 'fast-check';
import { expect, test } from 'vitest';
import { asid, ipa, va, type Asid } from '../../src/arm64/address.ts';
import { GRANULES } from '../../src/arm64/granule.ts';
import { LEVELS } from '../../src/arm64/geometry.ts';
import {
  decodeIpaOperand,
  decodeTtl,
  decodeVaOperand,
  encodeIpaOperand,
  encodeVaOperand,
  granuleCode,
  granuleOfCode,
  isLevelHint,
  operandPage,
  type LevelHint,
} from '../../src/arm64/tlbi-operand.ts';
import { machine } from './helpers.ts';

const ttlOn = machine({ ttl: true, lpa2: true });

const anyHint: fc.Arbitrary<LevelHint | null> = fc.option(
  fc
    .record({ granule: fc.constantFrom(...GRANULES), level: fc.constantFrom(...LEVELS) })
    .filter((hint) => isLevelHint(hint, ttlOn)),
);

test('VA operands: every field survives', () => {
  const pages = fc.bigInt(0n, 2n ** 44n - 1n);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffff }), anyHint, pages, (id, hint, page) => {
      const fields = { asid: asid(id), hint, address: va(page << 12n) };
      expect(decodeVaOperand(encodeVaOperand(fields, ttlOn), ttlOn)).toEqual(fields);
    }),
  );
});

test('IPA operands: every field survives', () => {
  const pages = fc.bigInt(0n, 2n ** 40n - 1n);
  fc.assert(
    fc.property(fc.boolean(), anyHint, pages, (ns, hint, page) => {
      const fields = { ns, hint, address: ipa(page << 12n) };
      expect(decodeIpaOperand(encodeIpaOperand(fields, ttlOn), ttlOn)).toEqual(fields);
    }),
  );
});

test('fields by hand: ASID 63:48, TTL 47:44, address from bit 0 in units of 4K', () => {
  const operand = encodeVaOperand(
    { asid: 0x1234 as Asid, hint: { granule: '4k', level: 3 }, address: va(0xabc_d000n) },
    ttlOn,
  );
  expect(operand).toBe(0x1234_7000_0000_abcdn);
  const guest = encodeIpaOperand(
    { ns: true, hint: { granule: '64k', level: 2 }, address: ipa(0xf_0000_0001_0000n) },
    ttlOn,
  );
  expect(guest).toBe(0x8000_e0f0_0000_0010n);
});

test('bits 43:40 of an IPA operand are not part of the address: at most 52 bits are covered', () => {
  expect(decodeIpaOperand((0xfn << 40n) | 5n, ttlOn).address).toBe(0x5000n);
});

test('a virtual address of the high half loses its top byte only', () => {
  const operand = encodeVaOperand(
    { asid: 0, hint: null, address: va(0xffff_8000_0000_1000n) },
    ttlOn,
  );
  expect(decodeVaOperand(operand, ttlOn).address).toBe(0xff_8000_0000_1000n);
});

test('all TTL values, as the instruction pages list them', () => {
  const row = (lpa2: boolean): readonly string[] =>
    Array.from({ length: 16 }, (_, ttl) => {
      const hint = decodeTtl(ttl, machine({ ttl: true, lpa2 }));
      return hint === null ? 'any' : `${hint.granule}:${hint.level}`;
    });
  expect(row(false).join(' ')).toBe(
    ['any any any any', 'any 4k:1 4k:2 4k:3', 'any any 16k:2 16k:3', 'any 64k:1 64k:2 64k:3'].join(
      ' ',
    ),
  );
  expect(row(true).join(' ')).toBe(
    [
      'any any any any',
      '4k:0 4k:1 4k:2 4k:3',
      'any 16k:1 16k:2 16k:3',
      'any 64k:1 64k:2 64k:3',
    ].join(' '),
  );
});

test('without FEAT_TTL the field says nothing, and writing a hint is refused', () => {
  for (let ttl = 0; ttl < 16; ttl += 1) expect(decodeTtl(ttl, machine({}))).toBeNull();
  const hint: LevelHint = { granule: '4k', level: 3 };
  expect(() => encodeVaOperand({ asid: 0, hint, address: va(0n) }, machine({}))).toThrow('level 3');
  const table: LevelHint = { granule: '16k', level: 0 };
  expect(() => encodeVaOperand({ asid: 0, hint: table, address: va(0n) }, ttlOn)).toThrow(
    RangeError,
  );
});

test('granule encodings of TLBI operands: 1, 2, 3 and reserved 0', () => {
  expect(GRANULES.map(granuleCode)).toEqual([1, 2, 3]);
  expect([0, 1, 2, 3].map(granuleOfCode)).toEqual([null, '4k', '16k', '64k']);
});

test('address bits below the page in use have no effect', () => {
  expect(GRANULES.map((granule) => operandPage(0x1_f000n, granule))).toEqual([
    0x1_f000n,
    0x1_c000n,
    0x1_0000n,
  ]);
});
