import { type Place, placeOf } from '../preprocess/sources.ts';
import { spelling } from '../preprocess/symbols.ts';
import { STRIDE } from '../preprocess/token-buffer.ts';
import type { TokenStream } from '../preprocess/token-stream.ts';

/** A token of a unit and one of the lines it comes from. */
export interface LineToken {
  readonly token: number;
  readonly line: number;
  /** Column on that line: of the token, or of the macro use that brought it. */
  readonly column: number;
  /** It is spelt on the line itself; otherwise a macro that is used there brought it. */
  readonly written: boolean;
  /** Location of the outermost macro use that it came through, as an argument too; 0 for none. */
  readonly use: number;
  /** Where it is spelt. */
  readonly spelt: Place;
  /** The macros it came through. */
  readonly macros: readonly string[];
}

/**
 * The tokens of a unit that come from some lines of a file: spelt there, in a macro's text too, or
 * brought by a macro that is used there. One that comes from two of the lines is given twice.
 */
export function tokensOn(
  stream: TokenStream,
  file: string,
  lines: readonly number[],
): readonly LineToken[] {
  const { sources, data, count, origins } = stream;
  const lexed = sources.byPath.get(file);
  if (lexed == null || lines.length === 0) return [];
  const wanted = new Set(lines);
  const first = Math.min(...lines);
  const last = Math.max(...lines);
  const low = lexed.base + (lexed.lineStarts[first - 1] ?? lexed.size);
  const high = lexed.base + (lexed.lineStarts[last] ?? lexed.size + 1);
  const near = (location: number): boolean => location >= low && location < high;
  // An invocation stands behind the one that invoked it, so one pass over them is enough.
  const leads = new Uint8Array(origins.length >> 2);
  for (let id = 1; id < leads.length; id++) {
    const parent = origins[id * 4 + 2] ?? 0;
    leads[id] = near(origins[id * 4 + 1] ?? 0) || leads[parent] === 1 ? 1 : 0;
  }
  const enclosing = enclosingUses(stream);
  const found: LineToken[] = [];
  for (let token = 0; token < count; token++) {
    const at = data[token * STRIDE + 2] ?? 0;
    const origin = data[token * STRIDE + 3] ?? 0;
    if (!near(at) && leads[origin] !== 1) continue;
    const spelt = placeOf(sources, at);
    const macros: string[] = [];
    const uses = new Map<number, number>();
    let use = 0;
    for (let id = origin; id !== 0; id = origins[id * 4 + 2] ?? 0) {
      macros.push(spelling(sources.symbols, origins[id * 4] ?? 0));
      const location = origins[id * 4 + 1] ?? 0;
      use = location;
      if (!near(location)) continue;
      const { line, column } = placeOf(sources, location);
      if (wanted.has(line)) uses.set(line, column);
    }
    if (near(at) && wanted.has(spelt.line)) {
      if (origin === 0) use = enclosing(token);
      found.push({
        token,
        line: spelt.line,
        column: spelt.column,
        written: true,
        use,
        spelt,
        macros,
      });
      uses.delete(spelt.line);
    }
    for (const [line, column] of uses) {
      found.push({ token, line, column, written: false, use, spelt, macros });
    }
  }
  return found;
}

/** The lines of a file that any token of some streams is spelt on. */
export function linesWithTokens(
  streams: readonly TokenStream[],
  file: string,
): ReadonlySet<number> {
  const lines = new Set<number>();
  for (const { sources, data, count } of streams) {
    const lexed = sources.byPath.get(file);
    if (lexed == null) continue;
    for (let token = 0; token < count; token++) {
      const at = data[token * STRIDE + 2] ?? 0;
      if (at < lexed.base || at > lexed.base + lexed.size) continue;
      lines.add(placeOf(sources, at).line);
    }
  }
  return lines;
}

/** A macro use is not longer than this in tokens; one that is counts as several. */
const LONGEST = 20_000;

/**
 * Finds the macro use that a token is an argument of: such a token has no origin of its own, but tokens
 * of the use stand before and behind it. 0 when it is none.
 */
function enclosingUses(stream: TokenStream): (token: number) => number {
  const { data, count, origins, sources } = stream;
  const lastOf = new Map<number, number>();
  const useAt = (token: number): number => {
    let use = 0;
    for (let id = data[token * STRIDE + 3] ?? 0; id !== 0; id = origins[id * 4 + 2] ?? 0) {
      use = origins[id * 4 + 1] ?? 0;
    }
    return use;
  };
  const last = (use: number, from: number): number => {
    const known = lastOf.get(use);
    if (known !== undefined) return known;
    let found = from;
    for (let token = from; token < Math.min(count, from + LONGEST); token++) {
      if (useAt(token) === use) found = token;
    }
    lastOf.set(use, found);
    return found;
  };
  return (token) => {
    for (let before = token - 1; before > Math.max(0, token - LONGEST); before--) {
      const use = useAt(before);
      if (use !== 0) {
        if (last(use, before) > token) return use;
        continue;
      }
      const text = spelling(sources.symbols, data[before * STRIDE] ?? 0);
      if (text === ';' || text === '{' || text === '}') return 0;
    }
    return 0;
  };
}
