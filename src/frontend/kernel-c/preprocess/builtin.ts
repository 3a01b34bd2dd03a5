import { collectArguments } from './arguments.ts';
import { resolveInclude } from './include.ts';
import { builtin } from './macro.ts';
import { nextToken, peekSymbol } from './read-token.ts';
import { placeOf } from './sources.ts';
import { addOrigin, addPack, failAt, outermost, type State } from './state.ts';
import { DEFINED, intern, ONE, P, spelling, TokenKind, ZERO } from './symbols.ts';
import { pushToken, STRIDE, type TokenBuffer } from './token-buffer.ts';

const BUILTINS = [
  '__FILE__',
  '__BASE_FILE__',
  '__LINE__',
  '__COUNTER__',
  '__INCLUDE_LEVEL__',
  '__DATE__',
  '__TIME__',
  '__TIMESTAMP__',
  '_Pragma',
  '__has_attribute',
  '__has_builtin',
  '__has_include',
  '__has_include_next',
] as const;

/** Attributes and builtins of gcc 12 on arm64 that kernel headers ask for. */
const UNKNOWN_ATTRIBUTES = new Set([
  '__overloadable__',
  '__pass_object_size__',
  '__diagnose_as_builtin__',
  '__counted_by__',
  '__uninitialized__',
  '__enable_if__',
  '__nonstring_array__',
]);
const UNKNOWN_BUILTINS = new Set([
  '__builtin_dynamic_object_size_never',
  '__builtin_counted_by_ref',
]);

export function defineBuiltins(state: State): void {
  for (const name of BUILTINS) {
    const symbol = intern(state.sources.symbols, name, TokenKind.identifier);
    state.macros[symbol] = builtin(symbol);
  }
}

/** `defined` is an operator inside `#if` and an ordinary identifier elsewhere. */
export function enableDefined(state: State, on: boolean): void {
  state.macros[DEFINED] = on ? builtin(DEFINED) : undefined;
}

/** Carries out a built-in macro whose name was just read. */
export function runBuiltin(state: State, name: number, fromFile: boolean, sink: TokenBuffer): void {
  const { symbols } = state.sources;
  const { flags, location, origin } = state;
  const use = outermost(state, location, origin);
  const text = (value: string): void =>
    pushToken(
      sink,
      intern(symbols, `"${value.replace(/["\\]/g, '\\$&')}"`, TokenKind.string),
      flags,
      location,
      origin,
    );
  const number = (value: number, from = origin): void =>
    pushToken(sink, intern(symbols, String(value), TokenKind.number), flags, location, from);
  const truth = (value: boolean): void =>
    pushToken(sink, value ? ONE : ZERO, flags, location, origin);

  const word = spelling(symbols, name);
  switch (word) {
    case '__FILE__':
      return text(placeOf(state.sources, use).file);
    case '__BASE_FILE__':
      return text(state.frames[0]?.file.path ?? '');
    case '__LINE__':
      // Known as such later on: it is a place, which a comparison of code leaves out.
      return number(placeOf(state.sources, use).line, addOrigin(state, name, location, origin));
    case '__COUNTER__':
      return number(state.counter++);
    case '__INCLUDE_LEVEL__':
      return number(Math.max(0, state.frames.length - 1));
    case '__DATE__':
      return text('Jan  1 1970');
    case '__TIME__':
      return text('00:00:00');
    case '__TIMESTAMP__':
      return text('Thu Jan  1 00:00:00 1970');
    case 'defined':
      return truth(isDefined(state, fromFile, use));
    default: {
      if (peekSymbol(state, fromFile) !== P['(']) {
        return pushToken(sink, name, flags, location, origin);
      }
      const inside = { name, parameters: 1, variadic: true };
      const args = collectArguments(state, inside, fromFile, location, origin);
      const start = args.start[0] ?? 0;
      const first = spelling(symbols, state.arena.data[start] ?? 0);
      if (word === '_Pragma') {
        const pack = /^"\s*pack\s*\((.*)\)\s*"$/.exec(first);
        if (pack !== null) addPack(state, (pack[1] ?? '').replace(/\s/g, ''));
        return;
      }
      if (word === '__has_attribute') return truth(hasAttribute(first));
      if (word === '__has_builtin') {
        return truth(first.startsWith('__builtin_') && !UNKNOWN_BUILTINS.has(first));
      }
      return truth(hasInclude(state, start, args.end[0] ?? 0, use));
    }
  }
}

function hasAttribute(name: string): boolean {
  const bare = name.replace(/^(?:__)?(.*?)(?:__)?$/, '$1');
  return !UNKNOWN_ATTRIBUTES.has(`__${bare}__`);
}

function isDefined(state: State, fromFile: boolean, use: number): boolean {
  const problem = 'after "defined" a name is missing';
  if (!nextToken(state, fromFile)) throw failAt(state, use, problem);
  const parenthesis = state.symbol === P['('];
  if (parenthesis && !nextToken(state, fromFile)) throw failAt(state, use, problem);
  const symbol = state.symbol;
  if (state.sources.symbols.kinds[symbol] !== TokenKind.identifier) {
    throw failAt(state, use, problem);
  }
  if (parenthesis && (!nextToken(state, fromFile) || state.symbol !== P[')'])) {
    throw failAt(state, use, '"defined(" is not closed by ")"');
  }
  if (state.macros[symbol] === undefined) state.undefinedTested.add(symbol);
  return state.macros[symbol] !== undefined;
}

function hasInclude(state: State, start: number, end: number, use: number): boolean {
  const { symbols } = state.sources;
  let name = '';
  for (let at = start; at < end; at += STRIDE) name += spelling(symbols, state.arena.data[at] ?? 0);
  const quoted = name.startsWith('"');
  const includer = placeOf(state.sources, use).file;
  return resolveInclude(state, name.slice(1, -1), quoted, includer, -1) !== null;
}
