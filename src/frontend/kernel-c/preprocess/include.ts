import type { LexedFile } from './lex.ts';
import { openSource } from './sources.ts';
import type { State } from './state.ts';

export interface Resolved {
  readonly file: LexedFile;
  /** Position in the search path where it was found; -1 beside the including file. */
  readonly index: number;
}

/**
 * Finds an include file: a quoted one beside the includer first, then along the search path. In a tree
 * that was not prepared by `make`, a missing `asm/x.h` means `asm-generic/x.h`, as kbuild's wrappers
 * would say.
 */
export function resolveInclude(
  state: State,
  name: string,
  quoted: boolean,
  includer: string,
  after: number,
): Resolved | null {
  const directory = quoted ? includer.slice(0, includer.lastIndexOf('/') + 1) : '';
  const key = `${quoted ? directory : '<'}\0${after}\0${name}`;
  const known = state.resolved.get(key);
  if (known !== undefined) return known;
  const found = search(state, name, quoted ? directory : null, after);
  state.resolved.set(key, found);
  return found;
}

function search(
  state: State,
  name: string,
  directory: string | null,
  after: number,
): Resolved | null {
  if (directory !== null && after < 0) {
    const file = openSource(state.sources, normalise(directory + name));
    if (file !== null) return { file, index: -1 };
  }
  const along = alongPath(state, name, after);
  if (along !== null) return along;
  const generic = /^(uapi\/)?asm\/(.+)$/.exec(name);
  if (generic === null) return null;
  return alongPath(state, `${generic[1] ?? ''}asm-generic/${generic[2] ?? ''}`, -1);
}

function alongPath(state: State, name: string, after: number): Resolved | null {
  for (let index = after + 1; index < state.search.length; index++) {
    const path = normalise(`${state.search[index] ?? ''}/${name}`);
    const file = openSource(state.sources, path);
    if (file !== null) return { file, index };
  }
  return null;
}

/** Removes `.` and `..` so that one file has one path. */
function normalise(path: string): string {
  if (!path.includes('./')) return path;
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '.' || part === '') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else parts.push(part);
  }
  return parts.join('/');
}
