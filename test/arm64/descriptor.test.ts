import { expect, test } from 'vitest';
import { descriptorType, field, isValid, place } from '../../src/arm64/descriptor.ts';
import { LEVELS } from '../../src/arm64/geometry.ts';
import { machine } from './helpers.ts';

test('bits 1:0 decide the type: 0bx0 invalid, 0b11 table or page, 0b01 block where there is one', () => {
  const types = (bits: bigint): string =>
    LEVELS.map((level) => descriptorType(bits, level, '4k', machine({}))).join(' ');
  expect(types(0b00n)).toBe('invalid invalid invalid invalid invalid');
  expect(types(0b10n)).toBe('invalid invalid invalid invalid invalid');
  expect(types(0b11n)).toBe('table table table table page');
  expect(types(0b01n)).toBe('reserved reserved block block reserved');
});

test('a reserved encoding faults like an invalid one', () => {
  expect(
    ['invalid', 'reserved', 'table', 'block', 'page'].map((kind) => isValid({ kind } as never)),
  ).toEqual([false, false, true, true, true]);
});

test('a value that does not fit a field is refused', () => {
  expect(field(0b10_1100n, 2, 4)).toBe(0b1011);
  expect(place(0b1011, 2, 4)).toBe(0b10_1100n);
  for (const bad of [16, -1, 0.5]) expect(() => place(bad, 2, 4)).toThrow('bits 5:2');
});
