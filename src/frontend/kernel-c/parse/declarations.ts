import { P } from '../preprocess/symbols.ts';
import { STRIDE } from '../preprocess/token-buffer.ts';
import type {
  Attributes,
  Declaration,
  Declarator,
  Designator,
  FunctionType,
  Initializer,
  InitializerItem,
  StaticAssert,
  TypeSyntax,
} from './ast.ts';
import { mergeAttributes } from './attributes.ts';
import { parseDeclarator, type ParsedDeclarator } from './declarators.ts';
import { Keyword } from './keywords.ts';
import { stringLiteral } from './literals.ts';
import {
  afterBracket,
  atFileScope,
  enter,
  expect,
  innermost,
  type Parser,
  peek,
  peekAfter,
  take,
  takeKeyword,
  takeName,
  unexpected,
} from './parser.ts';
import { attribute, parseSpecifiers, type Specifiers } from './specifiers.ts';

/** Reads a declaration; a function definition ends it and is put into `parser.functions`. */
export function parseDeclaration(parser: Parser): Declaration {
  const start = parser.at;
  const specifiers = parseSpecifiers(parser);
  const declarators: Declarator[] = [];
  const { storage, inline } = specifiers;
  const result = { kind: 'declaration', at: start, storage, inline, declarators } as const;
  if (take(parser, P[';'])) return result;
  for (;;) {
    const parsed = parseDeclarator(parser, specifiers.type);
    const { asmName, attributes: after } = trailer(parser);
    const attributes = mergeAttributes(
      specifiers.attributes,
      mergeAttributes(parsed.attributes, after),
    );
    const { name } = parsed;
    if (name === null) throw unexpected(parser, 'a name is missing in this declaration');
    const type = declaredType(parsed, attributes);
    declare(parser, parsed.symbol, storage === 'typedef' ? type : null);
    const isFunction = parsed.type.kind === 'function';
    if (isFunction && declarators.length === 0 && peek(parser) === P['{']) {
      defineFunction(parser, parsed, parsed.type, name, specifiers, attributes);
      return result;
    }
    const initializer = take(parser, P['=']) ? parseInitializer(parser) : null;
    declarators.push({ at: parsed.at, name, type, initializer, attributes, asmName });
    if (!take(parser, P[','])) break;
  }
  expect(parser, P[';'], 'after a declaration');
  return result;
}

/** Alignment and mode belong to the type; `packed` on a variable means nothing here. */
function declaredType(parsed: ParsedDeclarator, attributes: Attributes | null): TypeSyntax {
  if (attributes === null) return parsed.type;
  const matters = attributes.aligned.length > 0 || attributes.mode !== null;
  return matters ? attribute(parsed.type, attributes) : parsed.type;
}

/** Makes a name known in the current scope. */
export function declare(parser: Parser, symbol: number, type: TypeSyntax | null): void {
  if (symbol === 0) return;
  if (type === null && atFileScope(parser)) return;
  innermost(parser).names.set(symbol, type);
}

function trailer(parser: Parser): {
  readonly asmName: string | null;
  readonly attributes: Attributes | null;
} {
  let asmName: string | null = null;
  let attributes = parser.grammar.attributes(parser);
  if (takeKeyword(parser, Keyword.asm)) {
    expect(parser, P['('], 'after asm');
    asmName = stringLiteral(parser).text;
    expect(parser, P[')'], 'after asm("...")');
    attributes = mergeAttributes(attributes, parser.grammar.attributes(parser));
  }
  return { asmName, attributes };
}

function defineFunction(
  parser: Parser,
  parsed: ParsedDeclarator,
  type: FunctionType,
  name: string,
  specifiers: Specifiers,
  attributes: Attributes | null,
): void {
  const bodyStart = parser.at;
  if (!atFileScope(parser)) throw unexpected(parser, 'a function inside a function is not known');
  const bodyEnd = afterBracket(parser, bodyStart);
  const { storage, inline } = specifiers;
  parser.functions.push({
    kind: 'function-definition',
    at: parsed.at,
    name,
    type,
    storage,
    inline,
    attributes,
    bodyStart,
    bodyEnd,
  });
  parser.at = bodyEnd;
}

export function parseInitializer(parser: Parser): Initializer {
  const at = parser.at;
  if (!take(parser, P['{'])) {
    return { kind: 'expression', at, expression: parser.grammar.assignment(parser) };
  }
  enter(parser);
  const items: InitializerItem[] = [];
  while (!take(parser, P['}'])) {
    items.push(parseItem(parser));
    if (!take(parser, P[','])) {
      expect(parser, P['}'], 'after an initializer list');
      break;
    }
  }
  parser.depth -= 1;
  return { kind: 'list', at, items };
}

function parseItem(parser: Parser): InitializerItem {
  const designators: Designator[] = [];
  for (;;) {
    const at = parser.at;
    if (take(parser, P['.'])) {
      designators.push({ kind: 'field', at, name: takeName(parser, 'after "."') });
    } else if (take(parser, P['['])) {
      const low = parser.grammar.constant(parser);
      if (take(parser, P['...'])) {
        designators.push({ kind: 'range', at, low, high: parser.grammar.constant(parser) });
      } else {
        designators.push({ kind: 'index', at, index: low });
      }
      expect(parser, P[']'], 'after a designator');
    } else {
      break;
    }
  }
  if (designators.length > 0) {
    // GNU C also accepts `[3] value` without "=".
    take(parser, P['=']);
  } else if (peekAfter(parser, 1) === P[':'] && parser.keywords[peek(parser)] === 0) {
    // The old GNU form `field: value`.
    const symbol = parser.data[parser.at * STRIDE] ?? 0;
    if (parser.stream.sources.symbols.kinds[symbol] === 1) {
      const at = parser.at;
      designators.push({ kind: 'field', at, name: takeName(parser, 'before ":"') });
      parser.at += 1;
    }
  }
  return { designators, value: parseInitializer(parser) };
}

export function parseStaticAssert(parser: Parser): StaticAssert {
  const at = parser.at;
  parser.at += 1;
  expect(parser, P['('], 'after _Static_assert');
  const test = parser.grammar.constant(parser);
  const message = take(parser, P[',']) ? stringLiteral(parser).text : '';
  expect(parser, P[')'], 'after _Static_assert');
  take(parser, P[';']);
  return { kind: 'static-assert', at, test, message };
}
