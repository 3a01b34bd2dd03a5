import type { ReadFile } from '../read-file.ts';
import { lexFile, lineAndColumn, type LexedFile } from './lex.ts';
import { createSymbols, type Symbols } from './symbols.ts';

/**
 * The files of one tree as they are asked for, each read and lexed once and shared by every
 * translation unit. A location is one integer: the offset in a file plus the base of that file.
 */
export interface Sources {
  readonly symbols: Symbols;
  readonly read: ReadFile;
  readonly byPath: Map<string, LexedFile | null>;
  readonly files: LexedFile[];
}

/** A place in a source file, counted from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export function createSources(read: ReadFile): Sources {
  return { symbols: createSymbols(), read, byPath: new Map(), files: [] };
}

/** The tokens of a file of the tree; `null` when the tree has no such file. */
export function openSource(sources: Sources, path: string): LexedFile | null {
  const known = sources.byPath.get(path);
  if (known !== undefined) return known;
  const text = sources.read(path);
  const file = text === null ? null : addSource(sources, path, text);
  sources.byPath.set(path, file);
  return file;
}

/** Lexes a text that is no file of the tree, such as the built-in definitions. */
export function addSource(sources: Sources, path: string, text: string): LexedFile {
  const last = sources.files.at(-1);
  const base = last === undefined ? 1 : last.base + last.size + 1;
  const file = lexFile(sources.symbols, path, text, base);
  sources.files.push(file);
  return file;
}

export function placeOf(sources: Sources, location: number): Place {
  let low = 0;
  let high = sources.files.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((sources.files[middle]?.base ?? 0) <= location) low = middle;
    else high = middle - 1;
  }
  const file = sources.files[low];
  if (file === undefined || location < file.base) return { file: '<none>', line: 0, column: 0 };
  return { file: file.path, ...lineAndColumn(file, location - file.base) };
}
