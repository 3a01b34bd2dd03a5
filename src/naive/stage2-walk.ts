import { alignDown, pa as asPa } from '../arm64/address.ts';
import { descriptorAddress, levelShift, nextLevel, type Level } from '../arm64/geometry.ts';
import { stage2Permissions } from '../arm64/permissions.ts';
import { decodeStage2 } from '../arm64/stage2-descriptor.ts';
import type { Context, Fault } from '../program/effect.ts';
import { coversInput, distinctWalks, joinPaths } from './entry.ts';
import type { CellVersion, Entry, NaiveState, Stage2Part } from './state.ts';
import { cacheableValues, wordAt } from './word.ts';
import { geometryOf, type World } from './world.ts';

/** What a walk can see at one instant: current memory, and what one PE's TLB holds. */
export interface View {
  readonly world: World;
  readonly state: NaiveState;
  readonly tlb: readonly Entry[];
  readonly context: Context;
}

/** One way stage 2 can answer now. `built` are the entries this way leaves behind for sure. */
export interface Stage2Walk {
  readonly result:
    | { readonly kind: 'leaf'; readonly leaf: Stage2Part }
    | { readonly kind: 'fault'; readonly cause: Fault['cause']; readonly level: Level };
  readonly path: readonly CellVersion[];
  readonly built: readonly Entry[];
}

/**
 * Every way stage 2 can translate an IPA now: through a cached leaf, or by a walk that starts at the
 * root or at a cached table entry and goes on in current memory. Invalid descriptors and AF = 0 are
 * faults and never leave an entry (R_XCLRD), so a fault here has been read from memory just now.
 */
export function stage2Walks(view: View, ipa: bigint): readonly Stage2Walk[] {
  const { stage2, vmid } = view.context;
  if (stage2 === null) return [];
  const start = geometryOf(view.world, 2).startLevel;
  const walks: Stage2Walk[] = [...walkFrom(view, ipa, stage2.root, start, [], [])];
  for (const entry of view.tlb) {
    if (entry.vmid !== vmid || !coversInput(view.world, entry, ipa)) continue;
    if (entry.kind === 's2-leaf') {
      walks.push({ result: { kind: 'leaf', leaf: entry.s2 }, path: entry.path, built: [] });
    }
    if (entry.kind === 's2-table') {
      walks.push(...walkFrom(view, ipa, entry.next, nextLevel(entry.level), entry.path, []));
    }
  }
  return distinctWalks(walks, ({ result }) => result.kind);
}

function walkFrom(
  view: View,
  ipa: bigint,
  table: bigint,
  level: Level,
  above: readonly CellVersion[],
  builtAbove: readonly Entry[],
): readonly Stage2Walk[] {
  const { world, state, context } = view;
  const geometry = geometryOf(world, 2);
  const { granule } = geometry;
  const bits = levelShift(granule, level);
  const cell = descriptorAddress(geometry, asPa(table), ipa, level);
  return cacheableValues(wordAt(state, cell)).flatMap(({ value, version }) => {
    const path = joinPaths(above, [{ cell, version }]);
    const tag = { base: alignDown(ipa, bits), vmid: context.vmid, path };
    const descriptor = decodeStage2(value, level, granule, world.features);
    switch (descriptor.kind) {
      case 'invalid':
      case 'reserved':
        return [
          { result: { kind: 'fault', cause: 'translation', level }, path, built: builtAbove },
        ];
      case 'table': {
        const built: Entry[] = [
          ...builtAbove,
          { ...tag, kind: 's2-table', level, next: descriptor.next },
        ];
        return walkFrom(view, ipa, descriptor.next, nextLevel(level), path, built);
      }
      case 'block':
      case 'page': {
        if (!descriptor.af) {
          return [
            { result: { kind: 'fault', cause: 'access-flag', level }, path, built: builtAbove },
          ];
        }
        const leaf: Stage2Part = {
          level,
          bits,
          output: descriptor.output,
          permissions: stage2Permissions(descriptor),
          memAttr: descriptor.memAttr,
          sh: descriptor.sh ?? 0b11,
          fnxs: descriptor.fnxs,
        };
        const built: Entry[] = [...builtAbove, { ...tag, kind: 's2-leaf', s2: leaf }];
        return [{ result: { kind: 'leaf', leaf }, path, built }];
      }
    }
  });
}

/** Output address of a leaf for an input address. */
export function outputOf(
  leaf: { readonly output: bigint; readonly bits: number },
  input: bigint,
): bigint {
  return leaf.output | (input & ((1n << BigInt(leaf.bits)) - 1n));
}
