import type { Candidate } from '../../candidates/candidate.ts';
import { pageOf } from '../../candidates/host-code.ts';
import { DONE, type Answer, type Effect } from '../../program/effect.ts';
import { pageShift } from '../../arm64/granule.ts';
import type { FullWorld } from './full-world.ts';
import type { NamedRange } from './range-hits.ts';
import { shapeStore, type Shape, type ShapeStore } from './shape.ts';
import { known, sightings, type Sighting } from './sighting.ts';

/**
 * What one host thread does at full size, in order: for each effect that concerns a page its shape and
 * the entry of the tables it is about.
 */
export interface Trace {
  readonly kind: 'trace';
  readonly shapes: readonly Shape[];
  /** TLBIs by range, in order. */
  readonly ranges: readonly NamedRange[];
  /** Effects asked for, those left out included. */
  readonly effects: number;
  readonly length: number;
  readonly shape: Int32Array;
  readonly level: Int8Array;
  /** First page of the entry, or -1 for what concerns every page; for a TLBI by range its index in `ranges`. */
  readonly page: Int32Array;
  /** The number of options of each free choice that the run met. */
  readonly options: readonly number[];
}

/** Why there is no trace. */
export interface Beyond {
  readonly kind: 'beyond';
  /** What the host does that the summary cannot take, as the end of a sentence. */
  readonly reason: string;
}

/** There is no trace because the time was over. */
interface GivenUp {
  readonly kind: 'given-up';
  readonly reason: string;
}

/** The time that was given is over, as the end of a sentence. */
export const OUT_OF_TIME = 'was not finished in the time given';

/**
 * Effects that a run may ask for, with `pages` pages: an unmap takes some twenty for each. One that asks for more is taken for
 * one that does not end.
 */
function mostEffects(pages: number): number {
  return 1_000_000 + 200 * pages;
}

/**
 * Runs the host thread alone, on plain memory. One thread that changes tables under a lock meets
 * nobody: what it does is the same in every run, but for its free choices, answered by number. Dropping the lock and taking it again is left out: without it the thread is bound
 * by less. `expired` is asked now and then; a run that is not at its end by then is given up.
 */
export function traceOf(
  candidate: Candidate,
  world: FullWorld,
  choiceAt: (index: number) => number,
  store: ShapeStore = shapeStore(),
  expired: () => boolean = () => false,
): Trace | Beyond | GivenUp {
  const memory = new Map<number, bigint>();
  for (const [address, value] of world.memory) memory.set(Number(address), value);
  const shift = BigInt(pageShift(world.features.granule));
  const read = (address: bigint): bigint => memory.get(Number(address)) ?? 0n;
  const table = sightings(world, store, read);
  let shape = new Int32Array(1 << 16);
  let level = new Int8Array(1 << 16);
  let page = new Int32Array(1 << 16);
  let length = 0;
  let effects = 0;
  const options: number[] = [];
  let unlocked = -1;
  const held = new Set<number>();
  const freed = new Set<bigint>();
  const seen: Sighting = { shape: 0, level: 0, page: 0 };

  function push(): void {
    if (length === shape.length) {
      shape = grown(shape, new Int32Array(length * 2));
      level = grown(level, new Int8Array(length * 2));
      page = grown(page, new Int32Array(length * 2));
    }
    shape[length] = seen.shape;
    level[length] = seen.level;
    page[length] = seen.page;
    length += 1;
  }

  /** Reads of tables are left out, so a use of one that has been freed has to be noticed here. */
  function usesFreedTable(effect: Effect): boolean {
    if (effect.kind === 'free-page') freed.add(effect.page);
    if (freed.size === 0) return false;
    if (effect.kind !== 'load' && effect.kind !== 'store' && effect.kind !== 'rmw') return false;
    return freed.has(pageOf(known(effect.at.address), world.features.granule));
  }

  function note(effect: Effect): Beyond | null {
    if (usesFreedTable(effect)) {
      return { kind: 'beyond', reason: 'it uses a table that it has freed' };
    }
    const result = table.see(effect, seen);
    if (result === null) return null;
    if (result !== 'seen') return { kind: 'beyond', reason: result.beyond };
    if (effect.kind === 'lock') {
      if (held.has(effect.lock)) return { kind: 'beyond', reason: 'it takes a lock that it holds' };
      held.add(effect.lock);
    } else if (effect.kind === 'unlock') held.delete(effect.lock);
    if (effect.kind === 'lock' && unlocked === effect.lock) {
      length -= 1;
      unlocked = -1;
      return null;
    }
    unlocked = effect.kind === 'unlock' ? effect.lock : -1;
    if (effect.kind === 'announce' && effect.fact.kind === 'operation-returns') {
      // To each page it is an announcement about that page.
      for (const ipa of effect.fact.pages) {
        seen.page = Number(ipa >> shift);
        push();
      }
      return null;
    }
    push();
    return null;
  }

  function answer(effect: Effect): Answer {
    switch (effect.kind) {
      case 'load':
        return { kind: 'value', value: read(known(effect.at.address)) };
      case 'store':
        memory.set(Number(known(effect.at.address)), known(effect.data));
        return DONE;
      case 'rmw': {
        const at = Number(known(effect.at.address));
        const old = memory.get(at) ?? 0n;
        const value = effect.update(old, effect.operands.map(known));
        if (value !== null) memory.set(at, value);
        return effect.wanted ? { kind: 'value', value: old } : DONE;
      }
      case 'choose': {
        const value = BigInt(choiceAt(options.length));
        options.push(effect.options);
        return { kind: 'value', value };
      }
      default:
        return DONE;
    }
  }

  const most = mostEffects(world.range.to - world.range.from);
  const code = world.host(candidate);
  let step = code.next();
  while (step.done !== true) {
    const effect = step.value;
    effects += 1;
    if (effects % 4096 === 0 && expired()) return { kind: 'given-up', reason: OUT_OF_TIME };
    if (effects > most) {
      return {
        kind: 'beyond',
        reason: `it asks for more than ${most} effects; does a loop of it not end?`,
      };
    }
    if (effect.kind !== 'choose') {
      const beyond = note(effect);
      if (beyond !== null) return beyond;
    }
    step = code.next(answer(effect));
  }
  return {
    kind: 'trace',
    shapes: store.shapes,
    ranges: table.ranges,
    effects,
    length,
    shape,
    level,
    page,
    options,
  };
}

function grown<Values extends Int32Array | Int8Array>(from: Values, into: Values): Values {
  into.set(from);
  return into;
}
