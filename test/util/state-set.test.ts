import { expect, test } from 'vitest';
import { randomFrom } from '../../src/util/random.ts';
import { stateSet } from '../../src/util/state-set.ts';

test('a state set numbers what is new, finds what it has, and gives it back, over several chunks', () => {
  const random = randomFrom(2);
  const width = 3;
  const set = stateSet(width);
  const numbers = new Map<string, number>();
  for (let i = 0; i < 40_000; i += 1) {
    const sequence = Int32Array.from({ length: width }, () => random.below(40) - 1);
    const key = sequence.join();
    const known = numbers.get(key);
    expect(set.find(sequence)).toBe(known ?? -1);
    expect(set.add(sequence, i)).toBe(known ?? numbers.size);
    if (known === undefined) {
      expect(set.parent(numbers.size)).toBe(i);
      numbers.set(key, numbers.size);
    }
  }
  expect(set.size()).toBe(numbers.size);
  expect(numbers.size).toBeGreaterThan(1 << 14);
  expect(set.bytes()).toBeGreaterThan(numbers.size * width * 4);
  const read = new Int32Array(width);
  for (const [key, id] of numbers) {
    set.read(id, read);
    expect(read.join()).toBe(key);
  }
});
