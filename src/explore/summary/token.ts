import { decodeIpaOperand } from '../../arm64/tlbi-operand.ts';
import { LAST_LEVEL, LEVELS, type Level } from '../../arm64/geometry.ts';
import { pageShift } from '../../arm64/granule.ts';
import { tlbi } from '../../arm64/tlbi.ts';
import type { Effect } from '../../program/effect.ts';
import { evaluate, type Expr } from '../../program/expr.ts';
import type { SourceLocation } from '../../program/source-location.ts';
import { pagesPerEntry, type FullWorld } from './full-world.ts';

/**
 * Who an effect concerns. `all`: every page. `entry`: the pages below one entry of the tables, and no
 * other. `address`: every page, by what it shares with the address named.
 */
export type Concern = 'all' | 'entry' | 'address';

/** An effect without the place in the tables it is about. */
export interface Shape {
  readonly concern: Concern;
  /** The effect as it was seen first; what depends on the place is put in by the class machine. */
  readonly effect: Effect;
  readonly content: Content;
}

/** What of an effect depends on the page. */
export type Content =
  | { readonly kind: 'nothing' }
  /** A store of a descriptor: `own` has the address that the entry maps by the linear layout. */
  | { readonly kind: 'descriptor'; readonly value: StoredValue }
  /** An access to the page's line, or maintenance of it. */
  | { readonly kind: 'line' }
  /** A TLBI by IPA. `baseOf`: the highest level of which its page is the first one. */
  | { readonly kind: 'ipa'; readonly hintBits: bigint; readonly baseOf: Level }
  | { readonly kind: 'free-table' }
  /** An announcement about the page. */
  | { readonly kind: 'announcement' };

/** A descriptor relative to the entry it is stored in. */
export interface StoredValue {
  readonly bits: bigint;
  readonly output: 'none' | 'own' | 'spare';
}

/** Where an effect was seen: a shape, and the entry of the tables it is about. */
export interface Sighting {
  shape: number;
  level: number;
  /** First page of the entry, or -1 for `all`. */
  page: number;
}

/** The shapes of one run. */
export interface ShapeTable {
  readonly shapes: readonly Shape[];
  /**
   * Looks at an effect and fills `into`. Null: it concerns no page, and is left out. A text: the
   * summary cannot take it, and why.
   */
  see(effect: Effect, into: Sighting): 'seen' | null | { readonly beyond: string };
}

const OPERAND_ADDRESS = (1n << 44n) - 1n;

/** An empty table. */
export function shapeTable(world: FullWorld): ShapeTable {
  const { features, geometry } = world;
  const shift = BigInt(pageShift(features.granule));
  const outputBits = ((1n << 48n) - 1n) & ~((1n << shift) - 1n);
  const shapes: Shape[] = [];
  const byKey = new Map<string, number>();
  /** Shapes of effects without a place, by location and attributes: most effects of a run. */
  const bySite = new Map<SourceLocation, Map<string, number>>();

  function shapeOf(key: string, make: () => Shape): number {
    let id = byKey.get(key);
    if (id === undefined) {
      id = shapes.length;
      shapes.push(make());
      byKey.set(key, id);
    }
    return id;
  }

  function global(effect: Effect, attributes: string, into: Sighting): 'seen' {
    into.level = 0;
    into.page = -1;
    let known = bySite.get(effect.location);
    if (known === undefined) {
      known = new Map();
      bySite.set(effect.location, known);
    }
    let shape = known.get(attributes);
    if (shape === undefined) {
      shape = shapeOf(`${effect.kind} ${attributes}`, () => ({
        concern: 'all',
        effect,
        content: { kind: 'nothing' },
      }));
      known.set(attributes, shape);
    }
    into.shape = shape;
    return 'seen';
  }

  /** An effect that concerns the pages below one entry. */
  function about(
    effect: Effect,
    attributes: string,
    content: Content,
    level: Level,
    page: number,
    into: Sighting,
  ): 'seen' {
    into.level = level;
    into.page = page;
    into.shape = shapeOf(`${effect.kind} ${content.kind} ${attributes}`, () => ({
      concern: 'entry',
      effect,
      content,
    }));
    return 'seen';
  }

  /** A word that is no entry of the tables: the line of a page, or something nobody else looks at. */
  function onLine(
    effect: Effect,
    attributes: string,
    address: bigint,
    into: Sighting,
  ): 'seen' | { readonly beyond: string } {
    if (address === world.spare) return global(effect, `${attributes} spare`, into);
    const page = world.pageAt(address);
    if (page < 0 || world.addressOf(page) !== address) {
      return { beyond: `it works on a word that belongs to no page (${effect.location.text})` };
    }
    return about(effect, attributes, { kind: 'line' }, LAST_LEVEL, page, into);
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
    const order =
      effect.kind === 'store'
        ? `${effect.order} ${effect.exclusive}`
        : `${effect.acquire} ${effect.release} ${effect.noReturn} ${siteKey(effect.location)}`;
    if (entry === null) {
      const data = effect.kind === 'store' ? known(effect.data).toString(16) : '';
      return onLine(effect, `${order} ${data}`, address, into);
    }
    // An atomic is the same function of the old value wherever the same line makes it.
    const value: StoredValue =
      effect.kind === 'store'
        ? relative(known(effect.data), entry.page)
        : { bits: 0n, output: 'none' };
    return about(
      effect,
      `${order} ${value.bits.toString(16)} ${value.output}`,
      { kind: 'descriptor', value },
      entry.level,
      entry.page,
      into,
    );
  }

  function seeTlbi(
    effect: Extract<Effect, { kind: 'tlbi' }>,
    into: Sighting,
  ): 'seen' | { readonly beyond: string } {
    const op = tlbi(effect.op);
    if (op.by === 'all' || op.by === 'vmid') {
      return global(effect, `${effect.op} ${effect.intendedVmid}`, into);
    }
    if (op.by !== 'ipa' || op.range) {
      return { beyond: `it uses TLBI ${effect.op}, which is not projected onto one page` };
    }
    const operand = known(effect.operand);
    const page = Number(decodeIpaOperand(operand, features).address >> shift);
    const hintBits = operand & ~OPERAND_ADDRESS;
    // Which table entries go depends on more than what the addresses share, under one reading only.
    const baseOf = features.readingTableDropByAnyIpa ? LAST_LEVEL : highestBase(page);
    into.level = LAST_LEVEL;
    into.page = page;
    into.shape = shapeOf(
      `tlbi ${effect.op} ${effect.intendedVmid} ${hintBits.toString(16)} ${baseOf}`,
      () => ({ concern: 'address', effect, content: { kind: 'ipa', hintBits, baseOf } }),
    );
    return 'seen';
  }

  function highestBase(page: number): Level {
    for (const level of LEVELS) {
      if (level >= geometry.startLevel && page % pagesPerEntry(geometry, level) === 0) return level;
    }
    return LAST_LEVEL;
  }

  return {
    shapes,
    see(effect, into) {
      switch (effect.kind) {
        case 'load': {
          const address = known(effect.at.address);
          // Its value is known, and under the lock nobody else writes tables.
          if (world.entryAt(address) !== null) return null;
          return onLine(effect, `${effect.order} ${effect.wanted}`, address, into);
        }
        case 'store':
        case 'rmw':
          return seeStore(effect, into);
        case 'tlbi':
          return seeTlbi(effect, into);
        case 'dc':
          return onLine(effect, effect.op, known(effect.at.address), into);
        case 'ic':
          return effect.op === 'ivau'
            ? onLine(effect, effect.op, known(effect.at.address), into)
            : global(effect, effect.op, into);
        case 'dsb':
          return global(effect, `${effect.limit} ${effect.domain} ${effect.nXS}`, into);
        case 'dmb':
          return global(effect, effect.limit, into);
        case 'isb':
          return global(effect, '', into);
        case 'exception-entry':
        case 'exception-return':
          return global(effect, String(effect.toEl), into);
        case 'lock':
        case 'unlock':
          return global(effect, String(effect.lock), into);
        case 'context':
          return global(effect, contextKey(effect.change), into);
        case 'free-page': {
          const parent = world.parentOf(effect.page);
          if (parent === null) return { beyond: 'it frees a page that is no table of the range' };
          return about(effect, '', { kind: 'free-table' }, parent.level, parent.page, into);
        }
        case 'announce': {
          const { fact } = effect;
          switch (fact.kind) {
            case 'operation-begins':
              return global(effect, `${fact.kind} ${fact.vmid}`, into);
            case 'check-failed':
              return global(effect, `${fact.kind} ${fact.check}`, into);
            case 'page-reused':
            case 'content-relied-on': {
              const page = world.pageAt(fact.page);
              if (page < 0) return { beyond: 'it announces something about an unknown page' };
              return about(effect, fact.kind, { kind: 'announcement' }, LAST_LEVEL, page, into);
            }
            case 'operation-returns': {
              const page = Number((fact.pages[0] ?? 0n) >> shift);
              const key = `${fact.kind} ${fact.vmid} ${fact.removes}`;
              return about(effect, key, { kind: 'announcement' }, LAST_LEVEL, page, into);
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

function siteKey(location: SourceLocation): string {
  return `${location.file}:${location.line}:${location.function}:${location.text}`;
}

function contextKey({
  el,
  vmid,
  asid,
  stage1,
  stage2,
}: Extract<Effect, { kind: 'context' }>['change']): string {
  const control = (of: typeof stage1): string =>
    of === undefined ? '-' : of === null ? 'off' : `${of.root},${of.hardwareUpdate}`;
  return `${el} ${vmid} ${asid} ${control(stage1)} ${control(stage2)}`;
}

/** The value of an expression of host code, which knows its own data. */
export function known(expr: Expr): bigint {
  if (expr.kind === 'const') return expr.value;
  const value = evaluate(expr, () => undefined);
  if (value === undefined) throw new Error('an expression of host code is not a constant');
  return value;
}
