import { describe, expect, test } from 'vitest';
import { SEED_TABLE } from '../../src/explore/seed-table.ts';

describe('the verdict table of the seed', () => {
  test('has 22 rows', () => {
    expect(SEED_TABLE.map(({ no }) => no)).toEqual(Array.from({ length: 22 }, (_, i) => i + 1));
  });

  test.each(SEED_TABLE.map((row) => [row.no, row.question, row] as const))(
    'row %i: %s',
    (_no, _question, row) => {
      for (const { what, expected, obtained } of row.checks()) {
        expect(`${what}: ${obtained}`).toBe(`${what}: ${expected}`);
      }
    },
  );
});
