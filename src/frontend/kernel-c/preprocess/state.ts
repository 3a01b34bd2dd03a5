import { FrontendError } from '../diagnostic.ts';
import type { LexedFile } from './lex.ts';
import type { Macro } from './macro.ts';
import { placeOf, type Sources } from './sources.ts';
import { createBuffer, STRIDE, type TokenBuffer } from './token-buffer.ts';
import type { Pack } from './token-stream.ts';

/** A file being read: the next token and the next directive. */
export interface FileFrame {
  readonly file: LexedFile;
  next: number;
  nextDirective: number;
  /** Depth of the condition stack when the file was entered. */
  readonly conditions: number;
  /** Position in the include search path, for `#include_next`. */
  readonly searchIndex: number;
}

export interface Condition {
  /** A group of this `#if` was taken. */
  taken: boolean;
  sawElse: boolean;
  readonly location: number;
}

/** A definition or undefinition of a locked macro that was passed over. */
export interface LockedDefinition {
  readonly name: string;
  readonly location: number;
}

/**
 * The working state of one run of the preprocessor. It never leaves this folder; the result is a
 * `TokenStream`.
 */
export interface State {
  readonly sources: Sources;
  readonly search: readonly string[];
  readonly macros: (Macro | undefined)[];
  readonly frames: FileFrame[];
  readonly conditions: Condition[];
  readonly out: TokenBuffer;
  readonly included: Set<string>;
  readonly resolved: Map<string, { readonly file: LexedFile; readonly index: number } | null>;
  readonly pragmaOnce: Set<LexedFile>;
  readonly ignoredDefinitions: LockedDefinition[];
  readonly packs: Pack[];
  /** Identifiers tested in `#if`, `#ifdef` and the like that no one had defined. */
  readonly undefinedTested: Set<number>;
  counter: number;
  /** Carries out the directive at the head of the innermost file; passed in to avoid an import cycle. */
  readonly directive: (state: State, frame: FileFrame, hash: number) => void;

  /** Macro expansions being read, innermost last: ranges of `arena`. */
  readonly arena: TokenBuffer;
  readonly contextNext: number[];
  readonly contextEnd: number[];
  readonly contextMacro: (Macro | null)[];
  depth: number;
  /** Contexts below this one are not read. */
  floor: number;
  readonly scratch: TokenBuffer[];
  scratchDepth: number;

  /** Macro invocations: name, location of the invocation, origin of the invoking token. */
  readonly origins: TokenBuffer;

  /** The token read last. */
  symbol: number;
  flags: number;
  location: number;
  origin: number;
}

/** More than any kernel unit needs by a factor of four; reaching it stops a runaway expansion. */
const MAX_INTEGERS = 16_000_000;

export function createState(
  sources: Sources,
  search: readonly string[],
  directive: State['directive'],
): State {
  const origins = createBuffer(1 << 16);
  origins.length = 4;
  return {
    sources,
    search,
    macros: [],
    frames: [],
    conditions: [],
    out: createBuffer(1 << 18),
    included: new Set(),
    resolved: new Map(),
    pragmaOnce: new Set(),
    ignoredDefinitions: [],
    packs: [],
    undefinedTested: new Set(),
    counter: 0,
    directive,
    arena: createBuffer(1 << 14),
    contextNext: [],
    contextEnd: [],
    contextMacro: [],
    depth: 0,
    floor: 0,
    scratch: [],
    scratchDepth: 0,
    origins,
    symbol: 0,
    flags: 0,
    location: 0,
    origin: 0,
  };
}

export function failAt(state: State, location: number, message: string): FrontendError {
  const place = placeOf(state.sources, location);
  return new FrontendError(place.file, place.line, place.column, message);
}

/** Stops an expansion that grows without bound, such as a macro that doubles its argument 40 times. */
export function checkBudget(state: State): void {
  if (state.arena.length + state.out.length > MAX_INTEGERS) {
    throw failAt(
      state,
      outermost(state, state.location, state.origin),
      'macro expansion here grows beyond 4 million tokens; the macro must be simplified or locked',
    );
  }
}

/** The place in a file where the outermost macro that led to a token was used. */
export function outermost(state: State, location: number, origin: number): number {
  let at = location;
  for (let id = origin; id !== 0; id = state.origins.data[id * 4 + 2] ?? 0) {
    at = state.origins.data[id * 4 + 1] ?? at;
  }
  return at;
}

/** Remembers a macro invocation and returns its number. */
export function addOrigin(state: State, macro: number, location: number, parent: number): number {
  const origins = state.origins;
  const at = origins.length;
  if (at + 4 > origins.data.length) {
    const wider = new Int32Array(origins.data.length * 2);
    wider.set(origins.data);
    origins.data = wider;
  }
  origins.data[at] = macro;
  origins.data[at + 1] = location;
  origins.data[at + 2] = parent;
  origins.length = at + 4;
  return at >> 2;
}

/** Notes a `#pragma pack(argument)` at the present end of the output. */
export function addPack(state: State, argument: string): void {
  state.packs.push({ token: state.out.length / STRIDE, argument });
}
