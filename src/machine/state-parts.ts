import type { IntSequencePool } from '../util/int-sequence-pool.ts';
import type { ThreadEffects } from './effect-info.ts';
import type { Ghost } from './ghost.ts';
import type { Ledger } from './ledger.ts';
import type { MayCaches } from './may-cache.ts';
import type { Memory } from './memory.ts';
import { READ } from './read-trail.ts';
import { STATE, type State } from './state.ts';
import { INSTANCE_INTS } from './window.ts';
import {
  hasBuiltFrom,
  hasReadOf,
  hasTranslation,
  isBetweenHalves,
  isQuietWindow,
  obligationsIn,
} from './window-scan.ts';

/** Questions of a window among the parts of a state (`READ`). */
export type WindowQuestion =
  | typeof READ.obligations
  | typeof READ.translated
  | typeof READ.hasRead
  | typeof READ.builtFrom
  | typeof READ.midAtomic;

/** Parts of states that steps look at without looking at the whole component. */
export interface StateParts {
  /** A part of a state, as the trail has it (`READ`). */
  part(state: State, kind: number, component: number, argument: number): number;
  /** The answer of `count` instances in `ints` from `from` on. */
  inWindow(
    kind: WindowQuestion,
    ints: Int32Array,
    from: number,
    count: number,
    argument: number,
    pe: number,
  ): number;
}

/** Where the contents of components are. */
interface Contents {
  readonly memory: Memory;
  readonly tlbs: MayCaches;
  readonly ghost: Ghost;
  readonly ledger: Ledger;
  readonly windowPool: IntSequencePool;
  readonly threads: readonly ThreadEffects[];
}

/** The parts of states with these contents. */
export function createStateParts(contents: Contents): StateParts {
  const { memory, tlbs, ghost, ledger, windowPool, threads } = contents;
  /** By stored window: 1 when it is quiet, 2 when not, 0 when nobody has asked. */
  let quiet = new Uint8Array(1024);

  function inWindow(
    kind: WindowQuestion,
    ints: Int32Array,
    from: number,
    count: number,
    argument: number,
    pe: number,
  ): number {
    switch (kind) {
      case READ.obligations:
        return obligationsIn(ints, from, count);
      case READ.translated:
        return hasTranslation(ints, from, count) ? 1 : 0;
      case READ.hasRead:
        return hasReadOf(ints, from, count, argument) ? 1 : 0;
      case READ.builtFrom:
        return hasBuiltFrom(ints, from, count, argument, tlbs.results) ? 1 : 0;
      case READ.midAtomic:
        return isBetweenHalves(ints, from, count, argument, threads[pe] as ThreadEffects, memory)
          ? 1
          : 0;
    }
  }

  /**
   * Whether nothing in a stored window is translated or read, and no TLBI waits for anything in it: then the
   * answer to every question is no.
   */
  function isQuiet(id: number): boolean {
    if (id >= quiet.length) {
      const bigger = new Uint8Array(id * 2);
      bigger.set(quiet);
      quiet = bigger;
    }
    if (quiet[id] === 0) {
      const start = windowPool.start(id);
      const from = start + 2 + (windowPool.arena[start + 1] as number);
      const count = (start + windowPool.length(id) - from) / INSTANCE_INTS;
      quiet[id] = isQuietWindow(windowPool.arena, from, count) ? 1 : 2;
    }
    return quiet[id] === 1;
  }

  function inStoredWindow(
    kind: WindowQuestion,
    id: number,
    component: number,
    argument: number,
  ): number {
    if (isQuiet(id)) return 0;
    const { arena } = windowPool;
    const start = windowPool.start(id);
    const from = start + 2 + (arena[start + 1] as number);
    const count = (start + windowPool.length(id) - from) / INSTANCE_INTS;
    const pe = (component - STATE.pes) / STATE.perPe;
    return inWindow(kind, arena, from, count, argument, pe);
  }

  function part(state: State, kind: number, component: number, argument: number): number {
    const id = state[component] as number;
    switch (kind) {
      case READ.slot:
        return memory.slot(id, argument);
      case READ.walkable:
        return memory.walkable(id);
      case READ.cellCount:
        return memory.cellCount();
      case READ.page:
        return ghost.packedPage(id, argument);
      case READ.lockOwner:
        return ghost.packedOwner(id, argument);
      case READ.locksHeld:
        return ghost.packedHeld(id, argument);
      case READ.lastStored:
        return ghost.packedStored(id, argument);
      case READ.delivered:
        return ledger.storedDelivered(id);
      case READ.pendingTo:
        return ledger.storedPending(id, argument);
      case READ.obligations:
      case READ.translated:
      case READ.hasRead:
      case READ.builtFrom:
      case READ.midAtomic:
        return inStoredWindow(kind, id, component, argument);
      default:
        return id;
    }
  }

  return { part, inWindow };
}
