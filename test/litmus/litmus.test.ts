import { describe, expect, it } from 'vitest';
import { readLitmus, type LitmusReading } from '../../src/explore/litmus-case.ts';
import type { LitmusExpectation } from '../../src/explore/litmus-expected.ts';
import { runLitmusNaive } from '../../src/explore/litmus-naive.ts';
import { runLitmus } from '../../src/explore/litmus-run.ts';
import { ownExpectations, ownFolder } from './own-tests.ts';

const scale = process.env['TLBGATE_PROVE'] === undefined ? 1 : 20;
const limits = { states: 100_000 };

function readingOf(row: LitmusExpectation): LitmusReading {
  return row.kind === 'outcomes' ? row : { variants: [] };
}

describe("the project's own litmus tests", () => {
  const rows = ownExpectations();

  it('come to the same outcomes without the reduction', () => {
    const lost: string[] = [];
    for (const row of rows) {
      const read = readLitmus(row.key, ownFolder.read(row.key) ?? '', readingOf(row));
      if (read.kind === 'problem') throw new Error(read.problem.message);
      const reduced = runLitmus(read.test, limits, true);
      const plain = runLitmus(read.test, limits, false);
      if (plain.limited) lost.push(`${row.key}: limit`);
      if (plain.outcomes.join('\n') !== reduced.outcomes.join('\n')) lost.push(row.key);
      if (plain.needsBbm !== reduced.needsBbm) lost.push(`${row.key}: break-before-make`);
    }
    expect(lost).toEqual([]);
  });

  it('come to the same outcomes on the naive machine, where it can run them', () => {
    const different: string[] = [];
    let compared = 0;
    for (const row of rows) {
      const read = readLitmus(row.key, ownFolder.read(row.key) ?? '', readingOf(row));
      if (read.kind === 'problem') throw new Error(read.problem.message);
      const { test } = read;
      // The naive machine does not model hardware updates.
      if (
        test.setup.threads.some(
          ({ context }) => (context.stage1?.hardwareUpdate ?? 'none') !== 'none',
        )
      ) {
        continue;
      }
      const naive = runLitmusNaive(test, { states: 150 * scale });
      if (!naive.complete) continue;
      compared += 1;
      const { outcomes } = runLitmus(test, limits);
      if (outcomes.join('\n') !== naive.outcomes.join('\n')) different.push(row.key);
    }
    expect(different).toEqual([]);
    expect(compared).toBeGreaterThan(50);
  });
});
