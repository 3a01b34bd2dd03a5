import { parseRegister } from '../assembly/operand.ts';
import type { Register } from '../assembly/instruction.ts';
import type { Proposition } from '../litmus-test.ts';
import { reject, type Position } from '../problem.ts';
import type { SourceText } from '../source-text.ts';
import {
  islaTokens,
  nameToken,
  parseAtom,
  unexpectedToken,
  type Expression,
  type IslaTokens,
} from './expression.ts';

/** An atom of an assertion. */
export type IslaAtom =
  | {
      readonly kind: 'register';
      readonly thread: number;
      readonly register: Register;
      readonly value: Expression;
      readonly at: Position;
    }
  /** `*x = value`: the last write to where the address was mapped at the start. */
  | {
      readonly kind: 'memory';
      readonly name: string;
      readonly value: Expression;
      readonly at: Position;
    };

/** Reads an assertion: `0:X0=1 & (1:X2=0 | *x=1)`, `~`, `->`, `true`. */
export function parseAssertion(source: SourceText): Proposition<IslaAtom> {
  const tokens = islaTokens(source);
  const proposition = parseImplication(tokens);
  if (tokens.peek().kind !== 'end') return unexpectedToken(tokens.peek(), 'the end');
  return proposition;
}

function parseImplication(tokens: IslaTokens): Proposition<IslaAtom> {
  const left = parseOr(tokens);
  if (!tokens.accept('->')) return left;
  return { kind: 'or', of: [{ kind: 'not', of: left }, parseImplication(tokens)] };
}

function parseOr(tokens: IslaTokens): Proposition<IslaAtom> {
  return parseChain(tokens, ['|', '||', 'or'], 'or', (inner) =>
    parseChain(inner, ['&', '&&', 'and'], 'and', parseUnary),
  );
}

function parseChain(
  tokens: IslaTokens,
  marks: readonly string[],
  kind: 'and' | 'or',
  parsePart: (tokens: IslaTokens) => Proposition<IslaAtom>,
): Proposition<IslaAtom> {
  const first = parsePart(tokens);
  const parts = [first];
  while (marks.some((mark) => tokens.accept(mark))) parts.push(parsePart(tokens));
  return parts.length === 1 ? first : { kind, of: parts };
}

function parseUnary(tokens: IslaTokens): Proposition<IslaAtom> {
  if (tokens.accept('~')) return { kind: 'not', of: parseUnary(tokens) };
  if (tokens.accept('true')) return { kind: 'and', of: [] };
  if (tokens.accept('false')) return { kind: 'or', of: [] };
  if (tokens.accept('(')) {
    const inner = parseImplication(tokens);
    tokens.expect(')');
    return inner;
  }
  return { kind: 'atom', atom: parseIslaAtom(tokens) };
}

function parseIslaAtom(tokens: IslaTokens): IslaAtom {
  const { at } = tokens.peek();
  if (tokens.accept('*')) {
    const name = nameToken(tokens, 'an address');
    tokens.expect('=');
    return { kind: 'memory', name, value: parseAtom(tokens), at };
  }
  const thread = tokens.next();
  if (!/^\d+$/.test(thread.text)) return unexpectedToken(thread, 'a thread or `*`');
  tokens.expect(':');
  const register = nameToken(tokens, 'a register');
  const number = registerNumber(register);
  if (number === null) {
    return reject('unsupported', at, `\`${register}\` is not a register that we observe.`);
  }
  tokens.expect('=');
  return {
    kind: 'register',
    thread: Number(thread.text),
    register: number,
    value: parseAtom(tokens),
    at,
  };
}

/** The number of `X0`, `W0` or, as the model calls it, `R0`. */
export function registerNumber(name: string): Register | null {
  return parseRegister(name.replace(/^R(?=\d)/, 'X'))?.register ?? null;
}
