/**
 * Interned spellings. Every token of every file is a number into one table, so that looking up a macro
 * or a keyword is an array access and tokens fit in typed arrays.
 */
export interface Symbols {
  readonly names: string[];
  readonly kinds: number[];
  readonly index: Map<string, number>;
}

/** What a spelling is. A spelling has exactly one kind, so the kind is stored once per symbol. */
export const TokenKind = {
  end: 0,
  identifier: 1,
  number: 2,
  character: 3,
  string: 4,
  punctuator: 5,
  /** A character C has no use for; an error only if it reaches the parser. */
  other: 6,
  /** What an empty macro argument leaves beside `##`; never leaves the expander. */
  placemarker: 7,
} as const;

const PUNCTUATORS = [
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  ';',
  ',',
  '.',
  '->',
  '...',
  '++',
  '--',
  '&',
  '*',
  '+',
  '-',
  '~',
  '!',
  '/',
  '%',
  '<<',
  '>>',
  '<',
  '>',
  '<=',
  '>=',
  '==',
  '!=',
  '^',
  '|',
  '&&',
  '||',
  '?',
  ':',
  '=',
  '*=',
  '/=',
  '%=',
  '+=',
  '-=',
  '<<=',
  '>>=',
  '&=',
  '^=',
  '|=',
  '#',
  '##',
] as const;

export type Punctuator = (typeof PUNCTUATORS)[number];

/** Symbol 0 is no symbol; the punctuators follow in every table, so their numbers are constants. */
export const P: Readonly<Record<Punctuator, number>> = Object.fromEntries(
  PUNCTUATORS.map((name, i) => [name, i + 1]),
) as Record<Punctuator, number>;

export const PLACEMARKER = PUNCTUATORS.length + 1;
const FIXED_WORDS = ['0', '1', 'defined', '__VA_ARGS__'] as const;
export const ZERO = PLACEMARKER + 1;
export const ONE = PLACEMARKER + 2;
export const DEFINED = PLACEMARKER + 3;
export const VA_ARGS = PLACEMARKER + 4;

export function createSymbols(): Symbols {
  const symbols: Symbols = { names: [''], kinds: [TokenKind.end], index: new Map() };
  for (const name of PUNCTUATORS) intern(symbols, name, TokenKind.punctuator);
  intern(symbols, '\0placemarker', TokenKind.placemarker);
  for (const name of FIXED_WORDS) {
    intern(symbols, name, /\d/.test(name) ? TokenKind.number : TokenKind.identifier);
  }
  return symbols;
}

export function intern(symbols: Symbols, name: string, kind: number): number {
  const known = symbols.index.get(name);
  if (known !== undefined) return known;
  const symbol = symbols.names.length;
  symbols.names.push(name);
  symbols.kinds.push(kind);
  symbols.index.set(name, symbol);
  return symbol;
}

export function spelling(symbols: Symbols, symbol: number): string {
  return symbols.names[symbol] ?? '';
}
