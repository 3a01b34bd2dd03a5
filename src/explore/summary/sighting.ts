import { decodeIpaOperand } from '../../arm64/tlbi-operand.ts';
import { LAST_LEVEL, LEVELS, type Level } from '../../arm64/geometry.ts';
import { pageShift } from '../../arm64/granule.ts';
import { tlbi } from '../../arm64/tlbi.ts';
import type { Effect } from '../../program/effect.ts';
import { evaluate, type Expr } from '../../program/expr.ts';
import type { FullWorld } from './full-world.ts';
import { pagesPerEntry } from './layout.ts';
import { namedRange, type NamedRange } from './range-hits.ts';
import type { Content, ShapeStore, StoredValue } from './shape.ts';

/** Where an effect was seen: a shape, and the entry of the tables it is about. */
export interface Sighting {
  shape: number;
  level: number;
  /** First page of the entry, or -1 for `all`; for `range` the index in `ranges`. */
  page: number;
}

/** Looks at the effects of one run. */
export interface Sightings {
  /** TLBIs by range, in order. */
  readonly ranges: readonly NamedRange[];
  /**
   * Looks at an effect and fills `into`. Null: it concerns no page, and is left out. A text: the
   * summary cannot take it, and why.
   */
  see(effect: Effect, into: Sighting): 'seen' | null | { readonly beyond: string };
}

const OPERAND_ADDRESS = (1n << 44n) - 1n;

const NOTHING: Content = { kind: 'nothing' };
const ANNOUNCEMENT: Content = { kind: 'announcement' };
const RANGE: Content = { kind: 'range' };

/** Sightings of a run. `read`: what memory holds, at the time of the effect that is looked at. */
export function sightings(
  world: FullWorld,
  store: ShapeStore,
  read: (address: bigint) => bigint,
): Sightings {
  const { features, geometry } = world;
  const shift = BigInt(pageShift(features.granule));
  const outputBits = ((1n << 48n) - 1n) & ~((1n << shift) - 1n);
  const ranges: NamedRange[] = [];
  const { shapeOf } = store;

  function global(effect: Effect, into: Sighting, content = NOTHING): 'seen' {
    into.level = 0;
    into.page = -1;
    into.shape = shapeOf(effect, 'all', content);
    return 'seen';
  }

  /** An effect that concerns the pages below one entry. */
  function about(
    effect: Effect,
    content: Content,
    level: Level,
    page: number,
    into: Sighting,
  ): 'seen' {
    into.level = level;
    into.page = page;
    into.shape = shapeOf(effect, 'entry', content);
    return 'seen';
  }

  /** A word that is no entry of the tables: the line of a page, or something nobody else looks at. */
  function onLine(
    effect: Effect,
    address: bigint,
    into: Sighting,
  ): 'seen' | { readonly beyond: string } {
    if (effect.kind === 'load' && effect.wanted) {
      return { beyond: `what it does depends on the contents of a page (${effect.location.text})` };
    }
    const stored = effect.kind === 'store' ? known(effect.data) : null;
    if (address === world.spare) return global(effect, into, { kind: 'spare-line', stored });
    const page = world.pageAt(address);
    if (page < 0 || world.addressOf(page) !== address) {
      return { beyond: `it works on a word that belongs to no page (${effect.location.text})` };
    }
    return about(effect, { kind: 'line', stored }, LAST_LEVEL, page, into);
  }

  /** What a stored descriptor says, relative to the entry. */
  function relative(value: bigint, page: number): StoredValue {
    const output = value & outputBits;
    if (value === 0n || output === 0n) return { bits: value, output: 'none' };
    if (output === world.addressOf(page)) return { bits: value & ~outputBits, output: 'own' };
    if (output === world.spare) return { bits: value & ~outputBits, output: 'spare' };
    return { bits: value, output: 'none' };
  }

  function seeStore(
    effect: Extract<Effect, { kind: 'store' | 'rmw' }>,
    into: Sighting,
  ): 'seen' | { readonly beyond: string } {
    const address = known(effect.at.address);
    const entry = world.entryAt(address);
    if (entry === null) {
      if (effect.kind === 'rmw') {
        return { beyond: `it changes a page of the guest atomically (${effect.location.text})` };
      }
      return onLine(effect, address, into);
    }
    // The host is alone, so an atomic is known by what it comes to.
    const value =
      effect.kind === 'store'
        ? known(effect.data)
        : effect.update(read(address), effect.operands.map(known));
    const content: Content = {
      kind: 'descriptor',
      value: value === null ? null : relative(value, entry.page),
    };
    return about(effect, content, entry.level, entry.page, into);
  }

  function seeTlbi(
    effect: Extract<Effect, { kind: 'tlbi' }>,
    into: Sighting,
  ): 'seen' | { readonly beyond: string } {
    const op = tlbi(effect.op);
    if (op.by === 'all' || op.by === 'vmid') return global(effect, into);
    if (op.by !== 'ipa') {
      return { beyond: `it uses TLBI ${effect.op}, which is not projected onto one page` };
    }
    const operand = known(effect.operand);
    if (op.range) {
      into.level = LAST_LEVEL;
      into.page = ranges.length;
      into.shape = shapeOf(effect, 'range', RANGE);
      ranges.push(namedRange(op, operand, into.shape, features));
      return 'seen';
    }
    const page = Number(decodeIpaOperand(operand, features).address >> shift);
    const hintBits = operand & ~OPERAND_ADDRESS;
    // Which table entries go depends on more than what the addresses share, under one reading only.
    const baseOf = features.readingTableDropByAnyIpa ? LAST_LEVEL : highestBase(page);
    into.level = LAST_LEVEL;
    into.page = page;
    into.shape = shapeOf(effect, 'address', { kind: 'ipa', hintBits, baseOf });
    return 'seen';
  }

  function highestBase(page: number): Level {
    for (const level of LEVELS) {
      if (level >= geometry.startLevel && page % pagesPerEntry(geometry, level) === 0) return level;
    }
    return LAST_LEVEL;
  }

  return {
    ranges,
    see(effect, into) {
      switch (effect.kind) {
        case 'load': {
          const beyond = oddAccess(effect);
          if (beyond !== null) return { beyond };
          const address = known(effect.at.address);
          // Its value is known, and under the lock nobody else writes tables.
          return world.entryAt(address) !== null ? null : onLine(effect, address, into);
        }
        case 'store':
        case 'rmw': {
          const beyond = oddAccess(effect);
          return beyond === null ? seeStore(effect, into) : { beyond };
        }
        case 'tlbi':
          return seeTlbi(effect, into);
        case 'dc':
          return onLine(effect, known(effect.at.address), into);
        case 'ic':
          return effect.op === 'ivau'
            ? onLine(effect, known(effect.at.address), into)
            : global(effect, into);
        case 'dsb':
        case 'dmb':
        case 'isb':
        case 'exception-entry':
        case 'exception-return':
        case 'lock':
        case 'unlock':
        case 'context':
          return global(effect, into);
        case 'free-page': {
          const parent = world.parentOf(effect.page);
          if (parent === null) return { beyond: 'it frees a page that is no table of the range' };
          return about(effect, { kind: 'free-table' }, parent.level, parent.page, into);
        }
        case 'announce': {
          const { fact } = effect;
          switch (fact.kind) {
            case 'operation-begins':
            case 'check-failed':
              return global(effect, into);
            case 'page-reused':
            case 'content-relied-on': {
              const page = world.pageAt(fact.page);
              if (page < 0) return { beyond: 'it announces something about an unknown page' };
              return about(effect, ANNOUNCEMENT, LAST_LEVEL, page, into);
            }
            case 'operation-returns': {
              const page = Number((fact.pages[0] ?? 0n) >> shift);
              return about(effect, ANNOUNCEMENT, LAST_LEVEL, page, into);
            }
          }
          break;
        }
        case 'alloc-page':
          return { beyond: 'it allocates tables, and pages freed before may come back' };
        case 'choose':
        case 'fetch':
        case 'branch':
        case 'select':
          break;
      }
      return {
        beyond: `it asks for an effect that is not projected onto one page: ${effect.kind}`,
      };
    },
  };
}

/** What is wrong with an access for a summary, if anything: words of tables are read and written whole. */
function oddAccess({
  at,
  bytes,
  location,
}: Extract<Effect, { kind: 'load' | 'store' | 'rmw' }>): string | null {
  if (at.kind !== 'physical') return `it accesses memory by a virtual address (${location.text})`;
  return bytes === 8 ? null : `it accesses a part of a word (${location.text})`;
}

/** The value of an expression of host code, which knows its own data. */
export function known(expr: Expr): bigint {
  if (expr.kind === 'const') return expr.value;
  const value = evaluate(expr, () => undefined);
  if (value === undefined) throw new Error('an expression of host code is not a constant');
  return value;
}
