import { stateSet, type StateSetContent } from '../util/state-set.ts';
import { breadthFirst, type FrontierPlace } from './frontier.ts';
import { parentOf } from './state-link.ts';
import type { SearchBasis } from './search.ts';

/**
 * A breadth-first search between two states: the states it has reached, in their order, and how many of
 * them are explored. It goes on from there as if it had never stopped. The states are made of ids, so the
 * journal of ids of the machine belongs to it (id-tables.ts).
 */
export interface SearchSnapshot {
  readonly states: StateSetContent;
  readonly place: FrontierPlace;
  readonly transitions: number;
  /**
   * Several threads have made it: its states are those of one thread, not their order. Transitions are
   * then those counted so far.
   */
  readonly together?: boolean;
}

/**
 * What the search goes on from. Throws a RangeError for what no search can have left.
 */
export function resumed(
  { states, place, transitions }: SearchSnapshot,
  width: number,
): SearchBasis {
  const seen = stateSet(width);
  const state = new Int32Array(width);
  let id = 0;
  for (const piece of states.sequences) {
    for (let at = 0; at < piece.length && id < states.count; at += width, id += 1) {
      state.set(piece.subarray(at, at + width));
      const link = states.parents[id] as number;
      if (seen.add(state, link) !== id || parentOf(link) >= id) throw damaged();
    }
  }
  const { explored, depth, lastOfDepth } = place;
  const isPlace = explored <= id && lastOfDepth < id && depth <= lastOfDepth;
  if (id !== states.count || id === 0 || !isPlace) throw damaged();
  return { seen, open: breadthFirst(place, id), transitions };
}

function damaged(): RangeError {
  return new RangeError('this is not what a search has left');
}
