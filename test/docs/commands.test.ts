import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';

/** One `$ npx tlbgate ...` of a page with what the comment below it says comes out. */
interface Documented {
  readonly page: string;
  readonly args: readonly string[];
  readonly exit: number;
  readonly contains: string;
}

/** Pages with an idea of a user's own. */
const IDEAS = ['README.md', 'docs/writing-a-candidate.md'];
const PAGES = [...IDEAS, 'docs/patch.md', 'docs/fuzzing.md'];
const MAIN = resolve('dist/cli/main.js');
const built = existsSync(MAIN);
const runs = mkdtempSync(join(tmpdir(), 'tlbgate-docs-'));
afterAll(() => {
  rmSync(runs, { recursive: true });
});

function documented(page: string): readonly Documented[] {
  const text = readFileSync(page, 'utf8');
  const found: Documented[] = [];
  const pattern = /^\$ npx tlbgate (.*)\n# exit (\d): (.*)$/gm;
  for (const [, command = '', exit = '', contains = ''] of text.matchAll(pattern)) {
    found.push({ page, args: command.split(' '), exit: Number(exit), contains });
  }
  return found;
}

/** What a shell would make of the words: the folders are fresh ones, and `*` is expanded. */
function expand(word: string): string {
  if (word === 'runs') return runs;
  if (word === 'united') return join(runs, 'united');
  if (!word.startsWith('runs/*')) return word;
  const [file = ''] = readdirSync(runs);
  return join(runs, file);
}

function tlbgate(args: readonly string[]): { readonly status: number | null; readonly stdout: string } {
  return spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
}

describe.skipIf(!built)('commands in the docs', () => {
  test('every command has its outcome below it', () => {
    for (const page of PAGES) {
      const commands = readFileSync(page, 'utf8').match(/^\$ npx tlbgate /gm) ?? [];
      expect(documented(page)).toHaveLength(commands.length);
    }
  });

  test.each(PAGES.flatMap(documented))('$page: tlbgate $args', ({ args, exit, contains }) => {
    const { status, stdout } = tlbgate(args.map(expand));
    expect(status).toBe(exit);
    expect(stdout).toContain(contains);
  });

  test.each(IDEAS)('the idea in %s runs, and is refuted without FWB', (page) => {
    const [, code = ''] = /```js\n([^]*?)```/.exec(readFileSync(page, 'utf8')) ?? [];
    // Inside of the repository, where the library is found by its name.
    const file = resolve(`test/docs/.idea-${IDEAS.indexOf(page)}.mjs`);
    writeFileSync(file, code);
    try {
      const { status, stdout } = tlbgate(['verify', file, '--feature', 'fwb=off']);
      expect(status).toBe(1);
      expect(stdout).toContain('XX contents-after-return');
    } finally {
      rmSync(file);
    }
  });
});
