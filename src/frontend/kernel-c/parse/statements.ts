import { P } from '../preprocess/symbols.ts';
import type {
  AsmOperand,
  AsmStatement,
  Compound,
  Declaration,
  Expression,
  Statement,
} from './ast.ts';
import { parseStaticAssert } from './declarations.ts';
import { Keyword, STARTS_TYPE } from './keywords.ts';
import { stringLiteral } from './literals.ts';
import {
  atName,
  createScope,
  enter,
  expect,
  keyword,
  type Parser,
  peek,
  peekAfter,
  startsType,
  take,
  takeKeyword,
  takeName,
} from './parser.ts';

export function parseCompound(parser: Parser): Compound {
  const at = parser.at;
  enter(parser);
  expect(parser, P['{'], 'before a block');
  parser.scopes.push(createScope());
  const items: Statement[] = [];
  while (peek(parser) !== P['}']) items.push(parseItem(parser));
  const end = parser.at;
  parser.at += 1;
  parser.scopes.pop();
  parser.depth -= 1;
  return { kind: 'compound', at, end, items };
}

/** A statement or a declaration. */
function parseItem(parser: Parser): Statement {
  if (takeKeyword(parser, Keyword.label)) {
    const at = parser.at;
    const names: string[] = [];
    while (peek(parser) !== P[';']) {
      names.push(takeName(parser, 'after __label__'));
      take(parser, P[',']);
    }
    parser.at += 1;
    return { kind: 'local-labels', at, names };
  }
  return startsDeclaration(parser) ? parser.grammar.declaration(parser) : parseStatement(parser);
}

function startsDeclaration(parser: Parser): boolean {
  let word = keyword(parser);
  if (word === Keyword.extension) {
    const next = parser.keywords[peekAfter(parser, 1)] ?? 0;
    if ((STARTS_TYPE[next] ?? 0) === 0) return false;
    parser.at += 1;
    word = next;
  }
  if (word === Keyword.attribute)
    return peekAfter(parser, 1) !== P[';'] && attributeStartsType(parser);
  if (word !== 0) return (STARTS_TYPE[word] ?? 0) !== 0;
  return startsType(parser) && peekAfter(parser, 1) !== P[':'];
}

/** `__attribute__((...)) int x;` is a declaration, `__attribute__((fallthrough));` is not. */
function attributeStartsType(parser: Parser): boolean {
  const start = parser.at;
  parser.grammar.attributes(parser);
  const result = startsType(parser) || STARTS_TYPE[keyword(parser)] === 2;
  parser.at = start;
  return result;
}

export function parseStatement(parser: Parser): Statement {
  enter(parser);
  const result = statement(parser);
  parser.depth -= 1;
  return result;
}

function statement(parser: Parser): Statement {
  const at = parser.at;
  if (peek(parser) === P['{']) return parseCompound(parser);
  if (take(parser, P[';'])) return { kind: 'empty', at };
  switch (keyword(parser)) {
    case Keyword.none:
      if (atName(parser) && peekAfter(parser, 1) === P[':']) {
        const name = takeName(parser, 'before ":"');
        parser.at += 1;
        parser.grammar.attributes(parser);
        return { kind: 'label', at, name, body: labelled(parser) };
      }
      break;
    case Keyword.if: {
      parser.at += 1;
      const test = parenthesised(parser, 'after if');
      const yes = parseStatement(parser);
      const no = takeKeyword(parser, Keyword.else) ? parseStatement(parser) : null;
      return { kind: 'if', at, test, yes, no };
    }
    case Keyword.while: {
      parser.at += 1;
      const test = parenthesised(parser, 'after while');
      return { kind: 'while', at, test, body: parseStatement(parser) };
    }
    case Keyword.do: {
      parser.at += 1;
      const body = parseStatement(parser);
      if (!takeKeyword(parser, Keyword.while)) expect(parser, P['('], 'with while after do');
      const test = parenthesised(parser, 'after while');
      expect(parser, P[';'], 'after do ... while');
      return { kind: 'do', at, body, test };
    }
    case Keyword.for:
      return parseFor(parser);
    case Keyword.switch: {
      parser.at += 1;
      const value = parenthesised(parser, 'after switch');
      return { kind: 'switch', at, value, body: parseStatement(parser) };
    }
    case Keyword.case: {
      parser.at += 1;
      const low = parser.grammar.constant(parser);
      const high = take(parser, P['...']) ? parser.grammar.constant(parser) : null;
      expect(parser, P[':'], 'after case');
      return { kind: 'case', at, low, high, body: labelled(parser) };
    }
    case Keyword.default:
      parser.at += 1;
      expect(parser, P[':'], 'after default');
      return { kind: 'default', at, body: labelled(parser) };
    case Keyword.goto: {
      parser.at += 1;
      if (take(parser, P['*'])) {
        const target = parser.grammar.expression(parser);
        expect(parser, P[';'], 'after goto');
        return { kind: 'goto-address', at, target };
      }
      const label = takeName(parser, 'after goto');
      expect(parser, P[';'], 'after goto');
      return { kind: 'goto', at, label };
    }
    case Keyword.break:
      parser.at += 1;
      expect(parser, P[';'], 'after break');
      return { kind: 'break', at };
    case Keyword.continue:
      parser.at += 1;
      expect(parser, P[';'], 'after continue');
      return { kind: 'continue', at };
    case Keyword.return: {
      parser.at += 1;
      const value = peek(parser) === P[';'] ? null : parser.grammar.expression(parser);
      expect(parser, P[';'], 'after return');
      return { kind: 'return', at, value };
    }
    case Keyword.asm:
      return parseAsm(parser);
    case Keyword.staticAssert:
      return parseStaticAssert(parser);
    case Keyword.attribute:
      parser.grammar.attributes(parser);
      return parseStatement(parser);
    default:
      break;
  }
  const expression = parser.grammar.expression(parser);
  expect(parser, P[';'], 'after an expression');
  return { kind: 'expression', at, expression };
}

/** What a label stands on; at the end of a block it may be nothing. */
function labelled(parser: Parser): Statement {
  if (peek(parser) === P['}']) return { kind: 'empty', at: parser.at };
  enter(parser);
  const result = parseItem(parser);
  parser.depth -= 1;
  return result;
}

function parseFor(parser: Parser): Statement {
  const at = parser.at;
  parser.at += 1;
  expect(parser, P['('], 'after for');
  parser.scopes.push(createScope());
  let init: Declaration | Expression | null = null;
  if (startsDeclaration(parser)) init = parser.grammar.declaration(parser);
  else {
    if (peek(parser) !== P[';']) init = parser.grammar.expression(parser);
    expect(parser, P[';'], 'in for');
  }
  const test = peek(parser) === P[';'] ? null : parser.grammar.expression(parser);
  expect(parser, P[';'], 'in for');
  const step = peek(parser) === P[')'] ? null : parser.grammar.expression(parser);
  expect(parser, P[')'], 'after for');
  const body = parseStatement(parser);
  parser.scopes.pop();
  return { kind: 'for', at, init, test, step, body };
}

function parenthesised(parser: Parser, where: string): Expression {
  expect(parser, P['('], where);
  const expression = parser.grammar.expression(parser);
  expect(parser, P[')'], where);
  return expression;
}

/** `asm volatile goto ("..." : outputs : inputs : clobbers : labels);` */
export function parseAsm(parser: Parser): AsmStatement {
  const at = parser.at;
  parser.at += 1;
  let volatile = false;
  for (;;) {
    if (takeKeyword(parser, Keyword.volatile)) volatile = true;
    else if (!takeKeyword(parser, Keyword.goto) && !takeKeyword(parser, Keyword.inline)) break;
  }
  expect(parser, P['('], 'after asm');
  const template = stringLiteral(parser).text;
  const outputs = take(parser, P[':']) ? parseOperands(parser) : [];
  const inputs = take(parser, P[':']) ? parseOperands(parser) : [];
  const clobbers: string[] = [];
  if (take(parser, P[':'])) {
    while (peek(parser) !== P[':'] && peek(parser) !== P[')']) {
      clobbers.push(stringLiteral(parser).text);
      if (!take(parser, P[','])) break;
    }
  }
  const labels: string[] = [];
  if (take(parser, P[':'])) {
    while (peek(parser) !== P[')']) {
      labels.push(takeName(parser, 'among the labels of asm goto'));
      if (!take(parser, P[','])) break;
    }
  }
  expect(parser, P[')'], 'after asm');
  expect(parser, P[';'], 'after asm');
  return { kind: 'asm', at, volatile, template, outputs, inputs, clobbers, labels };
}

function parseOperands(parser: Parser): AsmOperand[] {
  const operands: AsmOperand[] = [];
  while (peek(parser) !== P[':'] && peek(parser) !== P[')']) {
    const at = parser.at;
    let name: string | null = null;
    if (take(parser, P['['])) {
      name = takeName(parser, 'in an asm operand');
      expect(parser, P[']'], 'in an asm operand');
    }
    const constraint = stringLiteral(parser).text;
    expect(parser, P['('], 'in an asm operand');
    const expression = parser.grammar.expression(parser);
    expect(parser, P[')'], 'in an asm operand');
    operands.push({ at, name, constraint, expression });
    if (!take(parser, P[','])) break;
  }
  return operands;
}
