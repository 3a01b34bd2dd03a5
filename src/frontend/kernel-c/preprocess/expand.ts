import { type Arguments, collectArguments } from './arguments.ts';
import { runBuiltin } from './builtin.ts';
import { Flag } from './lex.ts';
import type { Macro } from './macro.ts';
import { nextToken, peekSymbol, pushContext } from './read-token.ts';
import { addOrigin, checkBudget, type State } from './state.ts';
import { pushBody } from './substitute.ts';
import { P } from './symbols.ts';
import { copyTokens, createBuffer, pushToken, STRIDE, type TokenBuffer } from './token-buffer.ts';

/**
 * Reads tokens, expanding macros, until the contexts above `floor` (and, outside directives and
 * arguments, the files) are used up, and appends them to `sink`. This is the algorithm of gcc's cpplib:
 * a stack of contexts, each macro disabled while its expansion is read, and a mark on identifiers that
 * were met while their macro was disabled.
 */
export function expandInto(state: State, sink: TokenBuffer, fromFile: boolean): void {
  const macros = state.macros;
  for (;;) {
    if (fromFile && state.depth === 0) state.arena.length = 0;
    if (!nextToken(state, fromFile)) return;
    const symbol = state.symbol;
    const macro = macros[symbol];
    if (macro === undefined || (state.flags & Flag.noExpand) !== 0) {
      pushToken(sink, symbol, state.flags, state.location, state.origin);
    } else if (macro.kind === 'builtin') {
      runBuiltin(state, macro.name, fromFile, sink);
    } else if (macro.disabled) {
      pushToken(sink, symbol, state.flags | Flag.noExpand, state.location, state.origin);
    } else {
      const { flags, location, origin } = state;
      if (!invoke(state, macro, fromFile)) pushToken(sink, symbol, flags, location, origin);
    }
  }
}

/** Replaces a macro by its expansion; false when a function-like macro is not followed by `(`. */
function invoke(state: State, macro: Macro, fromFile: boolean): boolean {
  const { location, origin, flags } = state;
  let args: Arguments | null = null;
  if (macro.kind === 'function') {
    if (peekSymbol(state, fromFile) !== P['(']) return false;
    args = collectArguments(state, macro, fromFile, location, origin);
    for (const index of macro.expanded) expandArgument(state, args, index);
  }
  checkBudget(state);
  const id = addOrigin(state, macro.name, location, origin);
  const start = state.arena.length;
  pushBody(state, macro, args, id, flags);
  pushContext(state, start, state.arena.length, macro);
  return true;
}

/** Fully expands argument `index` on its own (C11 6.10.3.1) and leaves the result in the arena. */
function expandArgument(state: State, args: Arguments, index: number): void {
  if ((args.expandedStart[index] ?? -1) >= 0) return;
  const start = args.start[index] ?? 0;
  const end = args.end[index] ?? 0;
  if (!hasMacro(state, start, end)) {
    args.expandedStart[index] = start;
    args.expandedEnd[index] = end;
    return;
  }
  const scratch = borrowScratch(state);
  expandRange(state, start, end, scratch);
  args.expandedStart[index] = copyTokens(state.arena, scratch, 0, scratch.length);
  args.expandedEnd[index] = state.arena.length;
  state.scratchDepth -= 1;
}

/** Expands a range of the arena with nothing after it. */
export function expandRange(state: State, start: number, end: number, sink: TokenBuffer): void {
  const floor = state.floor;
  state.floor = state.depth;
  pushContext(state, start, end, null);
  expandInto(state, sink, false);
  state.floor = floor;
}

/** A cleared scratch buffer; give it back by decrementing `scratchDepth`. */
export function borrowScratch(state: State): TokenBuffer {
  let scratch = state.scratch[state.scratchDepth];
  if (scratch === undefined) {
    scratch = createBuffer(256);
    state.scratch[state.scratchDepth] = scratch;
  }
  scratch.length = 0;
  state.scratchDepth += 1;
  return scratch;
}

function hasMacro(state: State, start: number, end: number): boolean {
  const data = state.arena.data;
  for (let at = start; at < end; at += STRIDE) {
    if (state.macros[data[at] ?? 0] !== undefined) return true;
  }
  return false;
}
