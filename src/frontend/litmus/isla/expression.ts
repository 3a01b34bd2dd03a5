import { reject, type Position } from '../problem.ts';
import type { SourceText } from '../source-text.ts';

/** An expression of the page-table set-up, of a register reset or of an assertion. */
export type Expression =
  | { readonly kind: 'name'; readonly name: string; readonly at: Position }
  /** `L0:`, the address of a label. */
  | { readonly kind: 'label'; readonly name: string; readonly at: Position }
  /** A number; binary and hexadecimal ones have a width. */
  | {
      readonly kind: 'number';
      readonly value: bigint;
      readonly width: number | null;
      readonly at: Position;
    }
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly args: readonly Expression[];
      readonly named: ReadonlyMap<string, Expression>;
      readonly at: Position;
    };

/** A token of the set-up language. */
export interface IslaToken {
  readonly kind: 'name' | 'number' | 'mark' | 'end';
  readonly text: string;
  readonly at: Position;
}

/** A reader of tokens. */
export interface IslaTokens {
  peek(ahead?: number): IslaToken;
  next(): IslaToken;
  accept(text: string): boolean;
  expect(text: string): void;
}

const TOKEN =
  /(?:\s|\/\/[^\n]*)+|(?<name>[A-Za-z_][A-Za-z0-9_]*)|(?<number>[#0]x[0-9a-fA-F]+|[#0]b[01]+|\d+)|(?<mark>\|->|\?->|->|&&|\|\||==|!=|\.\.|[~&|^=*,.()[\]{};:])/y;

/** The tokens of a quoted text; `//` begins a comment. */
export function islaTokens(source: SourceText): IslaTokens {
  const tokens: IslaToken[] = [];
  const pattern = new RegExp(TOKEN.source, TOKEN.flags);
  for (let i = 0; i < source.text.length; i = pattern.lastIndex) {
    pattern.lastIndex = i;
    const match = pattern.exec(source.text);
    const at = source.position(i);
    if (match === null) {
      return reject('syntax', at, `the character \`${source.text[i] ?? ''}\` means nothing here.`);
    }
    const { name, number, mark } = match.groups ?? {};
    if (name !== undefined) tokens.push({ kind: 'name', text: name, at });
    else if (number !== undefined) tokens.push({ kind: 'number', text: number, at });
    else if (mark !== undefined) tokens.push({ kind: 'mark', text: mark, at });
  }
  const end: IslaToken = { kind: 'end', text: '', at: source.position(source.text.length) };
  let index = 0;
  const peek = (ahead = 0): IslaToken => tokens[index + ahead] ?? end;
  const accept = (text: string): boolean => {
    if (peek().kind === 'end' || peek().text !== text) return false;
    index += 1;
    return true;
  };
  return {
    peek,
    accept,
    next() {
      const token = peek();
      index += 1;
      return token;
    },
    expect(text) {
      if (!accept(text)) unexpectedToken(peek(), `\`${text}\``);
    },
  };
}

/** Gives up at a token. */
export function unexpectedToken(token: IslaToken, wanted: string): never {
  const found = token.kind === 'end' ? 'the end of the text' : `\`${token.text}\``;
  return reject('syntax', token.at, `expected ${wanted}, found ${found}.`);
}

/** The next token, which has to be a name. */
export function nameToken(tokens: IslaTokens, wanted: string): string {
  const token = tokens.next();
  return token.kind === 'name' ? token.text : unexpectedToken(token, wanted);
}

const BINARY: ReadonlyMap<string, string> = new Map([
  ['&&', 'and_bool'],
  ['||', 'or_bool'],
  ['&', 'and_bits'],
  ['|', 'or_bits'],
  ['^', 'xor_bits'],
  ['==', 'eq'],
  ['!=', 'neq'],
]);

function call(name: string, args: readonly Expression[], at: Position): Expression {
  return { kind: 'call', name, args, named: new Map(), at };
}

/** One operator at most: isla has no precedences. */
export function parseExpression(tokens: IslaTokens): Expression {
  const { at } = tokens.peek();
  const left = parseUnaryExpression(tokens);
  const operator = BINARY.get(tokens.peek().text);
  if (operator === undefined) return left;
  tokens.next();
  return call(operator, [left, parseUnaryExpression(tokens)], at);
}

function parseUnaryExpression(tokens: IslaTokens): Expression {
  const { at } = tokens.peek();
  return tokens.accept('~') ? call('not', [parseAtom(tokens)], at) : parseAtom(tokens);
}

/** A name, number, call, label or bracketed expression, with slices behind it. */
export function parseAtom(tokens: IslaTokens): Expression {
  let atom = parsePlainAtom(tokens);
  while (tokens.peek().text === '[') {
    const { at } = tokens.next();
    const high = parseExpression(tokens);
    tokens.expect('..');
    const low = parseExpression(tokens);
    tokens.expect(']');
    atom = call('slice', [atom, high, low], at);
  }
  return atom;
}

function parsePlainAtom(tokens: IslaTokens): Expression {
  const token = tokens.next();
  if (token.text === '(') {
    const inner = parseExpression(tokens);
    tokens.expect(')');
    return inner;
  }
  if (token.kind === 'number') return numberOf(token);
  if (token.kind !== 'name') return unexpectedToken(token, 'an expression');
  if (tokens.accept('(')) return parseCall(tokens, token);
  if (tokens.accept(':')) return { kind: 'label', name: token.text, at: token.at };
  return { kind: 'name', name: token.text, at: token.at };
}

function numberOf(token: IslaToken): Expression {
  const digits = token.text.replace(/^[#0]([xb])/, '0$1');
  const width = digits.startsWith('0x')
    ? (digits.length - 2) * 4
    : digits.startsWith('0b')
      ? digits.length - 2
      : null;
  return { kind: 'number', value: BigInt(digits), width, at: token.at };
}

function parseCall(tokens: IslaTokens, name: IslaToken): Expression {
  const args: Expression[] = [];
  const named = new Map<string, Expression>();
  while (!tokens.accept(')')) {
    if (tokens.peek().kind === 'name' && tokens.peek(1).text === '=') {
      const keyword = tokens.next().text;
      tokens.next();
      named.set(keyword, parseExpression(tokens));
    } else args.push(parseExpression(tokens));
    if (!tokens.accept(',')) {
      tokens.expect(')');
      break;
    }
  }
  return { kind: 'call', name: name.text, args, named, at: name.at };
}
