import { attempt, type Outcome } from '../diagnostic.ts';
import { P } from '../preprocess/symbols.ts';
import { spelling } from '../preprocess/symbols.ts';
import type { TokenStream } from '../preprocess/token-stream.ts';
import type {
  AsmStatement,
  Compound,
  Declarator,
  EnumSyntax,
  FunctionDefinition,
  RecordSyntax,
  StaticAssert,
  Storage,
  TypeSyntax,
} from './ast.ts';
import { parseAttributes } from './attributes.ts';
import { parseDeclaration, parseInitializer, parseStaticAssert } from './declarations.ts';
import { parseTypeName } from './declarators.ts';
import { parseAssignment, parseConditional, parseExpression } from './expressions.ts';
import { Keyword } from './keywords.ts';
import {
  createParser,
  createScope,
  fail,
  type Grammar,
  keyword,
  type Parser,
  take,
  takeKeyword,
  unexpected,
} from './parser.ts';
import { parseEnum, parseRecord } from './records.ts';
import { parseAsm, parseCompound } from './statements.ts';

/** A translation unit: its file scope is parsed, the bodies of its functions are parsed on demand. */
export interface Unit {
  readonly stream: TokenStream;
  readonly records: readonly RecordSyntax[];
  /** Records below this number are of file scope; those of function bodies follow. */
  readonly fileRecords: number;
  readonly enums: readonly EnumSyntax[];
  readonly typedefs: ReadonlyMap<string, TypeSyntax>;
  /** Tags of file scope, `struct x` and `union x` alike. */
  readonly tags: ReadonlyMap<string, number>;
  readonly enumTags: ReadonlyMap<string, number>;
  readonly enumerators: ReadonlyMap<string, { readonly enum: number; readonly index: number }>;
  readonly functions: ReadonlyMap<string, FunctionDefinition>;
  /** Objects and function declarations of file scope: all declarations of each name, in order. */
  readonly objects: ReadonlyMap<string, readonly FileObject[]>;
  readonly asserts: readonly StaticAssert[];
  /** Assembly at file scope. */
  readonly assembly: readonly AsmStatement[];
  readonly parser: Parser;
  readonly bodies: Map<FunctionDefinition, Compound>;
}

export interface FileObject {
  readonly storage: Storage | null;
  readonly declarator: Declarator;
}

const GRAMMAR: Grammar = {
  expression: parseExpression,
  assignment: parseAssignment,
  constant: parseConditional,
  initializer: parseInitializer,
  typeName: parseTypeName,
  attributes: parseAttributes,
  record: parseRecord,
  enumeration: parseEnum,
  compound: parseCompound,
  declaration: parseDeclaration,
};

/** Parses the file scope of a preprocessed unit. */
export function parseUnit(stream: TokenStream): Outcome<Unit> {
  return attempt(() => {
    const enumerators = new Map<string, { readonly enum: number; readonly index: number }>();
    const parser = createParser(stream, GRAMMAR, (name, enumeration, index) => {
      enumerators.set(name, { enum: enumeration, index });
    });
    predeclare(parser);
    const objects = new Map<string, FileObject[]>();
    const asserts: StaticAssert[] = [];
    const assembly: AsmStatement[] = [];
    while (parser.at < parser.end) {
      if (take(parser, P[';'])) continue;
      if (keyword(parser) === Keyword.staticAssert) {
        asserts.push(parseStaticAssert(parser));
      } else if (keyword(parser) === Keyword.asm) {
        assembly.push(parseAsm(parser));
      } else {
        while (takeKeyword(parser, Keyword.extension));
        const before = parser.at;
        const declaration = parseDeclaration(parser);
        if (parser.at === before) throw unexpected(parser, 'a declaration is missing');
        if (declaration.storage === 'typedef') continue;
        for (const declarator of declaration.declarators) {
          const entry = { storage: declaration.storage, declarator };
          const list = objects.get(declarator.name);
          if (list === undefined) objects.set(declarator.name, [entry]);
          else list.push(entry);
        }
      }
    }
    return finish(parser, enumerators, objects, asserts, assembly);
  });
}

/** The typedefs that gcc knows without a declaration. */
function predeclare(parser: Parser): void {
  const { index } = parser.stream.sources.symbols;
  for (const [name, base] of [
    ['__int128_t', 'int128'],
    ['__uint128_t', 'unsigned int128'],
  ] as const) {
    const symbol = index.get(name);
    if (symbol !== undefined) parser.scopes[0]?.names.set(symbol, { kind: 'base', name: base });
  }
}

function finish(
  parser: Parser,
  enumerators: Unit['enumerators'],
  objects: Unit['objects'],
  asserts: readonly StaticAssert[],
  assembly: readonly AsmStatement[],
): Unit {
  const { symbols } = parser.stream.sources;
  const scope = parser.scopes[0] ?? createScope();
  const named = <T>(table: ReadonlyMap<number, T>): Map<string, T> =>
    new Map(Array.from(table, ([symbol, value]) => [spelling(symbols, symbol), value]));
  const typedefs = new Map<string, TypeSyntax>();
  for (const [symbol, type] of scope.names) {
    if (type !== null) typedefs.set(spelling(symbols, symbol), type);
  }
  // A later definition of a name wins: `extern inline` twins of GNU C89.
  const functions = new Map(parser.functions.map((definition) => [definition.name, definition]));
  return {
    stream: parser.stream,
    records: parser.records,
    fileRecords: parser.records.length,
    enums: parser.enums,
    typedefs,
    tags: named(scope.records),
    enumTags: named(scope.enums),
    enumerators,
    functions,
    objects,
    asserts,
    assembly,
    parser,
    bodies: new Map(),
  };
}

/** Parses the body of a function, once. */
export function parseBody(unit: Unit, definition: FunctionDefinition): Outcome<Compound> {
  const known = unit.bodies.get(definition);
  if (known !== undefined) return { kind: 'ok', value: known };
  const { parser } = unit;
  return attempt(() => {
    parser.at = definition.bodyStart;
    parser.end = definition.bodyEnd;
    parser.depth = 0;
    parser.scopes.length = 1;
    const scope = createScope();
    for (const { name } of definition.type.parameters) {
      const symbol = name === null ? undefined : parser.stream.sources.symbols.index.get(name);
      if (symbol !== undefined) scope.names.set(symbol, null);
    }
    parser.scopes.push(scope);
    const body = parseCompound(parser);
    parser.scopes.length = 1;
    if (parser.at !== parser.end)
      throw fail(parser, parser.at, 'the body of this function ends early');
    unit.bodies.set(definition, body);
    return body;
  });
}
