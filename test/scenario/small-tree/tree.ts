import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ReadFile } from '../../../src/frontend/kernel-c/read-file.ts';

const FOLDER = 'examples/kernel';

/**
 * A tree in kernel style, written by us and shipped as an example: a stage-2 unmap of three levels with
 * the names that the v5.8 profile asks for, an ops table, an alternative, hyp calls, and a flush in the
 * right place.
 */
export const SMALL_TREE: Readonly<Record<string, string>> = Object.fromEntries(
  readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(FOLDER, path)).isFile())
    .sort()
    .map((path) => [path, readFileSync(join(FOLDER, path), 'utf8')]),
);

export const readSmallTree: ReadFile = (path) => SMALL_TREE[path] ?? null;

/** The same tree with one text replaced by another in a file; both must differ. */
export function changed(path: string, from: string, to: string): ReadonlyMap<string, string> {
  const before = SMALL_TREE[path] ?? '';
  if (!before.includes(from)) throw new Error(`${path} does not hold ${from}`);
  return new Map([[path, before.replace(from, to)]]);
}
