import { SMALL_TREE } from '../scenario/small-tree/tree.ts';

/** Files of a tree by path. */
export type Files = Readonly<Record<string, string>>;

/** The small tree with one text replaced by another in a file. */
export function edited(tree: Files, path: string, from: string, to: string): Files {
  const before = tree[path] ?? '';
  if (!before.includes(from)) throw new Error(`${path} does not hold ${from}`);
  return { ...tree, [path]: before.replace(from, () => to) };
}

/** A patch that makes one tree of another: one hunk per file, three lines of context. */
export function patchOf(before: Files, after: Files): string {
  const paths = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return paths.flatMap((path) => hunk(path, linesOf(before[path]), linesOf(after[path]))).join('');
}

function linesOf(text = ''): readonly string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

function hunk(path: string, old: readonly string[], now: readonly string[]): readonly string[] {
  if (old.join('\n') === now.join('\n')) return [];
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head += 1;
  let tail = 0;
  const most = Math.min(old.length, now.length) - head;
  while (tail < most && old[old.length - 1 - tail] === now[now.length - 1 - tail]) tail += 1;
  const from = Math.max(0, head - 3);
  const removed = old.slice(head, old.length - tail);
  const added = now.slice(head, now.length - tail);
  const context = (lines: readonly string[]): readonly string[] =>
    lines.map((line) => ` ${line}\n`);
  const body = [
    ...context(old.slice(from, head)),
    ...removed.map((line) => `-${line}\n`),
    ...added.map((line) => `+${line}\n`),
    ...context(old.slice(old.length - tail, old.length - tail + 3)),
  ];
  const count = (sign: string): number => body.filter((line) => !line.startsWith(sign)).length;
  return [
    `--- ${old.length === 0 ? '/dev/null' : `a/${path}`}\n`,
    `+++ b/${path}\n`,
    `@@ -${old.length === 0 ? 0 : from + 1},${count('+')} +${from + 1},${count('-')} @@\n`,
    ...body,
  ];
}

/** What the command line can read: a tree in the folder `tree`, and the patch in `p.patch`. */
export function inputs(tree: Files, patch: string): Files {
  return {
    'p.patch': patch,
    ...Object.fromEntries(Object.entries(tree).map(([path, text]) => [`tree/${path}`, text])),
  };
}

export { SMALL_TREE };
