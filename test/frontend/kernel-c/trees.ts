import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ReadFile } from '../../../src/frontend/kernel-c/read-file.ts';

/** A kernel tree on this machine, named by an environment variable; no kernel text is committed. */
export interface Tree {
  readonly variable: string;
  readonly root: string | null;
  readonly read: ReadFile;
}

/** The tree of a release, as `6.13`, where TLBGATE_TREE_6_13 names it. */
export function treeOf(version: string): Tree {
  return treeFrom(`TLBGATE_TREE_${version.replace('.', '_')}`);
}

function treeFrom(variable: string): Tree {
  const root = process.env[variable] ?? null;
  return { variable, root, read: root === null ? () => null : readerOf(root) };
}

export function readerOf(root: string): ReadFile {
  return (path) => {
    const full = join(root, path);
    return existsSync(full) && statSync(full).isFile() ? readFileSync(full, 'utf8') : null;
  };
}

export const tree58 = treeFrom('TLBGATE_TREE_5_8');
export const tree510 = treeFrom('TLBGATE_TREE_5_10');
export const tree515 = treeFrom('TLBGATE_TREE_5_15');
export const tree61 = treeFrom('TLBGATE_TREE_6_1');
export const tree66 = treeFrom('TLBGATE_TREE_6_6');
export const tree612 = treeFrom('TLBGATE_TREE_6_12');
export const tree619 = treeFrom('TLBGATE_TREE_6_19');
export const tree71 = treeFrom('TLBGATE_TREE_7_1');

/** The name of a test that needs a tree, with the reason when it is skipped. */
export function needing(tree: Tree, name: string): string {
  return tree.root === null ? `${name} (skipped: ${tree.variable} names no kernel tree)` : name;
}
