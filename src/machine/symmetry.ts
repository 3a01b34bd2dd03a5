import type { IntSequencePool } from '../util/int-sequence-pool.ts';
import type { Ghost } from './ghost.ts';
import type { MachineSetup } from './setup.ts';

/**
 * Symmetry over PEs: PEs that run the same thread from the same context are interchangeable, so of
 * all states that differ only in which of them is which, one stands for all.
 *
 * What names a PE in a state: the PE's own group of components, the PEs an outstanding TLBI has still
 * to reach and its issuer, and the owner of a lock. All are renamed together.
 */
export interface Symmetry {
  /** The representative of a state: the same array when it is its own. */
  canonical(state: Int32Array): Int32Array;
}

/** How a state is laid out, as the symmetry has to know it. */
export interface StateLayout {
  readonly ledger: number;
  readonly ghost: number;
  readonly pes: number;
  readonly perPe: number;
  readonly slotInts: number;
}

/** The symmetry of a setup. */
export function createSymmetry(
  setup: MachineSetup,
  layout: StateLayout,
  contextIds: readonly number[],
  ledgers: IntSequencePool,
  ghost: Ghost,
): Symmetry {
  const classes = interchangeable(setup, contextIds);
  if (classes.length === 0) return { canonical: (state) => state };
  let ledger = new Int32Array(64);
  const lockCount = setup.locks.length;

  function keyOf(state: Int32Array, pe: number, ledgerLength: number): number[] {
    const at = layout.pes + pe * layout.perPe;
    const key: number[] = [];
    for (let i = 0; i < layout.perPe; i += 1) key.push(state[at + i] as number);
    let reached = 0;
    let issued = 0;
    for (let slot = 0; slot * layout.slotInts < ledgerLength; slot += 1) {
      const from = slot * layout.slotInts;
      if (((ledger[from + 2] as number) & (1 << pe)) !== 0) reached |= 1 << slot;
      if (ledger[from] === pe + 1) issued |= 1 << slot;
    }
    let owned = 0;
    for (let lock = 0; lock < lockCount; lock += 1) {
      if (ghost.lockOwner(lock) === pe) owned |= 1 << lock;
    }
    key.push(reached, issued, owned);
    return key;
  }

  return {
    canonical(state) {
      const ledgerId = state[layout.ledger] as number;
      if (ledgers.length(ledgerId) > ledger.length)
        ledger = new Int32Array(ledgers.length(ledgerId));
      const ledgerLength = ledgers.copy(ledgerId, ledger);
      if (lockCount > 0) {
        ghost.forget();
        ghost.load(state[layout.ghost] as number);
      }
      const source = setup.threads.map((_, pe) => pe);
      let moved = false;
      for (const members of classes) {
        const keys = new Map(members.map((pe) => [pe, keyOf(state, pe, ledgerLength)]));
        const sorted = [...members].sort((a, b) => compare(keys.get(a) ?? [], keys.get(b) ?? []));
        members.forEach((position, i) => {
          source[position] = sorted[i] as number;
          if (sorted[i] !== position) moved = true;
        });
      }
      if (!moved) return state;
      return rename(state, source, ledgerLength);
    },
  };

  function rename(state: Int32Array, source: readonly number[], ledgerLength: number): Int32Array {
    const renamed = state.slice();
    const target: number[] = [];
    source.forEach((from, to) => {
      target[from] = to;
      for (let i = 0; i < layout.perPe; i += 1) {
        renamed[layout.pes + to * layout.perPe + i] = state[
          layout.pes + from * layout.perPe + i
        ] as number;
      }
    });
    for (let from = 0; from < ledgerLength; from += layout.slotInts) {
      const issuer = (ledger[from] as number) - 1;
      if (issuer < 0) continue;
      ledger[from] = (target[issuer] as number) + 1;
      let mask = 0;
      for (let pe = 0; pe < source.length; pe += 1) {
        if (((ledger[from + 2] as number) & (1 << pe)) !== 0) mask |= 1 << (target[pe] as number);
      }
      ledger[from + 2] = mask;
    }
    renamed[layout.ledger] = ledgers.intern(ledger, ledgerLength);
    if (lockCount > 0) {
      for (let lock = 0; lock < lockCount; lock += 1) {
        const owner = ghost.lockOwner(lock);
        if (owner >= 0) ghost.setLockOwner(lock, target[owner] as number);
      }
      renamed[layout.ghost] = ghost.pack();
    }
    return renamed;
  }
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

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i += 1) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}
