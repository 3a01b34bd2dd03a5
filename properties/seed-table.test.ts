import { describe, expect, it } from 'vitest';
import { SEED_TABLE, type SeedRow } from '../src/explore/seed-table.ts';
import { VARIANT_TABLE } from '../src/explore/variant-table.ts';

/** Every check of every row gives the verdict that the row states. */
function describeTable(name: string, rows: readonly SeedRow[], count: number): void {
  describe(name, () => {
    it(`has ${count} rows`, () => {
      expect(rows.map(({ no }) => no)).toEqual(Array.from({ length: count }, (_, i) => i + 1));
    });
    it.each(rows)('row $no: $question: $expected', ({ checks }) => {
      for (const { what, expected, obtained } of checks()) {
        expect(`${what}: ${obtained}`).toBe(`${what}: ${expected}`);
      }
    });
  });
}

describeTable('the verdict table of the seed (1.5)', SEED_TABLE, 22);
describeTable('the variants around the seed (1.8)', VARIANT_TABLE, 19);
