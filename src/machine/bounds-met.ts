import type { IdTables } from '../util/id-tables.ts';
import { KIND, type EffectInfo, type ThreadEffects } from './effect-info.ts';
import type { MachineSetup } from './setup.ts';
import { FLAG, flagsOf, type Window } from './window.ts';

/**
 * Which of the machine's own bounds kept something from happening, in any state made so far. Where one did
 * not, every run of a machine with a larger bound is one of this machine too (docs/reduction.md, what is
 * bounded), so what an exhaustive search says does not depend on it.
 */
export interface BoundsMet {
  /** Instructions in flight per PE: one that could have done something found no room. */
  readonly window: boolean;
  /** TLBIs outstanding at a time: one that could have been issued found no slot. */
  readonly tlbis: boolean;
}

/** No bound kept anything from happening. */
export const NO_BOUNDS_MET: BoundsMet = { window: false, tlbis: false };

/** The bounds that two machines met between them. */
export function eitherMet(a: BoundsMet, b: BoundsMet): BoundsMet {
  return { window: a.window || b.window, tlbis: a.tlbis || b.tlbis };
}

/** Takes note of bounds while the states of a machine are made. */
export interface BoundsNotes {
  /** The window of a thread is full, though the thread goes on. */
  full(w: Window, thread: ThreadEffects): void;
  /** A TLBI finds no slot in the ledger. */
  noSlot(): void;
  met(): BoundsMet;
}

const NOTE = { full: 0, fullBehindDsb: 1, noSlot: 2 } as const;

/**
 * Notes of one machine. They get ids like contents of states, so who goes on with the ids of this machine,
 * another thread or a later process, has its notes too.
 */
export function createBoundsNotes(
  { faults, translation }: MachineSetup,
  threads: readonly ThreadEffects[],
  ids: IdTables,
): BoundsNotes {
  const notes = ids.pool();
  /** What this machine has noted itself, so that each is noted once. */
  const own = new Set<number>();
  const buffer = new Int32Array(2);

  function note(kind: number, thread: number): void {
    const key = kind * threads.length + thread;
    if (own.has(key)) return;
    own.add(key);
    buffer[0] = kind;
    buffer[1] = thread;
    notes.intern(buffer, 2);
  }

  /**
   * Behind a context synchronisation event that has not happened nothing happens at all, and behind
   * an unfinished DSB nothing but translations: what has no room there has nothing to do yet.
   * Machines with a fault of fault.ts break the rules that say so.
   */
  function full(w: Window, thread: ThreadEffects): void {
    let isBehindDsb = false;
    for (let i = 0; i < w.count && faults === undefined; i += 1) {
      const { kind, synchronises } = w.infos[i] as EffectInfo;
      if ((flagsOf(w, i) & FLAG.fired) !== 0) continue;
      if (synchronises) return;
      if (kind === KIND.dsb) isBehindDsb = true;
    }
    note(isBehindDsb ? NOTE.fullBehindDsb : NOTE.full, threads.indexOf(thread));
  }

  function translatesBehindDsb(thread: ThreadEffects): boolean {
    // With FEAT_ETS a DSB holds back translations as well.
    if (translation.features.ets !== 'none') return false;
    const alike = threads.filter(({ tree }) => tree === thread.tree);
    return hasTranslationBehindDsb(
      thread,
      alike.map(({ edges }) => edges),
    );
  }

  return {
    full,
    noSlot: () => note(NOTE.noSlot, 0),
    met() {
      let met = NO_BOUNDS_MET;
      for (let id = 0; id < notes.size(); id += 1) {
        const at = notes.start(id);
        const kind = notes.arena[at];
        const thread = threads[notes.arena[at + 1] as number] as ThreadEffects;
        if (kind === NOTE.noSlot) met = { ...met, tlbis: true };
        else if (kind === NOTE.full || translatesBehindDsb(thread)) met = { ...met, window: true };
      }
      return met;
    },
  };
}

/**
 * Whether a thread can come, on the edges that it was seen to take, from a DSB to an access that is translated
 * without a context synchronisation event in between: its translation may be done while the DSB waits.
 */
function hasTranslationBehindDsb(
  { at }: Pick<ThreadEffects, 'at'>,
  edges: readonly ThreadEffects['edges'][],
): boolean {
  const next = new Map<number, number[]>();
  const open: number[] = [];
  for (const list of edges) {
    for (let i = 0; i < list.length; i += 2) {
      const from = list[i] as number;
      const to = list[i + 1] as number;
      const known = next.get(from);
      if (known === undefined) next.set(from, [to]);
      else known.push(to);
      if (at(from)?.kind === KIND.dsb) open.push(to);
    }
  }
  const behind = new Set<number>();
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node < 0 || behind.has(node)) continue;
    behind.add(node);
    const info = at(node);
    if (info?.translated === true) return true;
    if (info !== null && !info.synchronises) open.push(...(next.get(node) ?? []));
  }
  return false;
}
