import { expect, test } from 'vitest';
import { idJournal, idTables, type IdJournal } from '../../src/util/id-tables.ts';
import { randomFrom } from '../../src/util/random.ts';

/** Tables of one kind each, as a machine has them, all equal at the start. */
function tables() {
  const ids = idTables();
  const pool = ids.pool();
  const items = ids.interner<{ readonly value: bigint; readonly path: readonly number[] }>();
  const made: number[] = [];
  const watched = ids.watched((data: number) => made.push(data) - 1);
  pool.intern(new Int32Array(3), 2);
  return { ids, pool, items, watched };
}

type Tables = ReturnType<typeof tables>;

/** Gives one of a few contents an id; says what has which id. */
function act({ pool, items, watched }: Tables, kind: number, content: number): string {
  switch (kind) {
    case 0:
      return `pool ${content} ${pool.intern(Int32Array.from([content, -1, 7]), 1 + (content % 3))}`;
    case 1: {
      const value = BigInt(content) << 60n;
      return `item ${content} ${items.id(`${value}`, () => ({ value, path: [content] }))}`;
    }
    default:
      return `made ${content} ${watched(`k${content}`, content)}`;
  }
}

function attached(journal: IdJournal): Tables {
  const all = tables();
  all.ids.attach(journal);
  return all;
}

test('tables with one journal give the same ids, whoever meets a content first', () => {
  const journal = idJournal();
  const both = [attached(journal), attached(journal)] as const;
  const random = randomFrom(5);
  const said = new Map<string, string>();
  for (let i = 0; i < 2000; i += 1) {
    const [kind, content] = [random.below(3), random.below(90)];
    const line = act(both[random.below(2)] as Tables, kind, content);
    const key = `${kind} ${content}`;
    expect(said.get(key) ?? line).toBe(line);
    said.set(key, line);
  }
  for (const { ids } of both) ids.catchUp();
  expect(both[0].ids.sizes()).toEqual(both[1].ids.sizes());
  // And one that comes later, in another process.
  const later = attached(idJournal(journal.content()));
  expect(later.ids.sizes()).toEqual(both[0].ids.sizes());
  for (const [key, line] of said) {
    const [kind = 0, content = 0] = key.split(' ').map(Number);
    expect(act(later, kind, content)).toBe(line);
  }
  const id = both[0].items.id(`${5n << 60n}`, () => expect.unreachable());
  expect(later.items.item(id)).toEqual({ value: 5n << 60n, path: [5] });
});

test('without a journal the same tables give ids of their own', () => {
  const [a, b] = [tables(), tables()];
  expect(act(a, 0, 1)).not.toBe((act(b, 0, 2), act(b, 0, 1)));
});

test('a journal that does not fit is refused', () => {
  const journal = idJournal();
  act(attached(journal), 1, 3);
  const content = journal.content();
  const other = idTables();
  expect(() => other.attach(idJournal(content))).toThrow(RangeError);
  expect(() => tables().ids.attach(idJournal(content.slice(0, -1)))).toThrow(RangeError);
  const twice = Int32Array.from([...content, ...content]);
  expect(() => tables().ids.attach(idJournal(twice))).toThrow(RangeError);
});
