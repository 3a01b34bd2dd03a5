import { FrontendError } from '../diagnostic.ts';
import { P, spelling } from '../preprocess/symbols.ts';
import { STRIDE } from '../preprocess/token-buffer.ts';
import { textAt, type TokenStream, useOf } from '../preprocess/token-stream.ts';
import type {
  Attributes,
  Compound,
  Declaration,
  EnumSyntax,
  Expression,
  FunctionDefinition,
  Initializer,
  RecordSyntax,
  TypeSyntax,
} from './ast.ts';
import { keywordTable, STARTS_TYPE } from './keywords.ts';

/** The names that one block declares: a typedef's type, or `null` for an object that hides one. */
export interface Scope {
  readonly names: Map<number, TypeSyntax | null>;
  /** Enumerators that the block declares, with the names by which the unit knows them. */
  readonly enumerators: Map<number, string>;
  readonly records: Map<number, number>;
  readonly enums: Map<number, number>;
}

/**
 * The parts of the grammar call each other in circles; each part reaches the others through this table
 * so that the files do not import each other in circles.
 */
export interface Grammar {
  /** An expression with commas. */
  readonly expression: (parser: Parser) => Expression;
  /** An expression without a comma, as in an argument. */
  readonly assignment: (parser: Parser) => Expression;
  /** A constant expression, as in an array bound. */
  readonly constant: (parser: Parser) => Expression;
  readonly initializer: (parser: Parser) => Initializer;
  readonly typeName: (parser: Parser) => TypeSyntax;
  readonly attributes: (parser: Parser) => Attributes | null;
  /** A record specifier: the parser stands behind `struct` or `union`. */
  readonly record: (parser: Parser, kind: 'struct' | 'union') => TypeSyntax;
  readonly enumeration: (parser: Parser) => TypeSyntax;
  readonly compound: (parser: Parser) => Compound;
  /** A declaration inside a block. */
  readonly declaration: (parser: Parser) => Declaration;
}

/** The state of a parse. It is kept after the file scope was read, to parse function bodies on demand. */
export interface Parser {
  readonly stream: TokenStream;
  readonly data: Int32Array;
  readonly keywords: Uint8Array;
  readonly grammar: Grammar;
  readonly records: RecordSyntax[];
  readonly enums: EnumSyntax[];
  /** Functions defined inside functions are not known; definitions only arise at file scope. */
  readonly functions: FunctionDefinition[];
  /** File scope first, innermost block last. */
  readonly scopes: Scope[];
  /** Called for each enumerator; one of a block has a name that no other has. */
  readonly onEnumerator: (name: string, enumeration: number, index: number) => void;
  /** The next token. */
  at: number;
  /** Tokens end here: the end of the unit, or of the body being parsed. */
  end: number;
  depth: number;
}

/** Deeper nesting than any kernel expression; keeps damaged input from exhausting the stack. */
const MAX_DEPTH = 800;

export function createParser(
  stream: TokenStream,
  grammar: Grammar,
  onEnumerator: Parser['onEnumerator'],
): Parser {
  return {
    stream,
    data: stream.data,
    keywords: keywordTable(stream.sources.symbols),
    grammar,
    records: [],
    enums: [],
    functions: [],
    scopes: [createScope()],
    onEnumerator,
    at: 0,
    end: stream.count,
    depth: 0,
  };
}

export function createScope(): Scope {
  return { names: new Map(), enumerators: new Map(), records: new Map(), enums: new Map() };
}

/** The symbol of the next token, 0 at the end. */
export function peek(parser: Parser): number {
  return parser.at < parser.end ? (parser.data[parser.at * STRIDE] ?? 0) : 0;
}

export function peekAfter(parser: Parser, skip: number): number {
  const at = parser.at + skip;
  return at < parser.end ? (parser.data[at * STRIDE] ?? 0) : 0;
}

export function keyword(parser: Parser): number {
  return parser.keywords[peek(parser)] ?? 0;
}

export function take(parser: Parser, symbol: number): boolean {
  if (peek(parser) !== symbol) return false;
  parser.at += 1;
  return true;
}

export function takeKeyword(parser: Parser, wanted: number): boolean {
  if (keyword(parser) !== wanted) return false;
  parser.at += 1;
  return true;
}

export function expect(parser: Parser, symbol: number, where: string): void {
  if (!take(parser, symbol)) {
    const name = spelling(parser.stream.sources.symbols, symbol);
    throw unexpected(parser, `"${name}" is missing ${where}`);
  }
}

/** An identifier that is no keyword. */
export function takeName(parser: Parser, where: string): string {
  if (!atName(parser)) throw unexpected(parser, `a name is missing ${where}`);
  const name = textAt(parser.stream, parser.at);
  parser.at += 1;
  return name;
}

export function atName(parser: Parser): boolean {
  const symbol = peek(parser);
  return parser.stream.sources.symbols.kinds[symbol] === 1 && (parser.keywords[symbol] ?? 0) === 0;
}

/** True when the next token begins a type: in a cast, in `sizeof`, in a declaration. */
export function startsType(parser: Parser): boolean {
  return symbolStartsType(parser, peek(parser));
}

export function symbolStartsType(parser: Parser, symbol: number): boolean {
  const word = parser.keywords[symbol] ?? 0;
  if (word !== 0) return STARTS_TYPE[word] === 1;
  return typedefOf(parser, symbol) !== null;
}

/** The type behind a typedef name in the current scope, `null` for any other name. */
export function typedefOf(parser: Parser, symbol: number): TypeSyntax | null {
  const { scopes } = parser;
  for (let i = scopes.length - 1; i >= 0; i--) {
    const found = scopes[i]?.names.get(symbol);
    if (found !== undefined) return found;
  }
  return null;
}

/** The name by which the unit knows what an identifier names: another one for an enumerator of a block. */
export function nameInUnit(parser: Parser, at: number): string {
  const symbol = parser.data[at * STRIDE] ?? 0;
  for (let i = parser.scopes.length - 1; i > 0; i--) {
    const enumerator = parser.scopes[i]?.enumerators.get(symbol);
    if (enumerator !== undefined) return enumerator;
    if (parser.scopes[i]?.names.has(symbol) === true) break;
  }
  return textAt(parser.stream, at);
}

export function innermost(parser: Parser): Scope {
  const scope = parser.scopes[parser.scopes.length - 1];
  if (scope === undefined) throw fail(parser, parser.at, 'the parser has lost its scope');
  return scope;
}

export function atFileScope(parser: Parser): boolean {
  return parser.scopes.length === 1;
}

export function fail(parser: Parser, token: number, message: string): FrontendError {
  const place = useOf(parser.stream, token);
  return new FrontendError(place.file, place.line, place.column, message);
}

/** An error at the next token that names it. */
export function unexpected(parser: Parser, message: string): FrontendError {
  const found =
    parser.at < parser.end ? `before "${textAt(parser.stream, parser.at)}"` : 'at the end';
  return fail(parser, Math.min(parser.at, parser.end - 1), `${message} ${found}`);
}

export function enter(parser: Parser): void {
  parser.depth += 1;
  if (parser.depth > MAX_DEPTH) {
    throw fail(parser, parser.at, 'this is nested too deeply; simplify it');
  }
}

/** The token after the bracket that closes the one at `open`; brackets of all kinds are counted. */
export function afterBracket(parser: Parser, open: number): number {
  const { data, end } = parser;
  let depth = 0;
  for (let at = open; at < end; at++) {
    const symbol = data[at * STRIDE] ?? 0;
    if (symbol === P['('] || symbol === P['['] || symbol === P['{']) depth += 1;
    else if (symbol === P[')'] || symbol === P[']'] || symbol === P['}']) {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  throw fail(parser, open, `"${textAt(parser.stream, open)}" is never closed`);
}
