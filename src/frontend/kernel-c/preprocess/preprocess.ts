import { attempt, type Outcome } from '../diagnostic.ts';
import { defineBuiltins } from './builtin.ts';
import { define, enterFile, runDirective } from './directive.ts';
import { expandInto } from './expand.ts';
import { Flag, type LexedFile } from './lex.ts';
import { addSource, openSource, type Place, placeOf, type Sources } from './sources.ts';
import { createState, failAt, type State } from './state.ts';
import { P, spelling } from './symbols.ts';
import { STRIDE } from './token-buffer.ts';
import type { TokenStream } from './token-stream.ts';

export interface PreprocessOptions {
  /** Folders searched for includes, in order, relative to the root of the tree. */
  readonly search: readonly string[];
  /** Text of `#define` lines that stand for the compiler and its command line. */
  readonly predefined: string;
  /** Text of `#define` lines that the sources cannot redefine or undefine. */
  readonly locked: string;
  /** C text read before anything else. */
  readonly prelude?: string;
  /** Files read before the unit itself, as `-include` does. */
  readonly preIncludes: readonly string[];
  /** C texts read after the unit, as if they stood at its end: they see static functions and macros. */
  readonly appended?: readonly { readonly path: string; readonly text: string }[];
}

export interface Preprocessed {
  readonly tokens: TokenStream;
  /** Every file that was opened by an include, the unit first. */
  readonly files: readonly string[];
  /** Places where the sources define a locked macro: a patch that edits one has no effect here. */
  readonly ignoredDefinitions: readonly { readonly name: string; readonly place: Place }[];
  /** CONFIG symbols that were asked for and are not set: part of what is assumed. */
  readonly unsetConfig: readonly string[];
}

/** Preprocesses one translation unit (C11 6.10 and what gcc adds to it). */
export function preprocess(
  sources: Sources,
  unit: string,
  options: PreprocessOptions,
): Outcome<Preprocessed> {
  return attempt(() => {
    const state = createState(sources, options.search, runDirective);
    defineBuiltins(state);
    definitions(state, addSource(sources, '<predefined>', options.predefined), false);
    definitions(state, addSource(sources, '<locked>', options.locked), true);
    const main = openSource(sources, unit);
    const start = addSource(sources, '<start>', '');
    if (main === null) {
      throw failAt(state, start.base, `the tree has no file ${unit}: is it a kernel tree?`);
    }
    const parts: LexedFile[] = [];
    if (options.prelude !== undefined && options.prelude !== '') {
      parts.push(addSource(sources, '<prelude>', options.prelude));
    }
    for (const path of options.preIncludes) {
      const file = openSource(sources, path);
      if (file === null) {
        throw failAt(state, start.base, `the tree has no file ${path}, which every unit includes`);
      }
      parts.push(file);
    }
    parts.push(main);
    for (const { path, text } of options.appended ?? []) {
      parts.push(addSource(sources, path, text));
    }
    for (const file of parts) {
      enterFile(state, file, -1);
      expandInto(state, state.out, true);
    }
    return result(state, unit);
  });
}

function definitions(state: State, file: LexedFile, locked: boolean): void {
  for (const hash of file.directives) {
    if (spelling(state.sources.symbols, file.symbols[hash + 1] ?? 0) !== 'define') continue;
    let end = hash + 1;
    while (end < file.count && ((file.flags[end] ?? 0) & Flag.lineStart) === 0) end += 1;
    define(state, file, hash + 2, end, locked);
  }
  if (file.count > 0 && file.symbols[0] !== P['#']) {
    throw failAt(state, file.base, 'only #define lines can stand among the given definitions');
  }
}

function result(state: State, unit: string): Preprocessed {
  const { sources, out, origins } = state;
  const names = sources.symbols.names;
  const unset: string[] = [];
  for (const symbol of state.undefinedTested) {
    const name = names[symbol] ?? '';
    if (name.startsWith('CONFIG_')) unset.push(name);
  }
  return {
    tokens: {
      sources,
      unit,
      count: out.length / STRIDE,
      data: out.data.slice(0, out.length),
      origins: origins.data.slice(0, origins.length),
      packs: state.packs,
    },
    files: [...state.included],
    ignoredDefinitions: state.ignoredDefinitions.map(({ name, location }) => ({
      name,
      place: placeOf(sources, location),
    })),
    unsetConfig: unset.sort(),
  };
}
