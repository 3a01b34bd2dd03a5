import { describe, expect, test } from 'vitest';
import { DEFAULT_FEATURES } from '../../src/arm64/features.ts';
import { tlbi } from '../../src/arm64/tlbi.ts';
import { undefinedTlbi, undefinedWrite } from '../../src/machine/undefined.ts';

const RANGES = { ...DEFAULT_FEATURES, tlbiRange: true, tlbiOs: true };

describe('which TLBIs are UNDEFINED at EL1', () => {
  test.each(['IPAS2E1IS', 'IPAS2LE1', 'VMALLS12E1IS', 'ALLE1IS', 'ALLE2', 'VAE2IS', 'RIPAS2E1IS'])(
    '%s is, and at EL2 it is not',
    (name) => {
      expect(undefinedTlbi(tlbi(name), 1, RANGES)).toBe('at EL1 it is UNDEFINED');
      expect(undefinedTlbi(tlbi(name), 2, RANGES)).toBeNull();
    },
  );

  test.each(['VMALLE1IS', 'VAE1IS', 'VAAE1', 'ASIDE1IS', 'RVAE1IS'])(
    '%s is not; at EL0 every TLBI is',
    (name) => {
      expect(undefinedTlbi(tlbi(name), 1, RANGES)).toBeNull();
      expect(undefinedTlbi(tlbi(name), 0, RANGES)).toBe('at EL0 it is UNDEFINED');
    },
  );
});

test.each([
  ['RIPAS2E1IS', 'FEAT_TLBIRANGE'],
  ['VMALLE1OS', 'FEAT_TLBIOS'],
  ['VMALLE1ISNXS', 'FEAT_XS'],
])('%s is UNDEFINED at every level without %s', (name, feature) => {
  expect(undefinedTlbi(tlbi(name), 2, DEFAULT_FEATURES)).toBe(`this machine has no ${feature}`);
});

test('VTTBR_EL2 belongs to EL2, the registers of stage 1 to EL1 as well', () => {
  expect(undefinedWrite({ vmid: 1 }, 1)).toBe('at EL1 it is UNDEFINED');
  expect(undefinedWrite({ stage2: null }, 1)).toBe('at EL1 it is UNDEFINED');
  expect(undefinedWrite({ vmid: 1, stage2: null }, 2)).toBeNull();
  expect(undefinedWrite({ asid: 1 }, 1)).toBeNull();
  expect(undefinedWrite({ asid: 1 }, 0)).toBe('at EL0 it is UNDEFINED');
});
