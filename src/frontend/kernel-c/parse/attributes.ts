import { P, TokenKind } from '../preprocess/symbols.ts';
import { textAt } from '../preprocess/token-stream.ts';
import type { Attributes, Expression } from './ast.ts';
import { Keyword } from './keywords.ts';
import { stringLiteral } from './literals.ts';
import { afterBracket, expect, type Parser, peek, take, takeKeyword } from './parser.ts';

type Draft = { -readonly [K in keyof Attributes]: Attributes[K] };

const NONE: Attributes = {
  packed: false,
  aligned: [],
  mode: null,
  cleanup: null,
  alias: null,
  section: null,
  weak: false,
  noreturn: false,
  error: null,
  transparentUnion: false,
};

/** Reads all attribute lists that stand here; `null` when none of them changes a meaning. */
export function parseAttributes(parser: Parser): Attributes | null {
  let draft: Draft | null = null;
  while (takeKeyword(parser, Keyword.attribute)) {
    expect(parser, P['('], 'after __attribute__');
    expect(parser, P['('], 'after __attribute__(');
    while (peek(parser) !== P[')']) {
      if (take(parser, P[','])) continue;
      draft = one(parser, draft);
    }
    expect(parser, P[')'], 'after an attribute');
    expect(parser, P[')'], 'after an attribute');
  }
  return draft;
}

/** Both lists together. */
export function mergeAttributes(a: Attributes | null, b: Attributes | null): Attributes | null {
  if (a === null || b === null) return a ?? b;
  return {
    packed: a.packed || b.packed,
    aligned: [...a.aligned, ...b.aligned],
    mode: b.mode ?? a.mode,
    cleanup: b.cleanup ?? a.cleanup,
    alias: b.alias ?? a.alias,
    section: b.section ?? a.section,
    weak: a.weak || b.weak,
    noreturn: a.noreturn || b.noreturn,
    error: b.error ?? a.error,
    transparentUnion: a.transparentUnion || b.transparentUnion,
  };
}

export function alignedTo(expression: Expression): Attributes {
  return { ...NONE, aligned: [expression] };
}

function one(parser: Parser, draft: Draft | null): Draft | null {
  const name = textAt(parser.stream, parser.at).replace(/^__(.*)__$/, '$1');
  parser.at += 1;
  const open = parser.at;
  const hasArguments = peek(parser) === P['('];
  const end = hasArguments ? afterBracket(parser, open) : open;
  const change = (): Draft => draft ?? { ...NONE };
  let result = draft;
  switch (name) {
    case 'packed':
      result = change();
      result.packed = true;
      break;
    case 'aligned':
      result = change();
      result.aligned = [...result.aligned, hasArguments ? argument(parser) : 'default'];
      break;
    case 'mode':
      result = change();
      result.mode = textAt(parser.stream, open + 1).replace(/^__(.*)__$/, '$1');
      break;
    case 'cleanup':
      result = change();
      result.cleanup = textAt(parser.stream, open + 1);
      break;
    case 'alias':
      result = change();
      result.alias = text(parser, open + 1);
      break;
    case 'section':
      result = change();
      result.section = text(parser, open + 1);
      break;
    case 'error':
      result = change();
      result.error = text(parser, open + 1);
      break;
    case 'weak':
      result = change();
      result.weak = true;
      break;
    case 'noreturn':
      result = change();
      result.noreturn = true;
      break;
    case 'transparent_union':
      result = change();
      result.transparentUnion = true;
      break;
    default:
  }
  parser.at = end;
  return result;
}

function argument(parser: Parser): Expression {
  parser.at += 1;
  return parser.grammar.assignment(parser);
}

function text(parser: Parser, at: number): string {
  parser.at = at;
  const { kinds } = parser.stream.sources.symbols;
  return kinds[peek(parser)] === TokenKind.string ? stringLiteral(parser).text : '';
}
