import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseIsla } from '../../../src/frontend/litmus/parse-litmus.ts';
import { describeProblem } from '../../../src/frontend/litmus/problem.ts';
import { runSequentially, seededRandom } from './sc-runner.ts';

const root = process.env['TLBGATE_LITMUS'] ?? join(process.cwd(), '..', 'shared', 'litmus');
const folder = join(root, 'system-vmsa');

interface Expected {
  readonly paper: string | null;
  readonly ets2022: string | null;
}

describe('the system tests of the litmus folder', () => {
  const there = existsSync(folder);
  it.skipIf(!there)(
    'parse, lower, and reach nothing forbidden when run sequentially' +
      (there ? '' : ' (skipped: there is no folder of litmus tests; set TLBGATE_LITMUS)'),
    () => {
      const expected = JSON.parse(
        readFileSync(join(root, 'system-vmsa.expected.json'), 'utf8'),
      ) as Readonly<Record<string, Expected>>;
      const wrong: string[] = [];
      const rejected: string[] = [];
      let ends = 0;
      for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
        if (!path.endsWith('.litmus.toml')) continue;
        const parsed = parseIsla(path, readFileSync(join(folder, path), 'utf8'));
        if (parsed.kind === 'problem') {
          rejected.push(describeProblem(parsed.problem));
          continue;
        }
        const { test } = parsed;
        const random = seededRandom(11);
        let ended = false;
        for (let run = 0; run < 20; run += 1) {
          const final = runSequentially(test, random);
          if (final === null) continue;
          ended = true;
          const verdict = expected[test.name];
          if (test.holds(final) && verdict?.paper === 'forbidden') {
            wrong.push(`${path}: reached, though the paper forbids it`);
            break;
          }
        }
        if (ended) ends += 1;
      }
      expect(wrong).toEqual([]);
      expect(rejected).toEqual([]);
      // Four tests only end by way of a stale translation.
      expect(ends).toBe(236);
    },
  );
});
