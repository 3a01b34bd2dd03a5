import { describe, expect, it } from 'vitest';
import { isLitmusFile, readLitmus } from '../../src/explore/litmus-case.ts';
import { compareFolder } from '../../src/explore/litmus-folder.ts';
import { runLitmus } from '../../src/explore/litmus-run.ts';
import { ownExpectations, ownFolder } from './own-tests.ts';

const limits = { states: 100_000 };

describe("the project's own litmus tests", () => {
  const rows = ownExpectations();

  it('allow exactly what their reasoning allows', () => {
    const compared = compareFolder(rows, ownFolder, limits);
    if ('problem' in compared) throw new Error(compared.problem);
    const wrong = compared.filter(({ result }) => result !== 'equal');
    expect(
      wrong.map(({ key, result, missing, extra, note }) => [key, result, missing, extra, note]),
    ).toEqual([]);
    expect(compared.length).toBeGreaterThan(100);
  });

  it('all have an expectation', () => {
    expect(rows.map(({ key }) => key).sort()).toEqual(ownFolder.files.filter(isLitmusFile));
  });

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
