import { P } from '../preprocess/symbols.ts';
import { STRIDE } from '../preprocess/token-buffer.ts';
import { textAt } from '../preprocess/token-stream.ts';
import type { Enumerator, Member, TypeSyntax } from './ast.ts';
import { mergeAttributes } from './attributes.ts';
import { parseStaticAssert } from './declarations.ts';
import { parseDeclarator } from './declarators.ts';
import { Keyword } from './keywords.ts';
import { packAt } from './pack.ts';
import {
  atFileScope,
  atName,
  enter,
  expect,
  innermost,
  keyword,
  type Parser,
  peek,
  take,
  takeKeyword,
  takeName,
  unexpected,
} from './parser.ts';
import { parseSpecifiers } from './specifiers.ts';

/** Reads what follows `struct` or `union`: a tag, a body, or both. */
export function parseRecord(parser: Parser, kind: 'struct' | 'union'): TypeSyntax {
  const before = parser.grammar.attributes(parser);
  const at = parser.at;
  const symbol = atName(parser) ? peek(parser) : 0;
  if (symbol !== 0) parser.at += 1;
  const defines = peek(parser) === P['{'];
  if (symbol === 0 && !defines) throw unexpected(parser, `a tag or "{" is missing after ${kind}`);
  // `struct x;` alone would open a new x in a block; nobody in the kernel does that.
  const known = symbol === 0 ? undefined : lookUp(parser, 'records', symbol, defines);
  const record = known ?? parser.records.length;
  if (known === undefined) {
    const tag = symbol === 0 ? null : textAt(parser.stream, at);
    parser.records.push({ kind, tag, at, members: null, attributes: null, pack: null });
    if (symbol !== 0) innermost(parser).records.set(symbol, record);
  }
  if (defines) {
    const pack = packAt(parser.stream, parser.at);
    const members = parseMembers(parser);
    const syntax = parser.records[record];
    if (syntax !== undefined) {
      syntax.members = members;
      syntax.pack = pack;
      syntax.attributes = mergeAttributes(before, parser.grammar.attributes(parser));
    }
  }
  return { kind: 'record', record };
}

export function parseEnum(parser: Parser): TypeSyntax {
  const before = parser.grammar.attributes(parser);
  const at = parser.at;
  const symbol = atName(parser) ? peek(parser) : 0;
  if (symbol !== 0) parser.at += 1;
  const defines = peek(parser) === P['{'];
  if (symbol === 0 && !defines) throw unexpected(parser, 'a tag or "{" is missing after enum');
  const known = symbol === 0 ? undefined : lookUp(parser, 'enums', symbol, defines);
  const enumeration = known ?? parser.enums.length;
  if (known === undefined) {
    const tag = symbol === 0 ? null : textAt(parser.stream, at);
    parser.enums.push({ tag, at, enumerators: null, attributes: null });
    if (symbol !== 0) innermost(parser).enums.set(symbol, enumeration);
  }
  if (take(parser, P['{'])) {
    const enumerators: Enumerator[] = [];
    const syntax = parser.enums[enumeration];
    // Later values may name earlier enumerators, so the list is visible while it grows.
    if (syntax !== undefined) syntax.enumerators = enumerators;
    while (!take(parser, P['}'])) {
      const name = takeName(parser, 'in an enum');
      const token = parser.at - 1;
      parser.grammar.attributes(parser);
      const value = take(parser, P['=']) ? parser.grammar.constant(parser) : null;
      let nameInUnit = name;
      if (!atFileScope(parser)) {
        nameInUnit = `${name}@${token}`;
        const symbol = parser.data[token * STRIDE] ?? 0;
        innermost(parser).enumerators.set(symbol, nameInUnit);
        innermost(parser).names.set(symbol, null);
      }
      parser.onEnumerator(nameInUnit, enumeration, enumerators.length);
      enumerators.push({ at: token, name, value });
      if (!take(parser, P[','])) {
        expect(parser, P['}'], 'after the names of an enum');
        break;
      }
    }
    if (syntax !== undefined) {
      syntax.attributes = mergeAttributes(before, parser.grammar.attributes(parser));
    }
  }
  return { kind: 'enum', enum: enumeration };
}

/** A definition opens a new tag in its own block; a mere use finds one of any block around it. */
function lookUp(
  parser: Parser,
  table: 'records' | 'enums',
  symbol: number,
  defines: boolean,
): number | undefined {
  const { scopes } = parser;
  const lowest = defines ? scopes.length - 1 : 0;
  for (let i = scopes.length - 1; i >= lowest; i--) {
    const found = scopes[i]?.[table].get(symbol);
    if (found !== undefined) return found;
  }
  return undefined;
}

function parseMembers(parser: Parser): Member[] {
  enter(parser);
  expect(parser, P['{'], 'before the members of a struct');
  const members: Member[] = [];
  while (!take(parser, P['}'])) {
    if (take(parser, P[';'])) continue;
    if (keyword(parser) === Keyword.staticAssert) {
      parseStaticAssert(parser);
      continue;
    }
    while (takeKeyword(parser, Keyword.extension));
    parseMemberLine(parser, members);
  }
  parser.depth -= 1;
  return members;
}

function parseMemberLine(parser: Parser, members: Member[]): void {
  const at = parser.at;
  const specifiers = parseSpecifiers(parser);
  const { type, attributes } = specifiers;
  if (take(parser, P[';'])) {
    members.push({ at, name: null, type, bits: null, attributes });
    return;
  }
  do {
    const parsed = parseDeclarator(parser, type);
    const bits = take(parser, P[':']) ? parser.grammar.constant(parser) : null;
    const after = parser.grammar.attributes(parser);
    members.push({
      at: parsed.at,
      name: parsed.name,
      type: parsed.type,
      bits,
      attributes: mergeAttributes(attributes, mergeAttributes(parsed.attributes, after)),
    });
  } while (take(parser, P[',']));
  if (peek(parser) !== P['}']) expect(parser, P[';'], 'after a member');
}
