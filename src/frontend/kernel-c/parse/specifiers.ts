import { P } from '../preprocess/symbols.ts';
import { textAt } from '../preprocess/token-stream.ts';
import type { Attributes, BaseType, Qualifiers, Storage, TypeSyntax } from './ast.ts';
import { alignedTo, mergeAttributes } from './attributes.ts';
import { Keyword } from './keywords.ts';
import { expect, keyword, type Parser, peek, startsType, typedefOf, unexpected } from './parser.ts';

/** What stands before the first declarator. */
export interface Specifiers {
  readonly type: TypeSyntax;
  readonly storage: Storage | null;
  readonly inline: boolean;
  readonly attributes: Attributes | null;
  /** True when a struct, union or enum was named or defined: the declaration may then be empty. */
  readonly declaresTag: boolean;
}

interface Draft {
  type: TypeSyntax | null;
  signed: boolean;
  unsigned: boolean;
  longs: number;
  words: string[];
  const: boolean;
  volatile: boolean;
  storage: Storage | null;
  inline: boolean;
  attributes: Attributes | null;
  declaresTag: boolean;
}

/** Reads declaration specifiers (C11 6.7), in any order, with attributes anywhere. */
export function parseSpecifiers(parser: Parser): Specifiers {
  const draft: Draft = {
    type: null,
    signed: false,
    unsigned: false,
    longs: 0,
    words: [],
    const: false,
    volatile: false,
    storage: null,
    inline: false,
    attributes: null,
    declaresTag: false,
  };
  const start = parser.at;
  while (one(parser, draft));
  const type = finish(parser, draft, start);
  return {
    type: qualify(type, draft),
    storage: draft.storage,
    inline: draft.inline,
    attributes: draft.attributes,
    declaresTag: draft.declaresTag,
  };
}

export function qualify(type: TypeSyntax, { const: c, volatile }: Qualifiers): TypeSyntax {
  return c || volatile ? { kind: 'qualified', of: type, qualifiers: { const: c, volatile } } : type;
}

export function attribute(type: TypeSyntax, attributes: Attributes | null): TypeSyntax {
  return attributes === null ? type : { kind: 'attributed', of: type, attributes };
}

/** Reads one specifier; false when the next token is none. */
function one(parser: Parser, draft: Draft): boolean {
  const word = keyword(parser);
  switch (word) {
    case Keyword.none: {
      if (hasType(draft)) return false;
      const symbol = peek(parser);
      const type = typedefOf(parser, symbol);
      if (type === null) return false;
      draft.type = { kind: 'typedef', name: textAt(parser.stream, parser.at), type };
      break;
    }
    case Keyword.const:
      draft.const = true;
      break;
    case Keyword.volatile:
      draft.volatile = true;
      break;
    case Keyword.restrict:
    case Keyword.noreturn:
    case Keyword.threadLocal:
    case Keyword.extension:
      break;
    case Keyword.inline:
      draft.inline = true;
      break;
    case Keyword.typedef:
      draft.storage = 'typedef';
      break;
    case Keyword.extern:
      draft.storage = 'extern';
      break;
    case Keyword.static:
      draft.storage = 'static';
      break;
    case Keyword.register:
      draft.storage = 'register';
      break;
    case Keyword.auto:
      draft.storage = 'auto';
      break;
    case Keyword.signed:
      draft.signed = true;
      break;
    case Keyword.unsigned:
      draft.unsigned = true;
      break;
    case Keyword.long:
      draft.longs += 1;
      break;
    case Keyword.void:
    case Keyword.char:
    case Keyword.short:
    case Keyword.int:
    case Keyword.float:
    case Keyword.double:
    case Keyword.bool:
      draft.words.push(textAt(parser.stream, parser.at));
      break;
    case Keyword.int128:
      draft.words.push('__int128');
      break;
    case Keyword.vaList:
      draft.type = { kind: 'base', name: 'va_list' };
      break;
    case Keyword.autoType:
      draft.type = { kind: 'auto', at: parser.at };
      break;
    case Keyword.struct:
    case Keyword.union:
      parser.at += 1;
      draft.type = parser.grammar.record(parser, word === Keyword.struct ? 'struct' : 'union');
      draft.declaresTag = true;
      return true;
    case Keyword.enum:
      parser.at += 1;
      draft.type = parser.grammar.enumeration(parser);
      draft.declaresTag = true;
      return true;
    case Keyword.typeof:
    case Keyword.typeofUnqualified:
      draft.type = typeOf(parser);
      return true;
    case Keyword.attribute:
      draft.attributes = mergeAttributes(draft.attributes, parser.grammar.attributes(parser));
      return true;
    case Keyword.alignas:
      draft.attributes = mergeAttributes(draft.attributes, alignas(parser));
      return true;
    default:
      return false;
  }
  parser.at += 1;
  return true;
}

function typeOf(parser: Parser): TypeSyntax {
  const at = parser.at;
  parser.at += 1;
  expect(parser, P['('], 'after typeof');
  let type: TypeSyntax;
  if (startsType(parser)) type = parser.grammar.typeName(parser);
  else type = { kind: 'typeof', at, expression: parser.grammar.expression(parser) };
  expect(parser, P[')'], 'after typeof');
  return type;
}

function alignas(parser: Parser): Attributes {
  const at = parser.at;
  parser.at += 1;
  expect(parser, P['('], 'after _Alignas');
  const value = startsType(parser)
    ? ({
        kind: 'measure-type',
        at,
        what: 'alignment',
        type: parser.grammar.typeName(parser),
      } as const)
    : parser.grammar.constant(parser);
  expect(parser, P[')'], 'after _Alignas');
  return alignedTo(value);
}

function hasType(draft: Draft): boolean {
  return (
    draft.type !== null ||
    draft.words.length > 0 ||
    draft.longs > 0 ||
    draft.signed ||
    draft.unsigned
  );
}

function finish(parser: Parser, draft: Draft, start: number): TypeSyntax {
  if (draft.type !== null) return draft.type;
  const words = draft.words.filter((word) => word !== 'int');
  const { unsigned, longs } = draft;
  const base = (name: BaseType): TypeSyntax => ({ kind: 'base', name });
  const word = words[0];
  switch (word) {
    case undefined:
      if (longs === 0 && !unsigned && !draft.signed && draft.words.length === 0) {
        if (parser.at === start) throw unexpected(parser, 'a type is missing');
        // `static x;` and `const y;`: int, as C before C99 has it.
        return base('int');
      }
      if (longs === 0) return base(unsigned ? 'unsigned int' : 'int');
      if (longs === 1) return base(unsigned ? 'unsigned long' : 'long');
      return base(unsigned ? 'unsigned long long' : 'long long');
    case 'char':
      return base(unsigned ? 'unsigned char' : draft.signed ? 'signed char' : 'char');
    case 'short':
      return base(unsigned ? 'unsigned short' : 'short');
    case '__int128':
      return base(unsigned ? 'unsigned int128' : 'int128');
    case 'double':
      return base(longs > 0 ? 'long double' : 'double');
    case 'float':
      return base('float');
    case 'void':
      return base('void');
    case '_Bool':
      return base('bool');
    default:
      throw unexpected(parser, `"${word}" is no type known here`);
  }
}
