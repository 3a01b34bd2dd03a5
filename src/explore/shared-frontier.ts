import type { Frontier, FrontierPlace } from './frontier.ts';

/** Integers of the memory of a shared frontier. */
const AT = {
  /** The next state that nobody has taken. */
  taken: 0,
  /** The states of the depth in work end here. */
  end: 1,
  depth: 2,
  /** States that are taken at a time. */
  block: 3,
  /** Threads that have nothing left to do at this depth. */
  arrived: 4,
  /** Grows by one with each depth. */
  round: 5,
  stopped: 6,
} as const;

/** Most states taken at a time. */
const BLOCK = 16;
/** Shares of a depth a thread should take at least, so that none waits long for another. */
const SHARES = 8;
/** Looks before a thread goes to sleep, and for how many milliseconds at most. */
const SPINS = 2000;
const NAP = 50;

/** Shared memory of a frontier that goes on from a place; `reached` states have been reached. */
export function sharedFrontierMemory(
  { explored, depth, lastOfDepth }: FrontierPlace,
  threads: number,
): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(8 * Int32Array.BYTES_PER_ELEMENT);
  const ints = new Int32Array(memory);
  ints[AT.taken] = explored;
  ints[AT.end] = lastOfDepth + 1;
  ints[AT.depth] = depth;
  ints[AT.block] = blockOf(lastOfDepth + 1 - explored, threads);
  return memory;
}

function blockOf(states: number, threads: number): number {
  return Math.max(1, Math.min(BLOCK, Math.floor(states / (threads * SHARES))));
}

/** How a thread uses a shared frontier. */
export interface FrontierUse {
  readonly threads: number;
  /** One of the threads leads: it begins each depth, when all others have ended the last one. */
  readonly isLeader: boolean;
  /** States in the set, while nobody adds any. */
  readonly reached: () => number;
  /** Whether there is room for more states; without it the search ends after the depth in work. */
  readonly hasRoom: () => boolean;
  /** Called on the leader between two depths, while all others wait. */
  readonly atTurn?: (place: FrontierPlace) => void;
  /** Called on every thread before it takes states of a new depth, which others may have reached. */
  readonly atDepth: () => void;
  /** Whether a thread is gone: then this one stops. */
  readonly isGone: () => boolean;
}

/**
 * A breadth-first frontier of several threads: they take states of one depth block by block, and wait
 * for each other before the next depth. States reached belong to the next depth, so a state is explored once,
 * and never before one that is less deep.
 */
export function sharedFrontier(
  memory: SharedArrayBuffer,
  { threads, isLeader, reached, hasRoom, atTurn, atDepth, isGone }: FrontierUse,
): Frontier & {
  /** Has all threads stop; whoever ends a search for whatever reason calls it. */
  readonly stop: () => void;
  /** On the leader: whether all states have been explored. A search that was stopped has not. */
  readonly isFinished: () => boolean;
} {
  const ints = new Int32Array(memory);
  let at = 0;
  let until = 0;
  let end = Atomics.load(ints, AT.end);
  let finished = false;

  function isStopped(): boolean {
    return Atomics.load(ints, AT.stopped) === 1;
  }

  function stop(): void {
    Atomics.store(ints, AT.stopped, 1);
    Atomics.notify(ints, AT.round);
    Atomics.notify(ints, AT.arrived);
  }

  /** Waits until an integer is no longer what it was; false when the search is over. */
  function wait(index: number, isOver: (value: number) => boolean): boolean {
    for (let tries = 1; ; tries += 1) {
      const value = Atomics.load(ints, index);
      if (isOver(value)) return true;
      if (isStopped()) return false;
      if (tries < SPINS) continue;
      Atomics.wait(ints, index, value, NAP);
      if (isGone()) stop();
    }
  }

  /** Goes on to the next depth; false when there is none, or the search is over. */
  function turn(): boolean {
    if (!isLeader) {
      const round = Atomics.load(ints, AT.round);
      Atomics.add(ints, AT.arrived, 1);
      Atomics.notify(ints, AT.arrived);
      if (!wait(AT.round, (value) => value !== round)) return false;
    } else {
      if (!wait(AT.arrived, (value) => value === threads - 1)) return false;
      const next = reached();
      const depth = Atomics.load(ints, AT.depth);
      finished = next === end && hasRoom();
      if (next === end || !hasRoom()) {
        stop();
        return false;
      }
      atTurn?.({ explored: end, depth, lastOfDepth: end - 1 });
      Atomics.store(ints, AT.arrived, 0);
      Atomics.store(ints, AT.taken, end);
      Atomics.store(ints, AT.block, blockOf(next - end, threads));
      Atomics.store(ints, AT.depth, depth + 1);
      Atomics.store(ints, AT.end, next);
      Atomics.add(ints, AT.round, 1);
      Atomics.notify(ints, AT.round);
    }
    end = Atomics.load(ints, AT.end);
    atDepth();
    return true;
  }

  return {
    reach: () => false,
    next() {
      for (;;) {
        if (isStopped()) return -1;
        if (at < until) {
          at += 1;
          return at - 1;
        }
        const block = Atomics.load(ints, AT.block);
        at = Atomics.add(ints, AT.taken, block);
        until = Math.min(at + block, end);
        if (at >= end && !turn()) return -1;
      }
    },
    cost: () => 0,
    isExplored: (id) => id < end,
    depth: () => Atomics.load(ints, AT.depth),
    place: () => null,
    stop,
    isFinished: () => finished,
  };
}
