import { characterValue, parseInteger } from '../preprocess/condition.ts';
import { TokenKind } from '../preprocess/symbols.ts';
import { textAt } from '../preprocess/token-stream.ts';
import type { BaseType, Expression, IntegerLiteral } from './ast.ts';
import { fail, type Parser, peek } from './parser.ts';

/** A number as C11 6.4.4 reads it, integer or floating. */
export function numberLiteral(parser: Parser): Expression {
  const at = parser.at;
  const text = textAt(parser.stream, at);
  parser.at += 1;
  const parsed = parseInteger(text);
  if (parsed !== null) {
    const value = BigInt.asUintN(64, parsed.value);
    return { kind: 'integer', at, value, type: integerType(text, value) };
  }
  if (/^(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fFlL]?$|^0[xX][\da-fA-F.]+[pP]/.test(text)) {
    return { kind: 'float', at, text };
  }
  throw fail(parser, at, `"${text}" is no number`);
}

/** The first type of the list in C11 6.4.4.1 p5 that holds the value. */
function integerType(text: string, value: bigint): BaseType {
  const suffix = /[uUlL]*$/.exec(text)?.[0].toLowerCase() ?? '';
  const unsigned = suffix.includes('u');
  const longs = suffix.replace('u', '').length;
  const decimal = /^[1-9]/.test(text);
  if (longs === 0) {
    if (!unsigned && value <= 0x7fffffffn) return 'int';
    if ((unsigned || !decimal) && value <= 0xffffffffn) return 'unsigned int';
  }
  const name = longs === 2 ? 'long long' : 'long';
  return !unsigned && value <= 0x7fffffffffffffffn ? name : `unsigned ${name}`;
}

export function characterLiteral(parser: Parser): IntegerLiteral {
  const at = parser.at;
  parser.at += 1;
  return {
    kind: 'integer',
    at,
    value: BigInt(characterValue(textAt(parser.stream, at))),
    type: 'int',
  };
}

/** One or more adjacent string literals. */
export function stringLiteral(parser: Parser): {
  readonly kind: 'string';
  readonly at: number;
  readonly text: string;
  readonly wide: boolean;
} {
  const at = parser.at;
  const { kinds } = parser.stream.sources.symbols;
  let text = '';
  let wide = false;
  while (kinds[peek(parser)] === TokenKind.string) {
    const raw = textAt(parser.stream, parser.at);
    const quote = raw.indexOf('"');
    if (quote > 0 && raw.slice(0, quote) !== 'u8') wide = true;
    text += decode(raw.slice(quote + 1, -1));
    parser.at += 1;
  }
  return { kind: 'string', at, text, wide };
}

const ESCAPE = /\\(?:x([0-9a-fA-F]+)|([0-7]{1,3})|([\s\S]))|[\u0080-\uffff]+/g;
const LETTERS: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  e: '\x1b',
};

function decode(text: string): string {
  if (!/[\\\u0080-\uffff]/.test(text)) return text;
  return text.replace(ESCAPE, (whole, hex?: string, octal?: string, letter?: string) => {
    if (hex !== undefined) return String.fromCharCode(parseInt(hex, 16) & 0xff);
    if (octal !== undefined) return String.fromCharCode(parseInt(octal, 8) & 0xff);
    if (letter !== undefined) return LETTERS[letter] ?? letter;
    return Array.from(new TextEncoder().encode(whole), (byte) => String.fromCharCode(byte)).join(
      '',
    );
  });
}
