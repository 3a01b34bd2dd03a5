import type { Arguments } from './arguments.ts';
import { Flag } from './lex.ts';
import { BODY_STRIDE, BodyFlag, type Macro } from './macro.ts';
import { failAt, outermost, type State } from './state.ts';
import { intern, P, PLACEMARKER, spelling, TokenKind } from './symbols.ts';
import { copyTokens, pushToken, STRIDE } from './token-buffer.ts';

/**
 * Appends the body of a macro to the arena with its arguments put in, `#` and `##` carried out. The
 * first token takes over the white space that stood before the macro's name.
 */
export function pushBody(
  state: State,
  macro: Macro,
  args: Arguments | null,
  origin: number,
  flags: number,
): void {
  const arena = state.arena;
  const start = arena.length;
  const body = macro.body;
  let paste = false;
  for (let at = 0; at < body.length; at += BODY_STRIDE) {
    const symbol = body[at] ?? 0;
    const spaced = body[at + 1] ?? 0;
    const location = body[at + 2] ?? 0;
    const parameter = body[at + 3] ?? -1;
    const how = body[at + 4] ?? 0;
    const pieceStart = arena.length;
    if (parameter < 0 || args === null) {
      pushToken(arena, symbol, spaced, location, origin);
    } else if ((how & BodyFlag.stringify) !== 0) {
      const text = stringify(state, args.start[parameter] ?? 0, args.end[parameter] ?? 0);
      const literal = intern(state.sources.symbols, text, TokenKind.string);
      pushToken(arena, literal, spaced, location, origin);
    } else if ((how & (BodyFlag.pasteLeft | BodyFlag.pasteRight)) !== 0) {
      const from = args.start[parameter] ?? 0;
      const end = args.end[parameter] ?? 0;
      const swallows =
        paste &&
        macro.variadic &&
        parameter === macro.parameters - 1 &&
        arena.data[pieceStart - STRIDE] === P[','];
      if (swallows) {
        // GNU C: `, ## __VA_ARGS__` never pastes; it drops the comma when the last argument was left
        // out, and keeps it when it was given but empty.
        paste = false;
        if (!args.hasVariadic || (from === end && macro.parameters === 1)) {
          arena.length = pieceStart - STRIDE;
        }
        if (from === end && (how & BodyFlag.pasteRight) === 0) continue;
      }
      if (from === end) pushToken(arena, PLACEMARKER, spaced, location, origin);
      else copySpaced(state, from, end, spaced);
    } else {
      const from = args.expandedStart[parameter] ?? 0;
      const end = args.expandedEnd[parameter] ?? 0;
      if (from !== end) copySpaced(state, from, end, spaced);
    }
    if (paste) pastePiece(state, pieceStart, origin);
    paste = (how & BodyFlag.pasteRight) !== 0;
  }
  if (!macro.plain) dropPlacemarkers(state, start);
  if (arena.length > start) {
    const space = Flag.space | Flag.lineStart;
    arena.data[start + 1] = ((arena.data[start + 1] ?? 0) & ~space) | (flags & space);
  }
}

function copySpaced(state: State, from: number, end: number, spaced: number): void {
  const start = copyTokens(state.arena, state.arena, from, end);
  const data = state.arena.data;
  data[start + 1] = ((data[start + 1] ?? 0) & ~Flag.space) | spaced;
}

/** Joins the last token before `piece` with the first token of it. */
function pastePiece(state: State, piece: number, origin: number): void {
  const arena = state.arena;
  const data = arena.data;
  const left = piece - STRIDE;
  const a = data[left] ?? 0;
  const b = data[piece] ?? 0;
  if (a === PLACEMARKER) {
    data[piece + 1] = ((data[piece + 1] ?? 0) & ~Flag.space) | ((data[left + 1] ?? 0) & Flag.space);
    data.copyWithin(left, piece, arena.length);
  } else {
    if (b !== PLACEMARKER) {
      data[left] = pasted(state, a, b, data[left + 2] ?? 0, origin);
      data[left + 1] = (data[left + 1] ?? 0) & ~Flag.noExpand;
      data[left + 3] = origin;
    }
    data.copyWithin(piece, piece + STRIDE, arena.length);
  }
  arena.length -= STRIDE;
}

function pasted(state: State, a: number, b: number, location: number, origin: number): number {
  const symbols = state.sources.symbols;
  const text = spelling(symbols, a) + spelling(symbols, b);
  const known = symbols.index.get(text);
  if (known !== undefined && symbols.kinds[known] !== TokenKind.other) return known;
  const kind = symbols.kinds[a];
  if (kind === TokenKind.identifier && /^[\w$\u0080-\uffff]+$/.test(text)) {
    return intern(symbols, text, TokenKind.identifier);
  }
  if (/^\.?\d(?:[eEpP][+-]|[\w.])*$/.test(text)) return intern(symbols, text, TokenKind.number);
  if (/^(?:L|u|U|u8)$/.test(spelling(symbols, a))) {
    const second = symbols.kinds[b];
    if (second === TokenKind.string || second === TokenKind.character) {
      return intern(symbols, text, second);
    }
  }
  throw failAt(
    state,
    outermost(state, location, origin),
    `pasting "${spelling(symbols, a)}" and "${spelling(symbols, b)}" does not give one token`,
  );
}

function dropPlacemarkers(state: State, start: number): void {
  const arena = state.arena;
  let to = start;
  for (let at = start; at < arena.length; at += STRIDE) {
    if (arena.data[at] === PLACEMARKER) continue;
    if (to !== at) arena.data.copyWithin(to, at, at + STRIDE);
    to += STRIDE;
  }
  arena.length = to;
}

/** The spelling of an argument as a string literal (C11 6.10.3.2). */
function stringify(state: State, from: number, end: number): string {
  const { symbols } = state.sources;
  const data = state.arena.data;
  let text = '"';
  for (let at = from; at < end; at += STRIDE) {
    const symbol = data[at] ?? 0;
    if (at > from && ((data[at + 1] ?? 0) & Flag.space) !== 0) text += ' ';
    const kind = symbols.kinds[symbol];
    const word = spelling(symbols, symbol);
    text +=
      kind === TokenKind.string || kind === TokenKind.character
        ? word.replace(/["\\]/g, '\\$&')
        : word;
  }
  return `${text}"`;
}
