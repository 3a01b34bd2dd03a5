import { P } from '../preprocess/symbols.ts';
import { textAt } from '../preprocess/token-stream.ts';
import type { Attributes, Parameter, TypeSyntax } from './ast.ts';
import { mergeAttributes } from './attributes.ts';
import { Keyword } from './keywords.ts';
import {
  afterBracket,
  atName,
  enter,
  expect,
  keyword,
  type Parser,
  peek,
  peekAfter,
  symbolStartsType,
  take,
  takeKeyword,
} from './parser.ts';
import { attribute, parseSpecifiers, qualify } from './specifiers.ts';

export interface ParsedDeclarator {
  /** The name's token; the first token when there is no name. */
  readonly at: number;
  readonly symbol: number;
  readonly name: string | null;
  readonly type: TypeSyntax;
  readonly attributes: Attributes | null;
}

/** Reads a declarator, named or abstract, around a base type (C11 6.7.6 and 6.7.7). */
export function parseDeclarator(parser: Parser, base: TypeSyntax): ParsedDeclarator {
  enter(parser);
  let type = base;
  let attributes = parser.grammar.attributes(parser);
  while (take(parser, P['*'])) {
    type = { kind: 'pointer', to: type };
    let isConst = false;
    let isVolatile = false;
    for (;;) {
      if (takeKeyword(parser, Keyword.const)) isConst = true;
      else if (takeKeyword(parser, Keyword.volatile)) isVolatile = true;
      else if (takeKeyword(parser, Keyword.restrict)) continue;
      else if (keyword(parser) === Keyword.attribute) {
        attributes = mergeAttributes(attributes, parser.grammar.attributes(parser));
      } else break;
    }
    type = qualify(type, { const: isConst, volatile: isVolatile });
  }
  let result: ParsedDeclarator;
  if (peek(parser) === P['('] && isGroup(parser)) {
    const open = parser.at;
    parser.at = afterBracket(parser, open);
    type = parseSuffix(parser, type);
    const end = parser.at;
    parser.at = open + 1;
    result = parseDeclarator(parser, type);
    expect(parser, P[')'], 'in a declarator');
    parser.at = end;
  } else if (atName(parser)) {
    const at = parser.at;
    parser.at += 1;
    const symbol = parser.data[at * 4] ?? 0;
    const name = textAt(parser.stream, at);
    result = { at, symbol, name, type: parseSuffix(parser, type), attributes: null };
  } else {
    const at = parser.at;
    result = { at, symbol: 0, name: null, type: parseSuffix(parser, type), attributes: null };
  }
  parser.depth -= 1;
  return { ...result, attributes: mergeAttributes(attributes, result.attributes) };
}

/** `int *(*[3])(void)` and the like, in casts and `sizeof`. */
export function parseTypeName(parser: Parser): TypeSyntax {
  const specifiers = parseSpecifiers(parser);
  const { type, attributes } = parseDeclarator(parser, specifiers.type);
  return attribute(type, mergeAttributes(specifiers.attributes, attributes));
}

/** A parenthesis that groups, as in `(*f)(int)`, and does not hold parameters. */
function isGroup(parser: Parser): boolean {
  const next = peekAfter(parser, 1);
  if (next === P['*'] || next === P['('] || next === P['[']) return true;
  if (parser.keywords[next] === Keyword.attribute) return true;
  if (next === P[')'] || next === P['...']) return false;
  return !symbolStartsType(parser, next);
}

/** Array bounds and parameter lists; the leftmost one is the outermost type. */
function parseSuffix(parser: Parser, base: TypeSyntax): TypeSyntax {
  if (take(parser, P['['])) {
    while (
      takeKeyword(parser, Keyword.static) ||
      takeKeyword(parser, Keyword.const) ||
      takeKeyword(parser, Keyword.restrict)
    );
    const size = peek(parser) === P[']'] ? null : parser.grammar.assignment(parser);
    expect(parser, P[']'], 'after an array bound');
    return { kind: 'array', of: parseSuffix(parser, base), size };
  }
  if (!take(parser, P['('])) return base;
  const parameters: Parameter[] = [];
  let variadic = false;
  if (!take(parser, P[')'])) {
    do {
      if (take(parser, P['...'])) {
        variadic = true;
        break;
      }
      parameters.push(parseParameter(parser));
    } while (take(parser, P[',']));
    expect(parser, P[')'], 'after the parameters of a function');
  }
  const only = parameters[0];
  const isVoid =
    parameters.length === 1 &&
    only?.name === null &&
    only.type.kind === 'base' &&
    only.type.name === 'void';
  return {
    kind: 'function',
    returns: parseSuffix(parser, base),
    parameters: isVoid ? [] : parameters,
    variadic,
  };
}

function parseParameter(parser: Parser): Parameter {
  const specifiers = parseSpecifiers(parser);
  const { at, name, type } = parseDeclarator(parser, specifiers.type);
  parser.grammar.attributes(parser);
  return { at, name, type: decay(type) };
}

/** Arrays and functions as parameters are pointers (C11 6.7.6.3 p7, p8). */
function decay(type: TypeSyntax): TypeSyntax {
  if (type.kind === 'array') return { kind: 'pointer', to: type.of };
  return type.kind === 'function' ? { kind: 'pointer', to: type } : type;
}
