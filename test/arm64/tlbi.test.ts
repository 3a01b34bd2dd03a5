import { expect, test } from 'vitest';
import {
  missingFeature,
  parseTlbiName,
  takesOperand,
  tlbi,
  TLBI_BASES,
  TLBI_OPS,
} from '../../src/arm64/tlbi.ts';
import { machine } from './helpers.ts';

test('every operation is found by its name, in any case, and prints the same name', () => {
  expect(TLBI_OPS).toHaveLength(TLBI_BASES.length * 6);
  expect(new Set(TLBI_OPS.map((op) => op.name)).size).toBe(TLBI_OPS.length);
  for (const op of TLBI_OPS) {
    expect(parseTlbiName(op.name)).toEqual({ kind: 'tlbi', op });
    expect(parseTlbiName(op.name.toLowerCase())).toEqual({ kind: 'tlbi', op });
  }
});

test('the suffix says how far it reaches and what it waits for', () => {
  expect(tlbi('VAE1')).toMatchObject({ scope: 'local', nxs: false });
  expect(tlbi('vae1is')).toMatchObject({ scope: 'inner', nxs: false });
  expect(tlbi('VAE1ISnXS')).toMatchObject({ scope: 'inner', nxs: true });
  expect(tlbi('RIPAS2LE1OSNXS')).toMatchObject({ scope: 'outer', nxs: true, range: true });
});

test('fields of every base, by hand from the instruction descriptions', () => {
  const rows = TLBI_BASES.map((op) =>
    [
      op.base,
      op.regime,
      op.by,
      op.lastLevelOnly ? 'last' : 'any',
      op.range ? 'range' : 'one',
      op.drops.join('+'),
    ].join(' '),
  );
  expect(rows).toEqual([
    'VMALLS12E1 el1&0 vmid any one s1+s2+s1s2',
    'VMALLE1 el1&0 vmid any one s1+s1s2',
    'IPAS2E1 el1&0 ipa any one s2',
    'IPAS2LE1 el1&0 ipa last one s2',
    'RIPAS2E1 el1&0 ipa any range s2',
    'RIPAS2LE1 el1&0 ipa last range s2',
    'VAE1 el1&0 va any one s1+s1s2',
    'VALE1 el1&0 va last one s1+s1s2',
    'VAAE1 el1&0 va-any-asid any one s1+s1s2',
    'VAALE1 el1&0 va-any-asid last one s1+s1s2',
    'RVAE1 el1&0 va any range s1+s1s2',
    'RVALE1 el1&0 va last range s1+s1s2',
    'RVAAE1 el1&0 va-any-asid any range s1+s1s2',
    'RVAALE1 el1&0 va-any-asid last range s1+s1s2',
    'ASIDE1 el1&0 asid any one s1+s1s2',
    'ALLE1 el1&0 all any one s1+s2+s1s2',
    'ALLE2 el2 all any one s1+s1s2',
    'VAE2 el2 va any one s1+s1s2',
    'VALE2 el2 va last one s1+s1s2',
    'RVAE2 el2 va any range s1+s1s2',
    'RVALE2 el2 va last range s1+s1s2',
  ]);
});

test('an unknown name is an error that says what is known', () => {
  for (const name of ['', 'VAE3', 'VMALLE1XX', 'IPAS2E1NXSIS', 'TLBI VAE1']) {
    expect(parseTlbiName(name)).toMatchObject({ kind: 'error', code: 'tlbi-unknown' });
  }
  expect(() => tlbi('VAE3')).toThrow('VAE3');
});

test('only the forms for everything or a VMID take no operand', () => {
  expect(TLBI_BASES.filter((op) => !takesOperand(op)).map((op) => op.base)).toEqual([
    'VMALLS12E1',
    'VMALLE1',
    'ALLE1',
    'ALLE2',
  ]);
});

test('a form whose feature is missing is named', () => {
  const none = machine({});
  const every = machine({ tlbiRange: true, tlbiOs: true, xs: true });
  expect(missingFeature(tlbi('RVAE1IS'), none)).toBe('tlbi-range');
  expect(missingFeature(tlbi('VAE1OS'), none)).toBe('tlbi-os');
  expect(missingFeature(tlbi('VAE1ISNXS'), none)).toBe('xs');
  expect(missingFeature(tlbi('VAE1IS'), none)).toBeNull();
  expect(TLBI_OPS.every((op) => missingFeature(op, every) === null)).toBe(true);
});
