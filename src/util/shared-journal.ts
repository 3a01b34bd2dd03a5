import type { IdJournal } from './id-tables.ts';
import { sharedLock } from './shared-lock.ts';

/** The memory of a journal of ids that several threads have. */
export interface SharedJournalMemory {
  /** Integers of `AT`. */
  readonly control: SharedArrayBuffer;
  readonly content: SharedArrayBuffer;
}

const AT = { lock: 0, length: 1 } as const;

/** Shared memory for a journal of at most so many integers. Pages of it that are not used take no memory. */
export function sharedJournalMemory(most: number): SharedJournalMemory {
  const ints = Int32Array.BYTES_PER_ELEMENT;
  return {
    control: new SharedArrayBuffer(2 * ints),
    content: new SharedArrayBuffer(most * ints),
  };
}

/** A journal of several threads: whoever writes has the lock. Throws a RangeError when it is full. */
export function sharedJournal({ control, content }: SharedJournalMemory): IdJournal & {
  /** Writes what another journal has, before anybody else has this one. */
  readonly begin: (ints: Int32Array) => void;
} {
  const state = new Int32Array(control);
  const ints = new Int32Array(content);
  const lock = sharedLock(state, AT.lock);

  function extend(by: number): number {
    const used = Atomics.load(state, AT.length);
    if (used + by > ints.length) throw new RangeError('a shared journal of ids is full');
    return used;
  }

  return {
    lock: lock.take,
    unlock: lock.give,
    length: () => Atomics.load(state, AT.length),
    at: (place) => ints[place] as number,
    append(table, record) {
      const used = extend(2 + record.length);
      ints[used] = table;
      ints[used + 1] = record.length;
      ints.set(record, used + 2);
      // The content first, then its length: who sees the length sees the content.
      Atomics.store(state, AT.length, used + 2 + record.length);
    },
    content: () => ints.slice(0, Atomics.load(state, AT.length)),
    begin(all) {
      ints.set(all, extend(all.length));
      Atomics.store(state, AT.length, all.length);
    },
  };
}
