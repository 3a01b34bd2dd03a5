import { P, TokenKind } from '../preprocess/symbols.ts';
import type { BinaryOperator, Expression, OffsetStep, TypeSyntax, UnaryOperator } from './ast.ts';
import { Keyword } from './keywords.ts';
import { characterLiteral, numberLiteral, stringLiteral } from './literals.ts';
import {
  enter,
  expect,
  keyword,
  nameInUnit,
  type Parser,
  peek,
  peekAfter,
  symbolStartsType,
  take,
  takeKeyword,
  takeName,
  unexpected,
} from './parser.ts';

const BINARY = new Uint8Array(64);
const OPERATOR: (BinaryOperator | undefined)[] = [];
const ASSIGNMENT: (BinaryOperator | null | undefined)[] = [];

const LEVELS: readonly (readonly BinaryOperator[])[] = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<', '>', '<=', '>='],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];
LEVELS.forEach((operators, level) => {
  for (const operator of operators) {
    BINARY[P[operator]] = level + 1;
    OPERATOR[P[operator]] = operator;
  }
});
ASSIGNMENT[P['=']] = null;
ASSIGNMENT[P['*=']] = '*';
ASSIGNMENT[P['/=']] = '/';
ASSIGNMENT[P['%=']] = '%';
ASSIGNMENT[P['+=']] = '+';
ASSIGNMENT[P['-=']] = '-';
ASSIGNMENT[P['<<=']] = '<<';
ASSIGNMENT[P['>>=']] = '>>';
ASSIGNMENT[P['&=']] = '&';
ASSIGNMENT[P['^=']] = '^';
ASSIGNMENT[P['|=']] = '|';

const UNARY: (UnaryOperator | undefined)[] = [];
for (const operator of ['-', '+', '!', '~', '*', '&'] as const) UNARY[P[operator]] = operator;

export function parseExpression(parser: Parser): Expression {
  let left = parseAssignment(parser);
  while (peek(parser) === P[',']) {
    const at = parser.at;
    parser.at += 1;
    left = { kind: 'comma', at, left, right: parseAssignment(parser) };
  }
  return left;
}

export function parseAssignment(parser: Parser): Expression {
  enter(parser);
  const left = parseConditional(parser);
  const at = parser.at;
  const operator = ASSIGNMENT[peek(parser)];
  let result = left;
  if (operator !== undefined) {
    parser.at += 1;
    result = { kind: 'assign', at, operator, target: left, value: parseAssignment(parser) };
  }
  parser.depth -= 1;
  return result;
}

export function parseConditional(parser: Parser): Expression {
  const test = parseBinary(parser, 1);
  const at = parser.at;
  if (!take(parser, P['?'])) return test;
  enter(parser);
  const yes = peek(parser) === P[':'] ? null : parseExpression(parser);
  expect(parser, P[':'], 'in a conditional expression');
  const no = parseConditional(parser);
  parser.depth -= 1;
  return { kind: 'conditional', at, test, yes, no };
}

function parseBinary(parser: Parser, least: number): Expression {
  let left = parseUnary(parser);
  for (;;) {
    const symbol = peek(parser);
    const level = symbol < 64 ? (BINARY[symbol] ?? 0) : 0;
    const operator = OPERATOR[symbol];
    if (level < least || level === 0 || operator === undefined) return left;
    const at = parser.at;
    parser.at += 1;
    left = { kind: 'binary', at, operator, left, right: parseBinary(parser, level + 1) };
  }
}

/** Casts and everything that binds at least as tightly. */
function parseUnary(parser: Parser): Expression {
  enter(parser);
  const result = unary(parser);
  parser.depth -= 1;
  return result;
}

function unary(parser: Parser): Expression {
  const at = parser.at;
  const symbol = peek(parser);
  if (symbol === P['(']) {
    if (symbolStartsType(parser, peekAfter(parser, 1))) return castOrLiteral(parser);
    return parsePostfix(parser, parsePrimary(parser));
  }
  const operator = UNARY[symbol];
  if (operator !== undefined) {
    parser.at += 1;
    return { kind: 'unary', at, operator, operand: parseUnary(parser) };
  }
  if (symbol === P['++'] || symbol === P['--']) {
    parser.at += 1;
    const step = symbol === P['++'] ? '++' : '--';
    return { kind: 'step', at, operator: step, prefix: true, operand: parseUnary(parser) };
  }
  if (symbol === P['&&']) {
    parser.at += 1;
    return { kind: 'label-address', at, label: takeName(parser, 'after "&&"') };
  }
  switch (keyword(parser)) {
    case Keyword.sizeof:
      return measure(parser, 'size');
    case Keyword.alignof:
      return measure(parser, 'alignment');
    case Keyword.extension:
      parser.at += 1;
      return parseUnary(parser);
    default:
      return parsePostfix(parser, parsePrimary(parser));
  }
}

/** `(type) operand` or `(type){ ... }`. */
function castOrLiteral(parser: Parser): Expression {
  const at = parser.at;
  const type = parenthesised(parser);
  if (peek(parser) === P['{']) {
    const initializer = parser.grammar.initializer(parser);
    return parsePostfix(parser, { kind: 'compound-literal', at, type, initializer });
  }
  return { kind: 'cast', at, type, operand: parseUnary(parser) };
}

function parenthesised(parser: Parser): TypeSyntax {
  expect(parser, P['('], 'before a type');
  const type = parser.grammar.typeName(parser);
  expect(parser, P[')'], 'after a type');
  return type;
}

function measure(parser: Parser, what: 'size' | 'alignment'): Expression {
  const at = parser.at;
  parser.at += 1;
  if (peek(parser) === P['('] && symbolStartsType(parser, peekAfter(parser, 1))) {
    const type = parenthesised(parser);
    if (peek(parser) !== P['{']) return { kind: 'measure-type', at, what, type };
    const initializer = parser.grammar.initializer(parser);
    const literal = { kind: 'compound-literal', at, type, initializer } as const;
    return { kind: 'measure-expression', at, what, operand: parsePostfix(parser, literal) };
  }
  return { kind: 'measure-expression', at, what, operand: parseUnary(parser) };
}

function parsePostfix(parser: Parser, first: Expression): Expression {
  let left = first;
  for (;;) {
    const at = parser.at;
    const symbol = peek(parser);
    if (symbol === P['(']) {
      parser.at += 1;
      left = { kind: 'call', at, callee: left, arguments: parseArguments(parser) };
    } else if (symbol === P['[']) {
      parser.at += 1;
      const index = parseExpression(parser);
      expect(parser, P[']'], 'after an index');
      left = { kind: 'index', at, object: left, index };
    } else if (symbol === P['.'] || symbol === P['->']) {
      parser.at += 1;
      const name = memberName(parser);
      left = { kind: 'member', at, object: left, name, arrow: symbol === P['->'] };
    } else if (symbol === P['++'] || symbol === P['--']) {
      parser.at += 1;
      const operator = symbol === P['++'] ? '++' : '--';
      left = { kind: 'step', at, operator, prefix: false, operand: left };
    } else {
      return left;
    }
  }
}

function memberName(parser: Parser): string {
  return takeName(parser, 'after "." or "->"');
}

function parseArguments(parser: Parser): Expression[] {
  const list: Expression[] = [];
  if (take(parser, P[')'])) return list;
  do list.push(parseAssignment(parser));
  while (take(parser, P[',']));
  expect(parser, P[')'], 'after the arguments of a call');
  return list;
}

function parsePrimary(parser: Parser): Expression {
  const at = parser.at;
  const symbol = peek(parser);
  const { kinds } = parser.stream.sources.symbols;
  switch (kinds[symbol] ?? TokenKind.end) {
    case TokenKind.number:
      return numberLiteral(parser);
    case TokenKind.character:
      return characterLiteral(parser);
    case TokenKind.string:
      return stringLiteral(parser);
    case TokenKind.identifier: {
      const word = keyword(parser);
      if (word !== 0) return builtin(parser, word);
      parser.at += 1;
      return { kind: 'identifier', at, name: nameInUnit(parser, at) };
    }
    default:
      break;
  }
  if (!take(parser, P['('])) throw unexpected(parser, 'an expression is missing');
  if (peek(parser) === P['{']) {
    const body = parser.grammar.compound(parser);
    expect(parser, P[')'], 'after a statement expression');
    return { kind: 'statement-expression', at, body };
  }
  const inner = parseExpression(parser);
  expect(parser, P[')'], 'after an expression');
  return inner;
}

function builtin(parser: Parser, word: number): Expression {
  const at = parser.at;
  parser.at += 1;
  switch (word) {
    case Keyword.generic:
      return generic(parser, at);
    case Keyword.offsetof:
      return offset(parser, at);
    case Keyword.typesCompatible: {
      expect(parser, P['('], 'after __builtin_types_compatible_p');
      const a = parser.grammar.typeName(parser);
      expect(parser, P[','], 'between two types');
      const b = parser.grammar.typeName(parser);
      expect(parser, P[')'], 'after two types');
      return { kind: 'types-compatible', at, a, b };
    }
    case Keyword.choose: {
      expect(parser, P['('], 'after __builtin_choose_expr');
      const test = parseAssignment(parser);
      expect(parser, P[','], 'in __builtin_choose_expr');
      const yes = parseAssignment(parser);
      expect(parser, P[','], 'in __builtin_choose_expr');
      const no = parseAssignment(parser);
      expect(parser, P[')'], 'after __builtin_choose_expr');
      return { kind: 'choose', at, test, yes, no };
    }
    case Keyword.vaArg: {
      expect(parser, P['('], 'after __builtin_va_arg');
      const list = parseAssignment(parser);
      expect(parser, P[','], 'in __builtin_va_arg');
      const type = parser.grammar.typeName(parser);
      expect(parser, P[')'], 'after __builtin_va_arg');
      return { kind: 'va-arg', at, list, type };
    }
    default:
      parser.at = at;
      throw unexpected(parser, 'an expression is missing');
  }
}

function generic(parser: Parser, at: number): Expression {
  expect(parser, P['('], 'after _Generic');
  const selector = parseAssignment(parser);
  const choices: { type: TypeSyntax | null; value: Expression }[] = [];
  while (take(parser, P[','])) {
    const type = takeKeyword(parser, Keyword.default) ? null : parser.grammar.typeName(parser);
    expect(parser, P[':'], 'in _Generic');
    choices.push({ type, value: parseAssignment(parser) });
  }
  expect(parser, P[')'], 'after _Generic');
  return { kind: 'generic', at, selector, choices };
}

function offset(parser: Parser, at: number): Expression {
  expect(parser, P['('], 'after __builtin_offsetof');
  const type = parser.grammar.typeName(parser);
  expect(parser, P[','], 'in __builtin_offsetof');
  const path: OffsetStep[] = [{ kind: 'field', name: memberName(parser) }];
  for (;;) {
    if (take(parser, P['.'])) {
      path.push({ kind: 'field', name: memberName(parser) });
    } else if (take(parser, P['['])) {
      path.push({ kind: 'index', index: parseExpression(parser) });
      expect(parser, P[']'], 'in __builtin_offsetof');
    } else {
      break;
    }
  }
  expect(parser, P[')'], 'after __builtin_offsetof');
  return { kind: 'offsetof', at, type, path };
}
