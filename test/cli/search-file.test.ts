import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readSearch, removeSearch, writeSearch } from '../../src/cli/search-file.ts';
import type { TaskSnapshot } from '../../src/explore/check-journal.ts';

const OF = { program: 'p', key: 'k' };
const SNAPSHOT: TaskSnapshot = {
  refuted: [{ rule: 'progress', message: 'waits\nfor ever' }],
  states: 12,
  read: ['fwb'],
  tables: [1, 2],
  ids: Int32Array.from([0, 2, 5, -6]),
  search: {
    place: { explored: 1, depth: 1, lastOfDepth: 2 },
    transitions: 4,
    together: true,
    states: {
      count: 3,
      parents: Int32Array.from([-1, 0, 0]),
      sequences: [Int32Array.from([1, 2, 3, 4]), Int32Array.from([5, -1])],
    },
  },
};

let folder = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tlbgate-search-'));
  path = join(folder, 'search.bin');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('what is written is read, and nothing else is left in the folder', () => {
  expect(readSearch(path, OF)).toBeNull();
  writeSearch(path, OF, { ...SNAPSHOT, states: 0 });
  writeSearch(path, OF, SNAPSHOT);
  const whole = [Int32Array.from([1, 2, 3, 4, 5, -1])];
  const { search } = SNAPSHOT;
  expect(readSearch(path, OF)).toEqual({
    ...SNAPSHOT,
    search: { ...search, states: { ...search.states, sequences: whole } },
  });
  expect(readdirSync(folder)).toEqual(['search.bin']);
  removeSearch(path);
  expect(readdirSync(folder)).toEqual([]);
});

test('a file of another program or another check is not taken', () => {
  writeSearch(path, OF, SNAPSHOT);
  expect(readSearch(path, { ...OF, program: 'q' })).toBe('damaged');
  expect(readSearch(path, { ...OF, key: 'q' })).toBe('damaged');
});

test('whatever byte is damaged, or cut off, is noticed', () => {
  writeSearch(path, OF, SNAPSHOT);
  const bytes = readFileSync(path);
  for (let i = 0; i < bytes.length; i += 1) {
    const spoilt = Buffer.from(bytes);
    spoilt[i] = (spoilt[i] as number) ^ 1;
    writeFileSync(path, spoilt);
    expect(readSearch(path, OF)).toBe('damaged');
    writeFileSync(path, bytes.subarray(0, i));
    expect(readSearch(path, OF)).toBe('damaged');
  }
});
