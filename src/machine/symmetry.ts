import type { IntSequencePool } from '../util/int-sequence-pool.ts';
import { pairMap } from '../util/pair-map.ts';
import type { Ghost } from './ghost.ts';
import { SLOT_INTS } from './ledger.ts';
import type { MachineSetup } from './setup.ts';
import { peComponent, STATE, type State } from './state.ts';

/**
 * Symmetry over PEs: PEs that run the same thread from the same context are interchangeable, so of
 * all states that differ only in which of them is which, one stands for all.
 *
 * What names a PE in a state: the PE's own group of components, the PEs an outstanding TLBI has still
 * to reach and its issuer, and the owner of a lock. All are renamed together.
 */
export interface Symmetry {
  /**
   * Replaces a state by its representative. Returns what the PE is called there; -1 is nobody, and stays
   * so.
   */
  canonicalise(state: State, pe?: number): number;
  /**
   * PEs that nothing in a representative tells from an interchangeable one before them, a bit each: what
   * they can do leads to states that differ in names alone.
   */
  twins(state: State): number;
}

/** The symmetry of a setup. */
export function createSymmetry(
  setup: MachineSetup,
  contextIds: readonly number[],
  ledgers: IntSequencePool,
  ghost: Ghost,
): Symmetry {
  const classes = interchangeable(setup, contextIds);
  if (classes.length === 0) return { canonicalise: (_, pe = -1) => pe, twins: () => 0 };
  const pes = setup.threads.map((_, pe) => pe);
  const lockCount = setup.locks.length;
  /** Which PE of the state comes to stand at each place. */
  const source = new Int32Array(pes.length);
  const target = new Int32Array(pes.length);
  const before = new Int32Array(STATE.pes + STATE.perPe * pes.length);
  /** Renamings met so far, and what each makes of a ledger and of ghost state. */
  const permutations: (readonly number[])[] = [];
  const permutationIds = new Map<number, number>();
  const renamedLedgers = pairMap();
  const renamedGhosts = pairMap();

  /** Which of two PEs comes first: by their components, then by what names them elsewhere. */
  function compare(state: State, a: number, b: number): number {
    const atA = peComponent(a, 0);
    const atB = peComponent(b, 0);
    for (let i = 0; i < STATE.perPe; i += 1) {
      const difference = (state[atA + i] as number) - (state[atB + i] as number);
      if (difference !== 0) return difference;
    }
    const id = state[STATE.ledger] as number;
    const start = ledgers.start(id);
    const last = start + ledgers.length(id) - SLOT_INTS;
    for (let at = last; at >= start; at -= SLOT_INTS) {
      const pending = ledgers.arena[at + 2] as number;
      const reached = ((pending >> a) & 1) - ((pending >> b) & 1);
      if (reached !== 0) return reached;
    }
    for (let at = last; at >= start; at -= SLOT_INTS) {
      const issuer = (ledgers.arena[at] as number) - 1;
      if (issuer === a) return 1;
      if (issuer === b) return -1;
    }
    const ghostId = state[STATE.ghost] as number;
    for (let lock = lockCount - 1; lock >= 0; lock -= 1) {
      const owner = ghost.packedOwner(ghostId, lock) - 1;
      if (owner === a) return 1;
      if (owner === b) return -1;
    }
    return 0;
  }

  function canonicalise(state: State, named = -1): number {
    let moved = false;
    for (const members of classes) {
      // Insertion sort: a handful of members, mostly in order already.
      for (let i = 1; i < members.length; i += 1) {
        const place = members[i] as number;
        if (!moved) {
          if (compare(state, members[i - 1] as number, place) <= 0) continue;
          moved = true;
          for (const pe of pes) source[pe] = pe;
        }
        const pe = source[place] as number;
        let j = i - 1;
        while (j >= 0 && compare(state, source[members[j] as number] as number, pe) > 0) {
          source[members[j + 1] as number] = source[members[j] as number] as number;
          j -= 1;
        }
        source[members[j + 1] as number] = pe;
      }
    }
    if (!moved) return named;
    rename(state);
    return named < 0 ? named : (target[named] as number);
  }

  function rename(state: State): void {
    before.set(state);
    for (const to of pes) {
      const from = source[to] as number;
      target[from] = to;
      if (from === to) continue;
      const atTo = peComponent(to, 0);
      const atFrom = peComponent(from, 0);
      for (let i = 0; i < STATE.perPe; i += 1) state[atTo + i] = before[atFrom + i] as number;
    }
    const permutation = permutationId();
    const ledgerId = state[STATE.ledger] as number;
    if (ledgers.length(ledgerId) > 0) {
      let renamed = renamedLedgers.get(ledgerId, permutation);
      if (renamed < 0) {
        renamed = renameLedger(ledgerId);
        renamedLedgers.set(ledgerId, permutation, renamed);
      }
      state[STATE.ledger] = renamed;
    }
    if (lockCount > 0) {
      const ghostId = state[STATE.ghost] as number;
      let renamed = renamedGhosts.get(ghostId, permutation);
      if (renamed < 0) {
        renamed = renameGhost(ghostId);
        renamedGhosts.set(ghostId, permutation, renamed);
      }
      state[STATE.ghost] = renamed;
    }
  }

  function permutationId(): number {
    let key = 0;
    for (const pe of pes) key = key * pes.length + (target[pe] as number);
    let id = permutationIds.get(key);
    if (id === undefined) {
      id = permutations.length;
      permutations.push([...target]);
      permutationIds.set(key, id);
    }
    return id;
  }

  function renameLedger(id: number): number {
    const ledger = new Int32Array(ledgers.length(id));
    ledgers.copy(id, ledger);
    for (let at = 0; at < ledger.length; at += SLOT_INTS) {
      const issuer = (ledger[at] as number) - 1;
      if (issuer < 0) continue;
      ledger[at] = (target[issuer] as number) + 1;
      let mask = 0;
      for (const pe of pes) {
        if (((ledger[at + 2] as number) & (1 << pe)) !== 0) mask |= 1 << (target[pe] as number);
      }
      ledger[at + 2] = mask;
    }
    return ledgers.intern(ledger, ledger.length);
  }

  function renameGhost(id: number): number {
    ghost.forget();
    ghost.load(id);
    for (let lock = 0; lock < lockCount; lock += 1) {
      const owner = ghost.lockOwner(lock);
      if (owner >= 0) ghost.setLockOwner(lock, target[owner] as number);
    }
    return ghost.isChanged() ? ghost.pack() : id;
  }

  /** Members of a class are in order in a representative, so twins stand side by side. */
  function twins(state: State): number {
    let mask = 0;
    for (const members of classes) {
      for (let i = 1; i < members.length; i += 1) {
        const pe = members[i] as number;
        if (compare(state, members[i - 1] as number, pe) === 0) mask |= 1 << pe;
      }
    }
    return mask;
  }

  return { canonicalise, twins };
}

/** Classes of at least two PEs with the same thread object and the same contexts. */
function interchangeable(
  setup: MachineSetup,
  contextIds: readonly number[],
): readonly (readonly number[])[] {
  const classes: number[][] = [];
  setup.threads.forEach((thread, pe) => {
    const mates = classes.find(([first]) => {
      const other = setup.threads[first as number];
      return (
        other?.tree === thread.tree &&
        contextIds[first as number] === contextIds[pe] &&
        (thread.previousContexts ?? []).length === 0 &&
        (other.previousContexts ?? []).length === 0
      );
    });
    if (mates === undefined) classes.push([pe]);
    else mates.push(pe);
  });
  return classes.filter((members) => members.length > 1);
}
