import { intern, P, type Symbols, TokenKind } from './symbols.ts';

/**
 * One file cut into preprocessing tokens (C11 6.4), as parallel arrays. It is made once and shared by
 * all translation units. Trigraphs and digraphs are not known; a punctuator is not recognised across a
 * backslash-newline.
 */
export interface LexedFile {
  readonly path: string;
  readonly count: number;
  readonly symbols: Int32Array;
  readonly flags: Uint8Array;
  /** Offset of each token in the text. */
  readonly offsets: Int32Array;
  /** Offset at which each line begins; entry 0 is line 1. */
  readonly lineStarts: Int32Array;
  /** The tokens that are the `#` of a directive. */
  readonly directives: Int32Array;
  /** Added to an offset it gives a location that is unique among all files. */
  readonly base: number;
  readonly size: number;
  /** The macro X when the whole file stands in `#ifndef X ... #endif`, else 0. */
  readonly guard: number;
}

export const Flag = {
  /** White space stands before the token. */
  space: 1,
  /** First token of a line. */
  lineStart: 2,
  /** An identifier that must never be expanded again (C11 6.10.3.4 p2). */
  noExpand: 4,
} as const;

const SPACE = 1;
const IDENT = 2;
const DIGIT = 4;
const CLASS = classes();

interface Growing {
  symbols: Int32Array;
  flags: Uint8Array;
  offsets: Int32Array;
  count: number;
}

export function lexFile(symbols: Symbols, path: string, text: string, base: number): LexedFile {
  const size = text.length;
  const estimate = Math.max(64, size >> 2);
  const out: Growing = {
    symbols: new Int32Array(estimate),
    flags: new Uint8Array(estimate),
    offsets: new Int32Array(estimate),
    count: 0,
  };
  const lineStarts: number[] = [0];
  const directives: number[] = [];
  let flags: number = Flag.lineStart | Flag.space;
  let at = 0;
  while (at < size) {
    const c = text.charCodeAt(at);
    if (c === 10) {
      at += 1;
      lineStarts.push(at);
      flags = Flag.lineStart | Flag.space;
      continue;
    }
    const cls = c < 128 ? (CLASS[c] ?? 0) : IDENT;
    if (cls === SPACE) {
      at += 1;
      flags |= Flag.space;
      continue;
    }
    if (c === 92 /* \ */) {
      const after = splice(text, at);
      if (after > 0) {
        at = after;
        lineStarts.push(at);
        flags |= Flag.space;
        continue;
      }
    }
    if (c === 47 /* / */) {
      const second = text.charCodeAt(at + 1);
      if (second === 42) {
        at = skipBlockComment(text, at + 2, lineStarts);
        flags |= Flag.space;
        continue;
      }
      if (second === 47) {
        at = skipLineComment(text, at + 2, lineStarts);
        flags |= Flag.space;
        continue;
      }
    }
    const start = at;
    let symbol: number;
    if ((cls & IDENT) !== 0) {
      at = scanWord(text, at + 1);
      const quote = at < size ? text.charCodeAt(at) : 0;
      if ((quote === 34 || quote === 39) && at - start <= 2 && isPrefix(text, start, at)) {
        at = scanQuoted(text, at, quote, lineStarts);
        symbol = quotedSymbol(symbols, text, start, at, quote);
      } else if (quote === 92 && splice(text, at) > 0) {
        const spliced = scanSpliced(text, start, lineStarts, scanWord);
        at = spliced.at;
        symbol = intern(symbols, spliced.text, TokenKind.identifier);
      } else {
        symbol = intern(symbols, text.slice(start, at), TokenKind.identifier);
      }
    } else if (
      (cls & DIGIT) !== 0 ||
      (c === 46 && ((CLASS[text.charCodeAt(at + 1)] ?? 0) & DIGIT) !== 0)
    ) {
      at = scanNumber(text, at + 1);
      if (text.charCodeAt(at) === 92 && splice(text, at) > 0) {
        const spliced = scanSpliced(text, start, lineStarts, scanNumber);
        at = spliced.at;
        symbol = intern(symbols, spliced.text, TokenKind.number);
      } else {
        symbol = intern(symbols, text.slice(start, at), TokenKind.number);
      }
    } else if (c === 34 || c === 39) {
      at = scanQuoted(text, at, c, lineStarts);
      symbol = quotedSymbol(symbols, text, start, at, c);
    } else {
      symbol = punctuator(c, text.charCodeAt(at + 1), text.charCodeAt(at + 2));
      if (symbol === 0) {
        at += 1;
        symbol = intern(symbols, text.slice(start, at), TokenKind.other);
      } else {
        at += symbols.names[symbol]?.length ?? 1;
        if (symbol === P['#'] && (flags & Flag.lineStart) !== 0) directives.push(out.count);
      }
    }
    push(out, symbol, flags, start);
    flags = 0;
  }
  const file: LexedFile = {
    path,
    count: out.count,
    symbols: out.symbols.slice(0, out.count),
    flags: out.flags.slice(0, out.count),
    offsets: out.offsets.slice(0, out.count),
    lineStarts: Int32Array.from(lineStarts),
    directives: Int32Array.from(directives),
    base,
    size,
    guard: 0,
  };
  return { ...file, guard: includeGuard(symbols, file) };
}

/** Line and column, both from 1, of an offset. */
export function lineAndColumn(
  file: LexedFile,
  offset: number,
): { readonly line: number; readonly column: number } {
  let low = 0;
  let high = file.lineStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((file.lineStarts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (file.lineStarts[low] ?? 0) + 1 };
}

function push(out: Growing, symbol: number, flags: number, offset: number): void {
  const n = out.count;
  if (n === out.symbols.length) {
    const wider = n * 2;
    const symbols = new Int32Array(wider);
    symbols.set(out.symbols);
    out.symbols = symbols;
    const moreFlags = new Uint8Array(wider);
    moreFlags.set(out.flags);
    out.flags = moreFlags;
    const offsets = new Int32Array(wider);
    offsets.set(out.offsets);
    out.offsets = offsets;
  }
  out.symbols[n] = symbol;
  out.flags[n] = flags;
  out.offsets[n] = offset;
  out.count = n + 1;
}

/** The offset after a backslash-newline at `at`, or 0; blanks before the newline are allowed. */
function splice(text: string, at: number): number {
  let end = at + 1;
  while (text.charCodeAt(end) === 32 || text.charCodeAt(end) === 9 || text.charCodeAt(end) === 13) {
    end += 1;
  }
  return text.charCodeAt(end) === 10 ? end + 1 : 0;
}

function skipBlockComment(text: string, from: number, lineStarts: number[]): number {
  const end = text.indexOf('*/', from);
  const stop = end < 0 ? text.length : end;
  for (let nl = text.indexOf('\n', from); nl >= 0 && nl < stop; nl = text.indexOf('\n', nl + 1)) {
    lineStarts.push(nl + 1);
  }
  return end < 0 ? text.length : end + 2;
}

function skipLineComment(text: string, from: number, lineStarts: number[]): number {
  let at = from;
  for (;;) {
    const end = text.indexOf('\n', at);
    if (end < 0) return text.length;
    let before = end - 1;
    while (text.charCodeAt(before) === 13) before -= 1;
    if (text.charCodeAt(before) !== 92) return end;
    at = end + 1;
    lineStarts.push(at);
  }
}

function scanWord(text: string, from: number): number {
  let at = from;
  for (;;) {
    const c = text.charCodeAt(at);
    // NaN past the end fails both comparisons.
    if (c < 128 ? ((CLASS[c] ?? 0) & (IDENT | DIGIT)) === 0 : !(c >= 128)) return at;
    at += 1;
  }
}

function scanNumber(text: string, from: number): number {
  let at = from;
  for (;;) {
    const c = text.charCodeAt(at);
    if (c === 43 || c === 45) {
      const before = text.charCodeAt(at - 1) | 32;
      if (before !== 101 && before !== 112) return at;
    } else if (c !== 46 && !(((CLASS[c] ?? 0) & (IDENT | DIGIT)) !== 0)) {
      return at;
    }
    at += 1;
  }
}

function scanSpliced(
  text: string,
  start: number,
  lineStarts: number[],
  scan: (text: string, from: number) => number,
): { readonly at: number; readonly text: string } {
  let at = scan(text, start + 1);
  let joined = text.slice(start, at);
  for (let after = splice(text, at); text.charCodeAt(at) === 92 && after > 0;) {
    lineStarts.push(after);
    at = scan(text, after);
    joined += text.slice(after, at);
    after = splice(text, at);
  }
  return { at, text: joined };
}

function isPrefix(text: string, start: number, end: number): boolean {
  const prefix = text.slice(start, end);
  return prefix === 'L' || prefix === 'u' || prefix === 'U' || prefix === 'u8';
}

/** The end of a literal; without a closing quote on the line, only the quote itself is taken. */
function scanQuoted(text: string, open: number, quote: number, lineStarts: number[]): number {
  const lines = lineStarts.length;
  for (let at = open + 1; at < text.length; at++) {
    const c = text.charCodeAt(at);
    if (c === quote) return at + 1;
    if (c === 10) break;
    if (c === 92) {
      const after = splice(text, at);
      if (after > 0) {
        lineStarts.push(after);
        at = after - 1;
      } else {
        at += 1;
        if (text.charCodeAt(at) === 10) break;
      }
    }
  }
  lineStarts.length = lines;
  return open + 1;
}

function quotedSymbol(
  symbols: Symbols,
  text: string,
  start: number,
  end: number,
  quote: number,
): number {
  const raw = text.slice(start, end);
  const closed = end - start > 1 && text.charCodeAt(end - 1) === quote;
  if (!closed) return intern(symbols, raw, TokenKind.other);
  const joined = raw.includes('\n') ? raw.replace(/\\[ \t\r]*\n/g, '') : raw;
  return intern(symbols, joined, quote === 34 ? TokenKind.string : TokenKind.character);
}

function punctuator(a: number, b: number, c: number): number {
  switch (a) {
    case 40:
      return P['('];
    case 41:
      return P[')'];
    case 91:
      return P['['];
    case 93:
      return P[']'];
    case 123:
      return P['{'];
    case 125:
      return P['}'];
    case 59:
      return P[';'];
    case 44:
      return P[','];
    case 46:
      return b === 46 && c === 46 ? P['...'] : P['.'];
    case 126:
      return P['~'];
    case 63:
      return P['?'];
    case 58:
      return P[':'];
    case 45:
      return b === 62 ? P['->'] : b === 45 ? P['--'] : b === 61 ? P['-='] : P['-'];
    case 43:
      return b === 43 ? P['++'] : b === 61 ? P['+='] : P['+'];
    case 38:
      return b === 38 ? P['&&'] : b === 61 ? P['&='] : P['&'];
    case 42:
      return b === 61 ? P['*='] : P['*'];
    case 33:
      return b === 61 ? P['!='] : P['!'];
    case 47:
      return b === 61 ? P['/='] : P['/'];
    case 37:
      return b === 61 ? P['%='] : P['%'];
    case 60:
      if (b === 60) return c === 61 ? P['<<='] : P['<<'];
      return b === 61 ? P['<='] : P['<'];
    case 62:
      if (b === 62) return c === 61 ? P['>>='] : P['>>'];
      return b === 61 ? P['>='] : P['>'];
    case 61:
      return b === 61 ? P['=='] : P['='];
    case 94:
      return b === 61 ? P['^='] : P['^'];
    case 124:
      return b === 124 ? P['||'] : b === 61 ? P['|='] : P['|'];
    case 35:
      return b === 35 ? P['##'] : P['#'];
    default:
      return 0;
  }
}

/** Finds X in `#ifndef X ... #endif` when that spans all tokens and has no `#else` of its own. */
function includeGuard(symbols: Symbols, file: LexedFile): number {
  const first = file.directives[0];
  if (first !== 0 || file.directives.length < 2) return 0;
  const word = (token: number): string => symbols.names[file.symbols[token] ?? 0] ?? '';
  if (word(1) !== 'ifndef') return 0;
  const name = file.symbols[2] ?? 0;
  let depth = 0;
  for (let i = 0; i < file.directives.length; i++) {
    const hash = file.directives[i] ?? 0;
    const directive = word(hash + 1);
    if (directive === 'if' || directive === 'ifdef' || directive === 'ifndef') depth += 1;
    else if (directive === 'else' || directive === 'elif') {
      if (depth === 1) return 0;
    } else if (directive === 'endif') {
      depth -= 1;
      if (depth === 0) return hash + 2 >= file.count ? name : 0;
    }
  }
  return 0;
}

function classes(): Uint8Array {
  const table = new Uint8Array(128);
  for (const c of [32, 9, 11, 12, 13]) table[c] = SPACE;
  for (let c = 48; c <= 57; c++) table[c] = DIGIT;
  for (let c = 65; c <= 90; c++) table[c] = IDENT;
  for (let c = 97; c <= 122; c++) table[c] = IDENT;
  table[95] = IDENT;
  table[36] = IDENT;
  return table;
}
