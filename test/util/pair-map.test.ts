import { expect, test } from 'vitest';
import { pairMap } from '../../src/util/pair-map.ts';
import { randomFrom } from '../../src/util/random.ts';

test('a pair map says what a map of maps says, through all its growing', () => {
  const random = randomFrom(1);
  const map = pairMap();
  const plain = new Map<string, number>();
  for (let i = 0; i < 5000; i += 1) {
    const a = random.below(60);
    const b = random.below(60) << random.below(20);
    expect(map.get(a, b)).toBe(plain.get(`${a},${b}`) ?? -1);
    const value = random.below(100);
    map.set(a, b, value);
    plain.set(`${a},${b}`, value);
  }
  for (const [key, value] of plain) {
    const [a = 0, b = 0] = key.split(',').map(Number);
    expect(map.get(a, b)).toBe(value);
  }
});
