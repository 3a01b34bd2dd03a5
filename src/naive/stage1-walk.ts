import { decodeMair, type MemoryType } from '../arm64/attributes.ts';
import { alignDown, pa as asPa } from '../arm64/address.ts';
import {
  contiguousCount,
  descriptorAddress,
  levelShift,
  nextLevel,
  type Level,
} from '../arm64/geometry.ts';
import {
  addTableRestrictions,
  NO_TABLE_RESTRICTIONS,
  stage1Permissions,
  type TableRestrictions,
} from '../arm64/permissions.ts';
import { decodeStage1, type Stage1Leaf } from '../arm64/stage1-descriptor.ts';
import type { Fault } from '../program/effect.ts';
import { coversInput, distinctWalks, joinPaths } from './entry.ts';
import { outputOf, stage2Walks, type View } from './stage2-walk.ts';
import type { CellVersion, Entry, Stage1Part } from './state.ts';
import { cacheableValues, wordAt } from './word.ts';
import { geometryOf } from './world.ts';

/** One way stage 1 can answer now. The access of a fault is filled in by the caller. */
export interface Stage1Walk {
  readonly result:
    | { readonly kind: 'leaf'; readonly leaf: Stage1Part }
    | { readonly kind: 'fault'; readonly fault: Omit<Fault, 'access'> };
  readonly path: readonly CellVersion[];
  readonly built: readonly Entry[];
}

/** Where a walk stands: the next table, as a PA, and what led there. */
interface Position {
  readonly table: bigint;
  readonly level: Level;
  readonly restrictions: TableRestrictions;
  readonly path: readonly CellVersion[];
  readonly built: readonly Entry[];
}

/**
 * Every way stage 1 can translate a VA now: through a cached leaf, or from the root or a cached table
 * entry on in current memory. Under stage 2 each table address is an IPA that goes through
 * `stage2Walks`; the root's translation is stage-2 information only and has no entry of its own here.
 */
export function stage1Walks(view: View, va: bigint): readonly Stage1Walk[] {
  const { stage1, stage2, vmid, asid } = view.context;
  if (stage1 === null) return [];
  const twoStage = stage2 !== null;
  const level = geometryOf(view.world, 1).startLevel;
  const start = { level, restrictions: NO_TABLE_RESTRICTIONS, path: [], built: [] };
  const walks = [...throughStage2(view, va, stage1.root, start, () => []), ...byGroup(view, va)];
  for (const entry of view.tlb) {
    if (entry.vmid !== vmid || !coversInput(view.world, entry, va)) continue;
    if (entry.kind === 's1-leaf' && entry.twoStage === twoStage) {
      if (entry.asid === null || entry.asid === asid) {
        walks.push({ result: { kind: 'leaf', leaf: entry.s1 }, path: entry.path, built: [] });
      }
    }
  }
  walks.push(...fromTableEntries(view, va));
  return distinctWalks(walks, ({ result }) =>
    result.kind === 'leaf'
      ? `${result.leaf.output},${result.leaf.bits}`
      : `${result.fault.stage}${result.fault.cause}${result.fault.level}${result.fault.address}`,
  );
}

/**
 * Through an entry for a contiguous group that a walk would leave behind now: a walk of any address of
 * it, this one included, for a descriptor that does not fit its group gives something else by itself.
 */
function byGroup(view: View, va: bigint): readonly Stage1Walk[] {
  const { world, context } = view;
  const { stage1, stage2 } = context;
  if (stage1 === null || stage2 !== null) return [];
  const level = geometryOf(world, 1).startLevel;
  const start = { level, restrictions: NO_TABLE_RESTRICTIONS, path: [], built: [] };
  return world.setup.watchedVas
    .flatMap((each) => [
      ...throughStage2(view, each, stage1.root, start, () => []),
      ...fromTableEntries(view, each),
    ])
    .flatMap(({ built }) =>
      built.flatMap((entry): readonly Stage1Walk[] => {
        if (entry.kind !== 's1-leaf' || !coversInput(world, entry, va)) return [];
        return [{ result: { kind: 'leaf', leaf: entry.s1 }, path: entry.path, built }];
      }),
    );
}

function fromTableEntries(view: View, va: bigint): readonly Stage1Walk[] {
  const { stage2, vmid, asid } = view.context;
  const twoStage = stage2 !== null;
  return view.tlb.flatMap((entry) => {
    if (entry.kind !== 's1-table' || entry.twoStage !== twoStage) return [];
    if (entry.vmid !== vmid || entry.asid !== asid || !coversInput(view.world, entry, va))
      return [];
    const { next: table, restrictions, path } = entry;
    const level = nextLevel(entry.level);
    return walkFrom(view, va, { table, level, restrictions, path, built: [] });
  });
}

/**
 * Goes on in a table named by its IPA (its PA without stage 2). `entry` makes the table entry once the
 * PA is known.
 */
function throughStage2(
  view: View,
  va: bigint,
  table: bigint,
  position: Omit<Position, 'table'>,
  entry: (next: bigint, path: readonly CellVersion[]) => readonly Entry[],
): readonly Stage1Walk[] {
  const { path, built } = position;
  if (view.context.stage2 === null) {
    return walkFrom(view, va, { ...position, table, built: [...built, ...entry(table, path)] });
  }
  const geometry = geometryOf(view.world, 1);
  const cell = descriptorAddress(geometry, asPa(table), va, position.level);
  return stage2Walks(view, table).flatMap((walk) => {
    const joined = joinPaths(path, walk.path);
    const seen = [...built, ...walk.built];
    const fault = (cause: Fault['cause'], level: Level): Stage1Walk => ({
      result: { kind: 'fault', fault: { stage: 2, cause, level, address: cell, onWalk: true } },
      path: joined,
      built: seen,
    });
    if (walk.result.kind === 'fault') return [fault(walk.result.cause, walk.result.level)];
    const { leaf } = walk.result;
    if (!leaf.permissions.privileged.read) return [fault('permission', leaf.level)];
    const next = outputOf(leaf, table);
    return walkFrom(view, va, {
      ...position,
      table: next,
      path: joined,
      built: [...seen, ...entry(next, joined)],
    });
  });
}

function walkFrom(view: View, va: bigint, position: Position): readonly Stage1Walk[] {
  const { world, state, context } = view;
  const geometry = geometryOf(world, 1);
  const { granule } = geometry;
  const { level, restrictions, built } = position;
  const bits = levelShift(granule, level);
  const base = alignDown(va, bits);
  const twoStage = context.stage2 !== null;
  const cell = descriptorAddress(geometry, asPa(position.table), va, level);
  return cacheableValues(wordAt(state, cell)).flatMap(({ value, version }) => {
    const path = joinPaths(position.path, [{ cell, version }]);
    const fault = (cause: Fault['cause']): Stage1Walk => ({
      result: { kind: 'fault', fault: { stage: 1, cause, level, address: va, onWalk: false } },
      path,
      built,
    });
    const descriptor = decodeStage1(value, level, granule, world.features);
    switch (descriptor.kind) {
      case 'invalid':
      case 'reserved':
        return [fault('translation')];
      case 'table': {
        const below = addTableRestrictions(restrictions, descriptor);
        const next = { level: nextLevel(level), restrictions: below, path, built };
        return throughStage2(view, va, descriptor.next, next, (pa, joined) => [
          {
            kind: 's1-table',
            base,
            vmid: context.vmid,
            asid: context.asid,
            path: joined,
            twoStage,
            level,
            next: pa,
            restrictions: below,
          },
        ]);
      }
      case 'block':
      case 'page': {
        if (!descriptor.af) return [fault('access-flag')];
        const leaf: Stage1Part = {
          level,
          bits,
          output: descriptor.output,
          permissions: stage1Permissions(descriptor, restrictions),
          type: typeOf(view, descriptor),
          global: !descriptor.ng,
        };
        const entry: Entry = {
          kind: 's1-leaf',
          base,
          vmid: context.vmid,
          asid: leaf.global ? null : context.asid,
          path,
          twoStage,
          s1: leaf,
        };
        const group = groupEntry(view, entry, descriptor.contiguous);
        return [{ result: { kind: 'leaf', leaf }, path, built: [...built, entry, ...group] }];
      }
    }
  });
}

/** The entry for all of a contiguous group that this leaf may also leave behind. */
function groupEntry(
  { world }: View,
  entry: Extract<Entry, { kind: 's1-leaf' }>,
  contiguous: boolean,
): readonly Entry[] {
  const { level, bits, output } = entry.s1;
  const count = contiguousCount(geometryOf(world, 1).granule, level);
  if (!contiguous || count === null || entry.twoStage) return [];
  const size = bits + Math.log2(count);
  const s1 = { ...entry.s1, bits: size, output: alignDown(output, size) };
  return [{ ...entry, base: alignDown(entry.base, size), s1 }];
}

function typeOf(view: View, leaf: Stage1Leaf): MemoryType {
  const { setup, features } = view.world;
  const byte = Number((setup.translation.mair >> BigInt(leaf.attrIndx * 8)) & 0xffn);
  const type = decodeMair(byte, leaf.sh ?? 0b11, features);
  if (type.kind === 'reserved') throw new RangeError(`MAIR byte ${byte.toString(16)} is reserved`);
  return type;
}
