import { describe, expect, it } from 'vitest';
import {
  parseToml,
  type TomlTable,
  type TomlValue,
} from '../../../../src/frontend/litmus/isla/toml.ts';
import { attempt } from '../../../../src/frontend/litmus/problem.ts';

function plain(value: TomlValue): unknown {
  switch (value.kind) {
    case 'string':
    case 'number':
    case 'boolean':
      return value.text;
    case 'array':
      return value.items.map(plain);
    case 'table':
      return Object.fromEntries([...value.entries].map(([key, inner]) => [key, plain(inner)]));
  }
}

function read(text: string): TomlTable {
  const result = attempt(() => parseToml('t.toml', text));
  if ('problem' in result) throw new Error(result.problem.message);
  return result.ok;
}

describe('the TOML of litmus tests', () => {
  it('reads tables, dotted and quoted keys, all strings, arrays over lines, inline tables', () => {
    const text = `# a comment
a = "x" # behind
"b.c" = 'lit\\n'
list = [
  "one", # first
  "two",
]
e.f = 12
t = { k = "v", n = true }
[thread.0]
code = """
 A
 B "quoted"
"""
[thread.0.reset]
R0 = "1"
[final]
x = '''raw \\ '''
`;
    expect(plain(read(text))).toEqual({
      a: 'x',
      'b.c': 'lit\\n',
      list: ['one', 'two'],
      e: { f: '12' },
      t: { k: 'v', n: 'true' },
      thread: { '0': { code: ' A\n B "quoted"\n', reset: { R0: '1' } } },
      final: { x: 'raw \\ ' },
    });
  });

  it('strings know where their contents are', () => {
    const document = read('a = 1\nb = """\n  X\n  Y"""\n');
    const value = document.entries.get('b');
    if (value?.kind !== 'string') throw new Error('not a string');
    expect(value.source.position(value.text.indexOf('X'))).toEqual({
      file: 't.toml',
      line: 3,
      column: 3,
    });
    expect(value.source.position(value.text.indexOf('Y'))).toMatchObject({ line: 4, column: 3 });
  });

  it.each([
    ['a = ', 1, 'expected a value.'],
    ['a = 1\na = 2', 2, '`a` is already set.'],
    ['a = """x', 1, 'this string is not closed.'],
    ['a = "x\n"', 1, 'this string is not closed on its line.'],
    ['[[a]]', 1, 'arrays of tables are not supported.'],
    ['a = 1 2', 1, 'expected the end of the line.'],
    ['a = 1\n[a.b]\n', 2, '`a` is not a table.'],
  ])('%j is refused', (text, line, message) => {
    const result = attempt(() => parseToml('t.toml', text));
    expect('problem' in result ? result.problem : null).toMatchObject({ line, message });
  });
});
