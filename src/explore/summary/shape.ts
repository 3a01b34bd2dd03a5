import type { Level } from '../../arm64/geometry.ts';
import type { Effect } from '../../program/effect.ts';
import type { SourceLocation } from '../../program/source-location.ts';

/**
 * Who an effect concerns. `all`: every page. `entry`: the pages below one entry of the tables, and no
 * other. `address`: every page, by what it shares with the address named. `range`: every page, by what a
 * TLBI by range hits of its walk.
 */
export type Concern = 'all' | 'entry' | 'address' | 'range';

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
  /** What a store or an atomic leaves in an entry; null: an atomic that writes nothing. */
  | { readonly kind: 'descriptor'; readonly value: StoredValue | null }
  /** An access to the page's line, or to that of the spare page, or maintenance of it; what it stores. */
  | { readonly kind: 'line' | 'spare-line'; readonly stored: bigint | null }
  /** A TLBI by IPA. `baseOf`: the highest level of which its page is the first one. */
  | { readonly kind: 'ipa'; readonly hintBits: bigint; readonly baseOf: Level }
  /** A TLBI by range of IPAs. */
  | { readonly kind: 'range' }
  | { readonly kind: 'free-table' }
  /** An announcement about the page. */
  | { readonly kind: 'announcement' };

/** A descriptor relative to the entry it is stored in. `own`: the address it has by the linear layout. */
export interface StoredValue {
  readonly bits: bigint;
  readonly output: 'none' | 'own' | 'spare';
}

/** Shapes by number. Runs that share a store have the same number for the same shape. */
export interface ShapeStore {
  readonly shapes: readonly Shape[];
  /** The number of the shape of an effect. */
  shapeOf(effect: Effect, concern: Concern, content: Content): number;
}

/** What was seen at one location. */
interface Seen {
  readonly effect: Effect;
  readonly content: Content;
  readonly shape: number;
}

/** More different effects of one location than this are not compared one by one. */
const MOST_SEEN = 8;

/** Code that makes its locations anew each time would fill the memory with them. */
const MOST_SITES = 4096;

/** An empty store. */
export function shapeStore(): ShapeStore {
  const shapes: Shape[] = [];
  const byKey = new Map<string, number>();
  const bySite = new Map<SourceLocation, Seen[]>();

  /** Effects that differ in nothing but the page have one shape. */
  function shapeOf(effect: Effect, concern: Concern, content: Content): number {
    let seen = bySite.get(effect.location);
    if (seen === undefined) {
      seen = [];
      if (bySite.size < MOST_SITES) bySite.set(effect.location, seen);
    }
    for (const each of seen) {
      if (sameEffect(each.effect, effect) && sameContent(each.content, content)) return each.shape;
    }
    const key = `${concern} ${effectKey(effect)} ${contentKey(content)}`;
    let shape = byKey.get(key);
    if (shape === undefined) {
      shape = shapes.length;
      shapes.push({ concern, effect, content });
      byKey.set(key, shape);
    }
    if (seen.length < MOST_SEEN) seen.push({ effect, content, shape });
    return shape;
  }

  return { shapes, shapeOf };
}

/** What makes shapes of effects differ, apart from what depends on the page. */
function effectKey(effect: Effect): string {
  switch (effect.kind) {
    case 'load':
      return `load ${effect.order} ${effect.exclusive} ${effect.wanted}`;
    case 'store':
      return `store ${effect.order} ${effect.exclusive}`;
    case 'rmw':
      return `rmw ${effect.acquire} ${effect.release} ${effect.noReturn}`;
    case 'tlbi':
      return `tlbi ${effect.op} ${effect.intendedVmid}`;
    case 'dc':
    case 'ic':
      return `${effect.kind} ${effect.op}`;
    case 'dsb':
      return `dsb ${effect.limit} ${effect.domain} ${effect.nXS}`;
    case 'dmb':
      return `dmb ${effect.limit}`;
    case 'exception-entry':
      return `${effect.kind} ${effect.toEl}`;
    case 'exception-return':
      return `${effect.kind} ${effect.toEl} ${effect.toHost}`;
    case 'lock':
    case 'unlock':
      return `${effect.kind} ${effect.lock}`;
    case 'context':
      return `context ${contextKey(effect.change)}`;
    case 'announce': {
      const { fact } = effect;
      switch (fact.kind) {
        case 'operation-begins':
          return `${fact.kind} ${fact.vmid}`;
        case 'operation-returns':
          return `${fact.kind} ${fact.vmid} ${fact.removes} ${fact.alone}`;
        case 'check-failed':
          return `${fact.kind} ${fact.check}`;
        case 'page-reused':
        case 'content-relied-on':
          return fact.kind;
      }
      break;
    }
    default:
      break;
  }
  return effect.kind;
}

/** Whether two effects have one key, for the kinds that fill long runs; false when it is not worth a look. */
function sameEffect(a: Effect, b: Effect): boolean {
  switch (a.kind) {
    case 'dsb':
      return b.kind === 'dsb' && a.limit === b.limit && a.domain === b.domain && a.nXS === b.nXS;
    case 'isb':
      return b.kind === 'isb';
    case 'tlbi':
      return b.kind === 'tlbi' && a.op === b.op && a.intendedVmid === b.intendedVmid;
    case 'dc':
      return b.kind === 'dc' && a.op === b.op;
    case 'store':
      return b.kind === 'store' && a.order === b.order && a.exclusive === b.exclusive;
    case 'load':
      return (
        b.kind === 'load' &&
        a.order === b.order &&
        a.exclusive === b.exclusive &&
        a.wanted === b.wanted
      );
    case 'context':
      return b.kind === 'context' && contextKey(a.change) === contextKey(b.change);
    case 'announce':
      return b.kind === 'announce' && effectKey(a) === effectKey(b);
    default:
      return false;
  }
}

function contentKey(content: Content): string {
  switch (content.kind) {
    case 'descriptor': {
      const { value } = content;
      return value === null
        ? 'descriptor unchanged'
        : `descriptor ${value.bits.toString(16)} ${value.output}`;
    }
    case 'ipa':
      return `ipa ${content.hintBits.toString(16)} ${content.baseOf}`;
    case 'line':
    case 'spare-line':
      return `${content.kind} ${content.stored?.toString(16) ?? ''}`;
    default:
      return content.kind;
  }
}

function sameContent(a: Content, b: Content): boolean {
  if (a === b) return true;
  switch (a.kind) {
    case 'descriptor':
      return (
        b.kind === 'descriptor' &&
        a.value?.bits === b.value?.bits &&
        a.value?.output === b.value?.output
      );
    case 'ipa':
      return b.kind === 'ipa' && a.hintBits === b.hintBits && a.baseOf === b.baseOf;
    case 'line':
    case 'spare-line':
      return b.kind === a.kind && a.stored === b.stored;
    default:
      return a.kind === b.kind;
  }
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
