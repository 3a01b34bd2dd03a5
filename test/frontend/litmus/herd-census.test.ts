import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseHerd } from '../../../src/frontend/litmus/parse-litmus.ts';
import { describeProblem } from '../../../src/frontend/litmus/problem.ts';
import { runSequentially, seededRandom } from './sc-runner.ts';

const root = process.env['TLBGATE_LITMUS'] ?? join(process.cwd(), '..', 'shared', 'litmus');
const folder = join(root, 'herd-vmsa');

interface Expected {
  readonly name: string;
  readonly herd: { readonly options: string; readonly outcomes: readonly string[] };
}

/** Tests that are not supported, and how many there may be of each reason. */
const UNSUPPORTED: ReadonlyMap<string, number> = new Map([['variant', 1]]);

describe('the herd7 tests of the litmus folder', () => {
  const there = existsSync(folder);
  it.skipIf(!there)(
    'parse, lower, and show only outcomes of the reference when run sequentially' +
      (there ? '' : ' (skipped: there is no folder of litmus tests; set TLBGATE_LITMUS)'),
    () => {
      const expected = JSON.parse(
        readFileSync(join(root, 'herd-vmsa.expected.json'), 'utf8'),
      ) as Readonly<Record<string, Expected>>;
      const unsupported = new Map<string, number>();
      const wrong: string[] = [];
      for (const [key, { name, herd }] of Object.entries(expected)) {
        const text = readFileSync(join(folder, key), 'utf8');
        const variants = herd.options
          .replace('-variant', '')
          .split(',')
          .map((s) => s.trim());
        const parsed = parseHerd(key, text, { variants });
        if (parsed.kind === 'problem') {
          const { problem } = parsed;
          if (problem.kind === 'syntax') wrong.push(describeProblem(problem));
          const reason = /(instruction|variant)/.exec(problem.message)?.[1] ?? problem.message;
          unsupported.set(reason, (unsupported.get(reason) ?? 0) + 1);
          if (!UNSUPPORTED.has(reason)) wrong.push(describeProblem(problem));
          continue;
        }
        const { test } = parsed;
        if (test.name !== name) wrong.push(`${key}: name ${test.name}, expected ${name}`);
        const allowed = new Set(herd.outcomes);
        const random = seededRandom(7);
        for (let run = 0; run < 15; run += 1) {
          const final = runSequentially(test, random);
          if (final === null) continue;
          const outcome = test.observe(final);
          if (outcome !== null && !allowed.has(outcome)) {
            wrong.push(`${key}: \`${outcome}\` is not one of \`${herd.outcomes.join('` `')}\``);
            break;
          }
        }
      }
      expect(wrong).toEqual([]);
      expect(unsupported).toEqual(UNSUPPORTED);
    },
  );
});
