import type { Machine } from '../machine/machine.ts';
import { idJournal, type IdJournal } from '../util/id-tables.ts';
import type { SearchBasis } from './search.ts';
import { resumed, type SearchSnapshot } from './search-snapshot.ts';

/**
 * A check in the middle of one of its searches, as plain data. A check is a function of its task, the candidate
 * and this program, so one that goes on from here comes to what it would have come to.
 */
export interface CheckSnapshot {
  /** Rules found broken by the searches before this one, in the order found, each with how. */
  readonly refuted: readonly { readonly rule: string; readonly message: string }[];
  /** States of the searches before this one. */
  readonly states: number;
  readonly search: SearchSnapshot;
  /** Ids the tables of the machine had given when it was made. */
  readonly tables: readonly number[];
  /** What has been given ids since (`IdJournal`). */
  readonly ids: Int32Array;
}

/** Where snapshots of one check go, and the one an earlier run has left. */
export interface CheckKeeper {
  readonly from: CheckSnapshot | null;
  /** Offered now and then; who wants the snapshot asks for it then and there. */
  readonly offer: (snapshot: () => CheckSnapshot) => void;
}

/** A check cannot go on from a snapshot: it was taken of another. */
export class ForeignSnapshot extends Error {}

/**
 * A check that is to be made by one thread alone, from a snapshot on or from its beginning: it has come
 * to where the order counts in which states are explored.
 */
export class LeftToOne extends Error {
  readonly from: CheckSnapshot | null;
  constructor(from: CheckSnapshot | null) {
    super('this check is to be made by one thread');
    this.from = from;
  }
}

/** A check while one of its searches is made. */
export interface CheckInWork {
  readonly ids: KeptIds;
  /** The check with this search as far as it is. */
  readonly snapshot: (search: SearchSnapshot) => CheckSnapshot;
}

/** What a machine writes its ids down in for the snapshots of a check. */
export interface KeptIds {
  /** The search to go on with, or null to begin. */
  readonly basis: SearchBasis | null;
  readonly snapshot: () => Pick<CheckSnapshot, 'tables' | 'ids'>;
  /** Goes on in a journal that has the content of the one so far. */
  readonly moveTo: (journal: IdJournal) => void;
}

/**
 * Has a machine write down what it gives ids to, after those of the snapshot. Throws `ForeignSnapshot`
 * where that one does not fit; the machine is of no use then.
 */
export function keepIds(machine: Machine, from: CheckSnapshot | null): KeptIds {
  const { ids } = machine.inspect;
  const tables = ids.sizes();
  let journal = idJournal(from?.ids);
  if (from !== null && from.tables.join() !== tables.join()) throw new ForeignSnapshot();
  try {
    ids.attach(journal);
    const basis = from === null ? null : resumed(from.search, machine.initial.length);
    return {
      basis,
      snapshot: () => ({ tables, ids: journal.content() }),
      moveTo(next) {
        journal = next;
        ids.attach(next, next.length());
      },
    };
  } catch (problem) {
    if (problem instanceof RangeError || problem instanceof SyntaxError)
      throw new ForeignSnapshot();
    throw problem;
  }
}
