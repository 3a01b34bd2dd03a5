import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { programOf, run } from './run.ts';

/**
 * The programs of this folder print what gcc's binaries print. That is kept beside each of them;
 * `programs/remake.sh` writes it again where there is a gcc for x86-64.
 */
const FOLDER = new URL('programs/', import.meta.url);
const PROGRAMS = readdirSync(FOLDER).filter((name) => name.endsWith('.c'));

test.each(PROGRAMS)(`%s prints what gcc's binary prints`, (name) => {
  const text = readFileSync(new URL(name, FOLDER), 'utf8');
  const kept = readFileSync(new URL(name.replace(/c$/, 'out'), FOLDER), 'utf8');
  const expected = kept.trim().split('\n');
  const printed: string[] = [];
  const { end } = run(programOf([text]), 'main', [], (event) => {
    if (event.kind === 'call' && event.name === 'out') {
      printed.push((event.arguments[0] ?? 0n).toString(16));
    }
    return { values: [0n] };
  });
  expect(end.kind === 'stopped' ? end.diagnostic : end.kind).toBe('finished');
  expect(printed).toEqual(expected);
  expect(expected.length).toBeGreaterThan(30);
});
