import { describe, expect, it } from 'vitest';
import { readLitmus } from '../../src/explore/litmus-case.ts';
import { runLitmus } from '../../src/explore/litmus-run.ts';
import { ownExpectations, ownFolder } from './own-tests.ts';

const limits = { states: 100_000 };

describe("the project's own litmus tests", () => {
  const rows = ownExpectations();

  it('come to the same outcomes without the reduction', () => {
    const lost: string[] = [];
    for (const row of rows) {
      const read = readLitmus(row.key, ownFolder.read(row.key) ?? '', { variants: [] });
      if (read.kind === 'problem') throw new Error(read.problem.message);
      const reduced = runLitmus(read.test, limits, true);
      const plain = runLitmus(read.test, limits, false);
      if (plain.limited) lost.push(`${row.key}: limit`);
      if (plain.outcomes.join('\n') !== reduced.outcomes.join('\n')) lost.push(row.key);
      if (plain.needsBbm !== reduced.needsBbm) lost.push(`${row.key}: break-before-make`);
    }
    expect(lost).toEqual([]);
  });
});
