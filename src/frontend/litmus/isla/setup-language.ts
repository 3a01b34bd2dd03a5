import { reject, type Position } from '../problem.ts';
import type { SourceText } from '../source-text.ts';
import {
  islaTokens,
  nameToken,
  parseExpression,
  unexpectedToken,
  type Expression,
  type IslaTokens,
} from './expression.ts';

/** Attributes of a mapping, per stage. */
export interface MappingAttributes {
  readonly stage1: StageAttributes;
  readonly stage2: StageAttributes;
  /** Said once, for whichever stage the mapping is about. */
  readonly shared: boolean;
}

/** `code`, or the default with fields changed. */
export type StageAttributes =
  | { readonly kind: 'code' }
  | { readonly kind: 'default'; readonly fields: ReadonlyMap<string, bigint> };

/** One statement of the page-table set-up language of isla (doc/translation.adoc). */
export type Statement =
  | {
      readonly kind: 'option';
      readonly name: string;
      readonly value: boolean;
      readonly at: Position;
    }
  | {
      readonly kind: 'declare';
      readonly space: 'virtual' | 'intermediate' | 'physical';
      readonly alignment: bigint;
      readonly names: readonly string[];
      readonly at: Position;
    }
  | { readonly kind: 'assert'; readonly condition: Expression; readonly at: Position }
  | {
      readonly kind: 'let';
      readonly name: string;
      readonly parameters: readonly string[];
      readonly body: Expression;
      readonly at: Position;
    }
  | {
      /** `|->`, `?->` (`maybe`) or `identity` (`to` null). */
      readonly kind: 'map';
      readonly from: Expression;
      readonly to: Expression | null;
      readonly maybe: boolean;
      readonly attributes: MappingAttributes;
      readonly level: number;
      readonly walk: string | null;
      readonly at: Position;
    }
  | {
      readonly kind: 'initial';
      readonly address: Expression;
      readonly value: Expression;
      readonly at: Position;
    }
  | {
      readonly kind: 'table';
      readonly stage: 1 | 2;
      readonly name: string;
      readonly address: Expression | null;
      readonly body: readonly Statement[];
      readonly at: Position;
    };

/** Reads a page-table set-up. */
export function parseSetup(source: SourceText): readonly Statement[] {
  const tokens = islaTokens(source);
  const statements = parseStatements(tokens);
  if (tokens.peek().kind !== 'end') return unexpectedToken(tokens.peek(), 'a statement');
  return statements;
}

function parseStatements(tokens: IslaTokens): readonly Statement[] {
  const statements: Statement[] = [];
  while (tokens.peek().kind !== 'end' && tokens.peek().text !== '}') {
    if (tokens.accept(';')) continue;
    const statement = parseStatement(tokens);
    statements.push(statement);
    const closed = tokens.peek().text === '}' || tokens.peek().kind === 'end';
    const braced = statement.kind === 'table' && statement.body.length > 0;
    if (!closed && !braced) tokens.expect(';');
  }
  return statements;
}

const PAGE = 4096n;

function parseStatement(tokens: IslaTokens): Statement {
  const { at, text } = tokens.peek();
  switch (text) {
    case 'option': {
      tokens.next();
      const name = nameToken(tokens, 'the name of an option');
      tokens.expect('=');
      return { kind: 'option', name, value: parseBoolean(tokens), at };
    }
    case 'aligned': {
      tokens.next();
      const alignment = tokens.next();
      if (!/^[1-9]\d*$/.test(alignment.text)) return unexpectedToken(alignment, 'a number');
      return parseDeclaration(tokens, BigInt(alignment.text));
    }
    case 'virtual':
    case 'intermediate':
    case 'physical':
      return parseDeclaration(tokens, PAGE);
    case 'assert':
      tokens.next();
      return { kind: 'assert', condition: parseExpression(tokens), at };
    case 'let':
      return parseLet(tokens);
    case 's1table':
    case 's2table': {
      tokens.next();
      const name = nameToken(tokens, 'the name of a table');
      const next = tokens.peek().text;
      const bare = next === '{' || next === ';' || next === '}' || tokens.peek().kind === 'end';
      const address = bare ? null : parseExpression(tokens);
      let body: readonly Statement[] = [];
      if (tokens.accept('{')) {
        body = parseStatements(tokens);
        tokens.expect('}');
      }
      return { kind: 'table', stage: text === 's1table' ? 1 : 2, name, address, body, at };
    }
    case '*': {
      tokens.next();
      const address = parseExpression(tokens);
      tokens.expect('=');
      return { kind: 'initial', address, value: parseExpression(tokens), at };
    }
    case 'identity': {
      tokens.next();
      const from = parseExpression(tokens);
      return { kind: 'map', from, to: null, maybe: false, ...parseMapping(tokens), at };
    }
    default: {
      const from = parseExpression(tokens);
      const maybe = tokens.accept('?->');
      if (!maybe) tokens.expect('|->');
      const to = parseExpression(tokens);
      return { kind: 'map', from, to, maybe, ...parseMapping(tokens), at };
    }
  }
}

function parseBoolean(tokens: IslaTokens): boolean {
  const token = tokens.next();
  if (token.text !== 'true' && token.text !== 'false')
    return unexpectedToken(token, '`true` or `false`');
  return token.text === 'true';
}

function parseDeclaration(tokens: IslaTokens, alignment: bigint): Statement {
  const token = tokens.next();
  const space = token.text;
  if (space !== 'virtual' && space !== 'intermediate' && space !== 'physical') {
    return unexpectedToken(token, '`virtual`, `intermediate` or `physical`');
  }
  const names = [nameToken(tokens, 'the name of an address')];
  while (tokens.peek().kind === 'name') names.push(tokens.next().text);
  return { kind: 'declare', space, alignment, names, at: token.at };
}

function parseLet(tokens: IslaTokens): Statement {
  const { at } = tokens.next();
  const name = nameToken(tokens, 'the name of a function');
  tokens.expect('(');
  const parameters = [nameToken(tokens, 'the name of a parameter')];
  while (tokens.accept(',')) parameters.push(nameToken(tokens, 'the name of a parameter'));
  tokens.expect(')');
  tokens.expect('=');
  return { kind: 'let', name, parameters, body: parseExpression(tokens), at };
}

interface Mapping {
  readonly attributes: MappingAttributes;
  readonly level: number;
  readonly walk: string | null;
}

/** What a mapping has that says nothing. */
export const DEFAULT: StageAttributes = { kind: 'default', fields: new Map() };

/** `with ATTRIBUTES and ATTRIBUTES at level N as NAME`. */
function parseMapping(tokens: IslaTokens): Mapping {
  let attributes: MappingAttributes = { stage1: DEFAULT, stage2: DEFAULT, shared: true };
  if (tokens.accept('with')) {
    const stage1 = parseAttributes(tokens);
    const shared = !tokens.accept('and');
    attributes = { stage1, stage2: shared ? stage1 : parseAttributes(tokens), shared };
  }
  let level = 3;
  if (tokens.accept('at')) {
    tokens.expect('level');
    const token = tokens.next();
    level = Number(token.text);
    if (!(level >= 1 && level <= 3)) {
      return reject('syntax', token.at, 'a mapping is at level 1, 2 or 3.');
    }
  }
  const walk = tokens.accept('as') ? nameToken(tokens, 'a name for the walk') : null;
  return { attributes, level, walk };
}

function parseAttributes(tokens: IslaTokens): StageAttributes {
  if (tokens.accept('code')) return { kind: 'code' };
  if (tokens.accept('default')) return DEFAULT;
  tokens.expect('[');
  const fields = new Map<string, bigint>();
  do {
    const name = nameToken(tokens, 'the name of an attribute');
    tokens.expect('=');
    const value = parseExpression(tokens);
    if (value.kind !== 'number') return reject('syntax', value.at, 'an attribute is a number.');
    fields.set(name, value.value);
  } while (tokens.accept(','));
  tokens.expect(']');
  return { kind: 'default', fields };
}
