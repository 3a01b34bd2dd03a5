import { decodeData, encodeData } from './data-text.ts';
import { intSequencePool, type IntSequencePool } from './int-sequence-pool.ts';
import { interner, type Interner } from './interner.ts';

/**
 * What has been given ids, in the order in which it was: integers, in records
 * `table, number of integers, integers`.
 */
export interface IdJournal {
  /** From here to `unlock` nobody else gives ids. */
  lock(): void;
  unlock(): void;
  /** Number of integers in it. */
  length(): number;
  at(place: number): number;
  /** Adds a record at the end. */
  append(table: number, record: Int32Array): void;
  /** All of it. */
  content(): Int32Array;
}

/** Gives an id to a content that had none when it was looked for; `find` returns -1 where there is none. */
export type GiveId = (find: () => number, insert: () => number, record: () => Int32Array) => number;

/**
 * The tables of one machine that give ids to contents. Ids depend on the order in which contents are
 * met. Machines of equal setups begin with equal tables; with a journal they stay equal: whatever
 * gets an id is written down, and whoever has the same journal gives it the same id, be it another
 * thread at the same time or another process later.
 */
export interface IdTables {
  pool(): IntSequencePool;
  /** Items are plain data (data-text.ts), or there is a form of them that is. */
  interner<Item>(form?: PlainForm<Item>): Interner<Item>;
  /**
   * A table of somebody else's, who gives ids by itself: `make` of equal data in the same order gives
   * the same ids, which are not -1. Returns what to call instead of `make`, with a key that is equal for equal data.
   */
  watched<Data>(make: (data: Data) => number): (key: string, data: Data) => number;
  /**
   * From now on what gets an id is written down; what is in the journal already is taken over, from a
   * place on: what comes before it these tables have.
   */
  attach(journal: IdJournal, from?: number): void;
  /** Takes over what others have written down. */
  catchUp(): void;
  /** Number of ids given by each table so far. */
  sizes(): readonly number[];
}

/** A plain form of items that are not plain data, and back. */
export interface PlainForm<Item> {
  readonly plain: (item: Item) => unknown;
  readonly item: (plain: unknown) => Item;
}

/** One of the tables. */
interface Table {
  readonly size: () => number;
  /** Gives the next id to the content of a record. */
  readonly take: (record: Int32Array) => void;
}

/** No tables yet. */
export function idTables(): IdTables {
  const tables: Table[] = [];
  let journal: IdJournal | null = null;
  /** How far the journal has been taken over. */
  let read = 0;

  const giveIn =
    (table: number): GiveId =>
    (find, insert, record) => {
      if (journal === null) return insert();
      journal.lock();
      try {
        catchUp();
        const known = find();
        if (known !== -1) return known;
        // First the id: what fails is not written down.
        const id = insert();
        journal.append(table, record());
        read = journal.length();
        return id;
      } finally {
        journal.unlock();
      }
    };

  function catchUp(): void {
    if (journal === null) return;
    const end = journal.length();
    while (read < end) {
      const table = tables[journal.at(read)];
      const length = journal.at(read + 1);
      if (table === undefined || length < 0 || read + 2 + length > end) throw otherMachine();
      const record = new Int32Array(length);
      for (let i = 0; i < length; i += 1) record[i] = journal.at(read + 2 + i);
      read += 2 + length;
      table.take(record);
    }
  }

  return {
    pool() {
      const pool = intSequencePool(giveIn(tables.length), () => journal !== null);
      tables.push({
        size: pool.size,
        take(record) {
          const next = pool.size();
          if (pool.take(record, record.length) !== next) throw otherMachine();
        },
      });
      return pool;
    },
    interner<Item>(form?: PlainForm<Item>) {
      const { plain, item } = form ?? {
        plain: (all: Item): unknown => all,
        item: (all: unknown) => all as Item,
      };
      const table = interner<Item>(giveIn(tables.length), plain);
      tables.push({
        size: table.size,
        take(record) {
          const [key, data] = decodeData(record) as readonly [string, unknown];
          const next = table.size();
          if (table.take(key, item(data)) !== next) throw otherMachine();
        },
      });
      return table;
    },
    watched<Data>(make: (data: Data) => number) {
      const give = giveIn(tables.length);
      const known = new Map<string, number>();
      const insert = (key: string, data: Data): number => {
        const id = make(data);
        known.set(key, id);
        return id;
      };
      tables.push({
        size: () => known.size,
        take(record) {
          const [key, data] = decodeData(record) as readonly [string, Data];
          insert(key, data);
        },
      });
      return (key: string, data: Data) =>
        known.get(key) ??
        give(
          () => known.get(key) ?? -1,
          () => insert(key, data),
          () => encodeData([key, data]),
        );
    },
    attach(shared, from = 0) {
      journal = shared;
      read = from;
      shared.lock();
      try {
        catchUp();
      } finally {
        shared.unlock();
      }
    },
    catchUp,
    sizes: () => tables.map(({ size }) => size()),
  };
}

function otherMachine(): RangeError {
  return new RangeError('this journal of ids belongs to another machine');
}

/** A journal of one thread. */
export function idJournal(content: Int32Array = new Int32Array(0)): IdJournal {
  let ints = content.slice();
  let used = ints.length;
  return {
    lock: () => undefined,
    unlock: () => undefined,
    length: () => used,
    at: (place) => ints[place] as number,
    append(table, record) {
      const end = used + 2 + record.length;
      if (end > ints.length) {
        const bigger = new Int32Array(Math.max(4096, end * 2));
        bigger.set(ints);
        ints = bigger;
      }
      ints[used] = table;
      ints[used + 1] = record.length;
      ints.set(record, used + 2);
      used = end;
    },
    content: () => ints.subarray(0, used),
  };
}
