import { reject, type Position } from '../problem.ts';
import type { SourceText } from '../source-text.ts';

/** A token of an initial state or condition. */
export interface Token {
  readonly kind: 'name' | 'number' | 'string' | 'mark' | 'end';
  readonly text: string;
  readonly at: Position;
}

/** A reader of tokens with as much look-ahead as it takes. */
export interface Tokens {
  peek(ahead?: number): Token;
  /** The next token, which is passed over. */
  next(): Token;
  /** Passes over the mark or name if it is next. */
  accept(text: string): boolean;
  /** Passes over the mark or name; gives up when it is not next. */
  expect(text: string): void;
}

const TOKEN =
  /\s+|(?<name>_?[A-Za-z$](?:[\w.$]|-(?=[A-Za-z])|\/(?!\\))*)|(?<number>-?(?:0[xX][0-9a-fA-F]+|\d+))|"(?<string>[^"]*)"|(?<mark>\/\\|\\\/|=>|==|!=|<>|[()[\]{}<>=~,;:&*+|])/y;

/** The tokens of a part of a source. */
export function tokenize(source: SourceText, part: { text: string; offset: number }): Tokens {
  const tokens: Token[] = [];
  const pattern = new RegExp(TOKEN.source, TOKEN.flags);
  for (let i = 0; i < part.text.length; i = pattern.lastIndex) {
    pattern.lastIndex = i;
    const match = pattern.exec(part.text);
    const at = source.position(part.offset + i);
    if (match === null) {
      return reject('syntax', at, `the character \`${part.text[i] ?? ''}\` means nothing here.`);
    }
    const { name, number, string, mark } = match.groups ?? {};
    if (name !== undefined) tokens.push({ kind: 'name', text: name, at });
    else if (number !== undefined) tokens.push({ kind: 'number', text: number, at });
    else if (string !== undefined) tokens.push({ kind: 'string', text: string, at });
    else if (mark !== undefined) tokens.push({ kind: 'mark', text: mark, at });
  }
  const end: Token = {
    kind: 'end',
    text: '',
    at: source.position(part.offset + part.text.length),
  };
  let index = 0;
  const peek = (ahead = 0): Token => tokens[index + ahead] ?? end;
  const accept = (text: string): boolean => {
    const token = peek();
    if (token.kind === 'string' || token.kind === 'end' || token.text !== text) return false;
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
      if (!accept(text)) unexpected(peek(), `\`${text}\``);
    },
  };
}

/** Gives up at a token. */
export function unexpected(token: Token, wanted: string): never {
  const found = token.kind === 'end' ? 'the end of this part' : `\`${token.text}\``;
  return reject('syntax', token.at, `expected ${wanted}, found ${found}.`);
}

/** The next token, which has to be a name. */
export function expectName(tokens: Tokens, wanted: string): string {
  const token = tokens.next();
  return token.kind === 'name' ? token.text : unexpected(token, wanted);
}

/** The next token, which has to be a number. */
export function expectNumber(tokens: Tokens): bigint {
  const token = tokens.next();
  return token.kind === 'number' ? numberOf(token.text) : unexpected(token, 'a number');
}

/** The value of a number token. */
export function numberOf(text: string): bigint {
  return text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);
}
