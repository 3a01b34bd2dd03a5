import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readExpectations, type LitmusExpectation } from '../../src/explore/litmus-expected.ts';
import type { LitmusFolder } from '../../src/explore/litmus-folder.ts';

const here = join(import.meta.dirname, '.');

/** The project's own litmus tests as a folder. */
export const ownFolder: LitmusFolder = {
  files: readdirSync(here).sort(),
  read: (file) => readFileSync(join(here, file), 'utf8'),
  now: () => 0,
};

/** What each of them must allow, by reasoning; see `why` in the file. */
export function ownExpectations(): readonly LitmusExpectation[] {
  const read = readExpectations(ownFolder.read('expected.json') ?? '');
  if ('problem' in read) throw new Error(read.problem);
  return read.rows;
}
