import { failAt, outermost, type State } from './state.ts';
import { P, spelling, TokenKind } from './symbols.ts';
import { STRIDE, type TokenBuffer } from './token-buffer.ts';

interface Value {
  readonly value: bigint;
  readonly unsigned: boolean;
}

interface Reader {
  readonly state: State;
  readonly tokens: TokenBuffer;
  at: number;
  readonly location: number;
  depth: number;
}

const PRECEDENCE: ReadonlyMap<number, number> = new Map([
  [P['||'], 1],
  [P['&&'], 2],
  [P['|'], 3],
  [P['^'], 4],
  [P['&'], 5],
  [P['=='], 6],
  [P['!='], 6],
  [P['<'], 7],
  [P['>'], 7],
  [P['<='], 7],
  [P['>='], 7],
  [P['<<'], 8],
  [P['>>'], 8],
  [P['+'], 9],
  [P['-'], 9],
  [P['*'], 10],
  [P['/'], 10],
  [P['%'], 10],
]);

/** Evaluates the expanded tokens of an `#if` in 64 bits (C11 6.10.1 p4). */
export function evaluateCondition(state: State, tokens: TokenBuffer, location: number): boolean {
  const reader: Reader = { state, tokens, at: 0, location, depth: 0 };
  if (tokens.length === 0) throw failAt(state, location, 'this #if has no expression');
  const result = ternary(reader, true);
  if (reader.at < tokens.length) {
    throw fail(reader, `"${word(reader)}" is not expected in this #if expression`);
  }
  return result.value !== 0n;
}

function ternary(reader: Reader, live: boolean): Value {
  reader.depth += 1;
  if (reader.depth > 500) throw fail(reader, 'this #if expression is nested too deeply');
  const test = binary(reader, 1, live);
  let result = test;
  if (take(reader, P['?'])) {
    const yes = ternary(reader, live && test.value !== 0n);
    if (!take(reader, P[':'])) throw fail(reader, 'this #if expression lacks a ":"');
    const no = ternary(reader, live && test.value === 0n);
    const unsigned = yes.unsigned || no.unsigned;
    result = wrap(test.value !== 0n ? yes.value : no.value, unsigned);
  }
  reader.depth -= 1;
  return result;
}

function binary(reader: Reader, least: number, live: boolean): Value {
  let left = unary(reader, live);
  for (;;) {
    const operator = peek(reader);
    const precedence = PRECEDENCE.get(operator);
    if (precedence === undefined || precedence < least) return left;
    reader.at += STRIDE;
    const decided =
      (operator === P['&&'] && left.value === 0n) || (operator === P['||'] && left.value !== 0n);
    const right = binary(reader, precedence + 1, live && !decided);
    left = operate(reader, operator, left, right, live);
  }
}

function unary(reader: Reader, live: boolean): Value {
  const symbol = peek(reader);
  reader.depth += 1;
  if (reader.depth > 500) throw fail(reader, 'this #if expression is nested too deeply');
  let result: Value;
  if (take(reader, P['!'])) {
    result = { value: unary(reader, live).value === 0n ? 1n : 0n, unsigned: false };
  } else if (take(reader, P['-'])) {
    const { value, unsigned } = unary(reader, live);
    result = wrap(-value, unsigned);
  } else if (take(reader, P['~'])) {
    const { value, unsigned } = unary(reader, live);
    result = wrap(~value, unsigned);
  } else if (take(reader, P['+'])) {
    result = unary(reader, live);
  } else if (take(reader, P['('])) {
    result = ternary(reader, live);
    if (take(reader, P[','])) throw fail(reader, 'a comma is not allowed in #if');
    if (!take(reader, P[')'])) throw fail(reader, 'this #if expression lacks a ")"');
  } else {
    result = primary(reader, symbol);
  }
  reader.depth -= 1;
  return result;
}

function primary(reader: Reader, symbol: number): Value {
  const { symbols } = reader.state.sources;
  const kind = symbols.kinds[symbol];
  const text = spelling(symbols, symbol);
  if (symbol === 0) throw fail(reader, 'this #if expression ends too early');
  reader.at += STRIDE;
  switch (kind ?? TokenKind.end) {
    case TokenKind.number: {
      const parsed = parseInteger(text);
      if (parsed === null) throw fail(reader, `"${text}" is no integer, as #if needs`);
      return parsed;
    }
    case TokenKind.character:
      return { value: BigInt(characterValue(text)), unsigned: false };
    case TokenKind.identifier:
      // C11 6.10.1 p4: what is still an identifier after expansion counts as 0.
      reader.state.undefinedTested.add(symbol);
      return { value: 0n, unsigned: false };
    default:
      throw fail(reader, `"${text}" is not expected in this #if expression`);
  }
}

function operate(reader: Reader, operator: number, a: Value, b: Value, live: boolean): Value {
  const unsigned = a.unsigned || b.unsigned;
  const x = unsigned ? BigInt.asUintN(64, a.value) : a.value;
  const y = unsigned ? BigInt.asUintN(64, b.value) : b.value;
  const truth = (value: boolean): Value => ({ value: value ? 1n : 0n, unsigned: false });
  switch (operator) {
    case P['||']:
      return truth(x !== 0n || y !== 0n);
    case P['&&']:
      return truth(x !== 0n && y !== 0n);
    case P['|']:
      return wrap(x | y, unsigned);
    case P['^']:
      return wrap(x ^ y, unsigned);
    case P['&']:
      return wrap(x & y, unsigned);
    case P['==']:
      return truth(x === y);
    case P['!=']:
      return truth(x !== y);
    case P['<']:
      return truth(x < y);
    case P['>']:
      return truth(x > y);
    case P['<=']:
      return truth(x <= y);
    case P['>=']:
      return truth(x >= y);
    case P['<<']:
      return wrap(a.value << (BigInt.asUintN(64, b.value) & 63n), a.unsigned);
    case P['>>']:
      return wrap(a.value >> (BigInt.asUintN(64, b.value) & 63n), a.unsigned);
    case P['+']:
      return wrap(x + y, unsigned);
    case P['-']:
      return wrap(x - y, unsigned);
    case P['*']:
      return wrap(x * y, unsigned);
    default:
      if (y === 0n) {
        if (live) throw fail(reader, 'this #if expression divides by zero');
        return wrap(0n, unsigned);
      }
      return wrap(operator === P['/'] ? x / y : x % y, unsigned);
  }
}

function wrap(value: bigint, unsigned: boolean): Value {
  return { value: unsigned ? BigInt.asUintN(64, value) : BigInt.asIntN(64, value), unsigned };
}

/** An integer constant with its suffix; `null` for anything else, floating constants included. */
export function parseInteger(text: string): Value | null {
  const match = /^(0[xX][0-9a-fA-F]+|0[bB][01]+|\d+)([uU]?[lL]{0,2}[uU]?)$/.exec(text);
  if (match === null) return null;
  const digits = match[1] ?? '0';
  const octal = /^0\d+$/.test(digits);
  if (octal && /[89]/.test(digits)) return null;
  const value = BigInt(octal ? `0o${digits.slice(1)}` : digits);
  const unsigned = /u/i.test(match[2] ?? '') || value > 0x7fffffffffffffffn;
  return wrap(value, unsigned);
}

const ESCAPES: Readonly<Record<string, number>> = {
  n: 10,
  t: 9,
  r: 13,
  a: 7,
  b: 8,
  f: 12,
  v: 11,
  e: 27,
  '0': 0,
};

/**
 * The value of a character constant such as `'a'` or `'\x1b'`; characters are unsigned on arm64. Of several
 * characters gcc makes one number, a byte for each.
 */
export function characterValue(text: string): number {
  const inner = text.slice(text.indexOf("'") + 1, -1);
  const each = inner.match(/\\x[0-9a-fA-F]+|\\[0-7]{1,3}|\\?[\s\S]/gu) ?? [];
  return each.reduce((value, one) => (value << 8) | oneCharacter(one), 0);
}

function oneCharacter(inner: string): number {
  if (!inner.startsWith('\\')) return inner.codePointAt(0) ?? 0;
  const hex = /^\\x([0-9a-fA-F]+)/.exec(inner);
  if (hex !== null) return parseInt(hex[1] ?? '0', 16) & 0xff;
  const octal = /^\\([0-7]{1,3})/.exec(inner);
  if (octal !== null) return parseInt(octal[1] ?? '0', 8) & 0xff;
  const letter = inner.charAt(1);
  return ESCAPES[letter] ?? letter.charCodeAt(0);
}

function peek(reader: Reader): number {
  return reader.at < reader.tokens.length ? (reader.tokens.data[reader.at] ?? 0) : 0;
}

function take(reader: Reader, symbol: number): boolean {
  if (peek(reader) !== symbol) return false;
  reader.at += STRIDE;
  return true;
}

function word(reader: Reader): string {
  return spelling(reader.state.sources.symbols, peek(reader));
}

function fail(reader: Reader, message: string): Error {
  const { state, tokens, location } = reader;
  const at = Math.min(reader.at, tokens.length - STRIDE);
  const place =
    at >= 0 ? outermost(state, tokens.data[at + 2] ?? 0, tokens.data[at + 3] ?? 0) : location;
  return failAt(state, place, message);
}
