import { reject, type Position } from '../problem.ts';
import { sourceText, type SourceText } from '../source-text.ts';

/**
 * The part of TOML that litmus tests use: tables, basic and literal strings (also of several lines),
 * numbers, booleans, arrays, inline tables, comments. Own code rather than a library because errors
 * inside the strings (assembly, set-up language, assertions) need the positions of their contents.
 */
export type TomlValue =
  | {
      readonly kind: 'string';
      readonly text: string;
      readonly source: SourceText;
      readonly at: Position;
    }
  | { readonly kind: 'number' | 'boolean'; readonly text: string; readonly at: Position }
  | { readonly kind: 'array'; readonly items: readonly TomlValue[]; readonly at: Position }
  | TomlTable;

export interface TomlTable {
  readonly kind: 'table';
  readonly entries: ReadonlyMap<string, TomlValue>;
  readonly at: Position;
}

interface MutableTable extends TomlTable {
  readonly entries: Map<string, TomlValue | MutableTable>;
}

/** Reads a document. */
export function parseToml(file: string, text: string): TomlTable {
  const source = sourceText(file, text);
  const reader = tomlReader(source);
  const root: MutableTable = { kind: 'table', entries: new Map(), at: source.position(0) };
  let current = root;
  for (reader.skipBlank(); !reader.atEnd(); reader.skipBlank()) {
    if (reader.accept('[')) {
      if (reader.accept('[')) reader.fail('arrays of tables are not supported');
      current = openTable(root, reader.path(), reader);
      reader.expect(']');
    } else {
      const path = reader.path();
      reader.expect('=');
      const table = openTable(current, path.slice(0, -1), reader);
      const key = path.at(-1) ?? '';
      if (table.entries.has(key)) reader.fail(`\`${key}\` is already set`);
      table.entries.set(key, reader.value());
    }
    reader.endOfLine();
  }
  return root;
}

/** The table at a path; made when it is new. */
function openTable(root: MutableTable, path: readonly string[], reader: TomlReader): MutableTable {
  let table = root;
  for (const key of path) {
    const known = table.entries.get(key);
    if (known === undefined) {
      const made: MutableTable = { kind: 'table', entries: new Map(), at: reader.position() };
      table.entries.set(key, made);
      table = made;
    } else if (isMutable(known)) {
      table = known;
    } else return reader.fail(`\`${key}\` is not a table`);
  }
  return table;
}

function isMutable(value: TomlValue | MutableTable): value is MutableTable {
  return value.kind === 'table';
}

interface TomlReader {
  position(): Position;
  fail(message: string): never;
  atEnd(): boolean;
  /** Over white space, line ends and comments. */
  skipBlank(): void;
  accept(mark: string): boolean;
  expect(mark: string): void;
  endOfLine(): void;
  path(): readonly string[];
  value(): TomlValue;
}

function tomlReader(source: SourceText): TomlReader {
  const { text } = source;
  let offset = 0;

  const position = (): Position => source.position(offset);
  const fail = (message: string): never => reject('syntax', position(), `${message}.`);
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = offset;
    const found = pattern.exec(text);
    if (found !== null) offset += found[0].length;
    return found;
  };
  const spaces = (): void => void match(/[ \t]*/y);
  const skipBlank = (): void => void match(/(?:[ \t\r\n]|#[^\n]*)*/y);
  const accept = (mark: string): boolean => {
    spaces();
    if (!text.startsWith(mark, offset)) return false;
    offset += mark.length;
    return true;
  };
  const expect = (mark: string): void => {
    if (!accept(mark)) fail(`expected \`${mark}\``);
  };

  function key(): string {
    spaces();
    const bare = match(/[A-Za-z0-9_-]+/y);
    if (bare !== null) return bare[0];
    const quoted = match(/"([^"\\\n]*)"|'([^'\n]*)'/y);
    return quoted === null ? fail('expected a key') : (quoted[1] ?? quoted[2] ?? '');
  }

  function path(): readonly string[] {
    const keys = [key()];
    while (accept('.')) keys.push(key());
    return keys;
  }

  function quotedString(): TomlValue | null {
    const at = position();
    const opening = match(/"""\r?\n?|'''\r?\n?|"|'/y);
    if (opening === null) return null;
    const quote = opening[0].trim();
    const from = offset;
    const escapes = quote.startsWith('"');
    for (;;) {
      const end = text.indexOf(quote, offset);
      if (end < 0) {
        offset = from;
        return fail('this string is not closed');
      }
      offset = end + quote.length;
      const backslashes = /\\*$/.exec(text.slice(from, end))?.[0].length ?? 0;
      if (escapes && backslashes % 2 === 1) continue;
      const raw = text.slice(from, end);
      if (quote.length === 1 && raw.includes('\n')) {
        offset = from;
        return fail('this string is not closed on its line');
      }
      return contents(raw, from, escapes, at);
    }
  }

  function contents(raw: string, from: number, escapes: boolean, at: Position): TomlValue {
    // Escapes are rare enough to be replaced by what they mean: columns behind one are off.
    const value = escapes ? raw.replace(/\\(.)/gs, (_, char: string) => unescape(char)) : raw;
    return {
      kind: 'string',
      text: value,
      source: sourceText(source.file, value, source.position(from)),
      at,
    };
  }

  function value(): TomlValue {
    spaces();
    const at = position();
    const string = quotedString();
    if (string !== null) return string;
    if (accept('[')) {
      const items: TomlValue[] = [];
      for (skipBlank(); !accept(']'); skipBlank()) {
        items.push(value());
        skipBlank();
        if (!accept(',')) {
          expect(']');
          break;
        }
      }
      return { kind: 'array', items, at };
    }
    if (accept('{')) {
      const entries = new Map<string, TomlValue>();
      while (!accept('}')) {
        const name = key();
        expect('=');
        entries.set(name, value());
        if (!accept(',')) {
          expect('}');
          break;
        }
      }
      return { kind: 'table', entries, at };
    }
    const word = match(/true|false|[+-]?[0-9][0-9A-Za-z_.+-]*/y);
    if (word === null) return fail('expected a value');
    const kind = word[0] === 'true' || word[0] === 'false' ? 'boolean' : 'number';
    return { kind, text: word[0], at };
  }

  return {
    position,
    fail,
    atEnd: () => offset >= text.length,
    skipBlank,
    accept,
    expect,
    endOfLine() {
      if (match(/[ \t]*(?:#[^\n]*)?(?:\r?\n|$)/y) === null) fail('expected the end of the line');
    },
    path,
    value,
  };
}

function unescape(char: string): string {
  const known: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };
  return known[char] ?? char;
}
