import { LAST_LEVEL, levelShift, type Level } from '../../arm64/geometry.ts';
import { pageBytes } from '../../arm64/granule.ts';
import { hostContext } from '../../candidates/kvm-v5_8/world-switch.ts';
import { generalGuest } from '../../guest/general.ts';
import { guestContext, GUEST_MAIR, MMU_OFF, smallStage1 } from '../../guest/view.ts';
import type { MachineSetup } from '../../machine/setup.ts';
import type { Announcement, Effect } from '../../program/effect.ts';
import { constant } from '../../program/expr.ts';
import { generatorThread } from '../../program/generator-thread.ts';
import type { GuestViewKind } from '../../scenario/scenario.ts';
import { VMID, type FullWorld } from './full-world.ts';
import type { PageClass, Projection, Token } from './project.ts';
import { rangeHits } from './range-hits.ts';
import type { StoredValue } from './shape.ts';
import type { Trace } from './trace.ts';
import { wordThread } from './word-thread.ts';

/** At the end of the text of what the host does for other pages. */
export const FOR_OTHERS = ' (for other pages)';

/**
 * Instructions in flight per PE: fewer than in the small scenarios, where 12 find all that 31 find
 * (`windowRows` of the benchmark) and 8 do not.
 */
export const CLASS_WINDOW = 12;

/**
 * The machine that stands for all pages of a class: one page with its walk and its line, the host as
 * that page sees it, and one vCPU that accesses the page in any way at any time.
 */
export function classSetup(
  world: FullWorld,
  { shapes, ranges }: Pick<Trace, 'shapes' | 'ranges'>,
  projection: Projection,
  of: PageClass,
  viewKind: GuestViewKind,
): MachineSetup {
  const { features, geometry } = world;
  const bytes = pageBytes(features.granule);
  const ipa = BigInt(of.page) * bytes;
  const line = world.addressOf(of.page);
  const baseAt = (address: bigint, level: Level): bigint => {
    const shift = BigInt(levelShift(features.granule, level));
    return (address >> shift) << shift;
  };
  const { stage1Table } = world;
  const own = world.walkOf(ipa);
  const entries = new Map(own.map(({ level, entry }) => [level, entry]));
  const tables = new Map(own.map(({ level, table }) => [level, table]));
  const walks = viewKind === 'mmu-off' ? own : [...own, ...world.walkOf(stage1Table.ipa)];

  function entryOf(level: number): bigint {
    const entry = entries.get(level as Level);
    if (entry === undefined) throw new Error(`the walk of the page has no entry of level ${level}`);
    return entry;
  }

  /** An IPA that shares as much of its walk with the page as `shared` says. */
  function sharing(shared: number, baseOf: Level): bigint {
    if (features.readingTableDropByAnyIpa) {
      return shared === 3 ? ipa : ipa ^ (1n << BigInt(levelShift(features.granule, next(shared))));
    }
    if (baseOf <= shared) return baseAt(ipa, baseOf);
    // Not the first page of anything that it shares.
    const level = next(shared);
    for (let bit = levelShift(features.granule, level); ; bit += 1) {
      const region = baseAt(ipa ^ (1n << BigInt(bit)), level);
      const other = shared < 2 ? region + bytes : region;
      if (shared < geometry.startLevel || baseAt(other, shared as Level) !== other) return other;
    }
  }

  function next(shared: number): Level {
    return Math.max(shared + 1, geometry.startLevel) as Level;
  }

  function announcement(fact: Announcement): Announcement {
    switch (fact.kind) {
      case 'operation-begins':
      case 'check-failed':
        return fact;
      case 'operation-returns':
        return { ...fact, pages: [ipa] };
      case 'page-reused':
      case 'content-relied-on':
        return { ...fact, page: line };
    }
  }

  function descriptor(stored: StoredValue | null, level: Level): bigint | null {
    if (stored === null) return null;
    const address = { none: 0n, own: baseAt(line, level), spare: world.spare }[stored.output];
    return stored.bits | address;
  }

  /** A TLBI by range of the host that hits of the page's walk what the token says. */
  function rangeOperand({ shape, hits }: Token): bigint {
    const found = ranges.find(
      (each) =>
        each.shape === shape && rangeHits(each, of.page, LAST_LEVEL, geometry, features) === hits,
    );
    if (found === undefined) throw new Error('no TLBI by range hits what the token says');
    return found.operand;
  }

  function effectOf(token: Token): Effect {
    const shape = shapes[token.shape];
    if (shape === undefined) throw new Error(`no shape ${token.shape}`);
    const { effect, content } = shape;
    const shared = token.shared ?? 3;
    switch (content.kind) {
      case 'nothing':
      case 'spare-line':
        return effect;
      case 'descriptor': {
        const at = { kind: 'physical', address: constant(entryOf(shared)) } as const;
        const value = descriptor(content.value, shared as Level);
        if (effect.kind === 'rmw') {
          const { kind, bytes, acquire, release, noReturn, location } = effect;
          const order = { acquire, release, noReturn, wanted: false };
          return { kind, at, bytes, update: () => value, operands: [], ...order, location };
        }
        if (effect.kind !== 'store') throw new Error('a descriptor is stored by a store');
        if (value === null) throw new Error('a store writes something');
        return { ...effect, at, data: constant(value) };
      }
      case 'line':
        if (!('at' in effect)) throw new Error('an effect on a line has a place');
        return { ...effect, at: { kind: 'physical', address: constant(line) } };
      case 'ipa':
        if (effect.kind !== 'tlbi') throw new Error('only a TLBI names an IPA');
        return {
          ...effect,
          operand: constant(content.hintBits | (sharing(shared, content.baseOf) >> 12n)),
        };
      case 'range':
        if (effect.kind !== 'tlbi') throw new Error('only a TLBI names a range');
        return { ...effect, operand: constant(rangeOperand(token)) };
      case 'free-table': {
        const page = tables.get((shared + 1) as Level);
        if (page === undefined) throw new Error(`the walk has no table below level ${shared}`);
        if (effect.kind !== 'free-page') throw new Error('a table is freed by free-page');
        return { ...effect, page };
      }
      case 'announcement':
        if (effect.kind !== 'announce') throw new Error('an announcement is announced');
        return { ...effect, fact: announcement(effect.fact) };
    }
  }

  /** Says of what is done for other pages that it is. */
  function placed(token: Token, isInLoop: boolean): Effect {
    const effect = effectOf(token);
    const concern = shapes[token.shape]?.concern;
    const isOther = concern === 'address' && token.shared !== 3;
    if (!isInLoop && !isOther) return effect;
    const { location } = effect;
    return { ...effect, location: { ...location, text: `${location.text}${FOR_OTHERS}` } };
  }

  const view =
    viewKind === 'mmu-off'
      ? MMU_OFF
      : smallStage1({
          features,
          mappings: [{ ipa, attribute: viewKind }],
          leaf: 'block',
          places: [stage1Table],
        });
  const va = view.vaOf(ipa);
  const guest = { base: line, use: 'guest', vmid: VMID, name: 'the page' } as const;
  return {
    threads: [
      {
        tree: wordThread('host', of.word, projection.words, (token, isInLoop) =>
          placed(projection.tokenOf(token), isInLoop),
        ),
        context: hostContext({ features }),
      },
      {
        tree: generatorThread(
          'vcpu0',
          generalGuest({
            vcpu: 'vcpu0',
            vas: [va],
            kinds: ['read', 'write'],
            value: 1n,
            handler: null,
          }),
        ),
        context: guestContext(view, { vmid: VMID, root: world.root }, features),
      },
    ],
    translation: { features, stage1: view.geometry, stage2: geometry, mair: GUEST_MAIR },
    memory: [...walks.map(({ entry, value }) => ({ address: entry, value })), ...view.words],
    pages: [
      ...[...new Map(walks.map(({ table, level }) => [table, level]))].map(([base, level]) => ({
        base,
        use: 'table' as const,
        vmid: VMID,
        name: `level-${level} table`,
      })),
      guest,
      { ...guest, base: world.spare, name: 'the spare page' },
      ...(viewKind === 'mmu-off'
        ? []
        : [{ ...guest, base: stage1Table.page, name: 'stage-1 table' }]),
    ],
    locks: ['mmu_lock'],
    watchedVas: [va],
    dataCache: 'modelled',
    bounds: { window: CLASS_WINDOW },
  };
}
