import { levelShift, type Level } from '../arm64/geometry.ts';
import type { TranslationInfo } from '../arm64/tlbi-match.ts';
import { never } from '../util/never.ts';
import type { CellVersion, Entry } from './state.ts';
import type { World } from './world.ts';

/** log2 of the input addresses an entry is used for. */
export function inputBits(world: World, entry: Entry): number {
  const reach = (level: Level): number => levelShift(world.features.granule, level);
  switch (entry.kind) {
    case 's1-table':
    case 's2-table':
      return reach(entry.level);
    case 's1-leaf':
      return entry.s1.bits;
    case 's2-leaf':
      return entry.s2.bits;
    case 'combined':
      return entry.s1 === null ? entry.s2.bits : Math.min(entry.s1.bits, entry.s2.bits);
    default:
      return never(entry);
  }
}

/** Whether the entry is about this input address. Context tags are the caller's business. */
export function coversInput(world: World, entry: Entry, input: bigint): boolean {
  const bits = BigInt(inputBits(world, entry));
  return input >> bits === entry.base >> bits;
}

/** What an invalidation looks at. Without stage 1 a combined entry has the level of stage 2. */
export function infoOf(world: World, entry: Entry): TranslationInfo {
  const common = {
    regime: 'el1&0',
    vmid: entry.vmid,
    inputBase: entry.base,
    inputBits: inputBits(world, entry),
  } as const;
  switch (entry.kind) {
    case 's1-table':
      return {
        ...common,
        stages: entry.twoStage ? 's1s2' : 's1',
        leaf: false,
        level: entry.level,
        asid: entry.asid,
      };
    case 's1-leaf':
      return { ...common, stages: 's1', leaf: true, level: entry.s1.level, asid: entry.asid };
    case 's2-table':
      return { ...common, stages: 's2', leaf: false, level: entry.level, asid: null };
    case 's2-leaf':
      return { ...common, stages: 's2', leaf: true, level: entry.s2.level, asid: null };
    case 'combined':
      return {
        ...common,
        stages: 's1s2',
        leaf: true,
        level: entry.s1 === null ? entry.s2.level : entry.s1.level,
        asid: entry.asid,
      };
    default:
      return never(entry);
  }
}

/**
 * Identity of an entry: two entries with equal tags and output that were built from the same versions
 * of the same cells say the same thing.
 */
export function entryKey(entry: Entry): string {
  const known = KEYS.get(entry);
  if (known !== undefined) return known;
  const key = makeKey(entry);
  KEYS.set(entry, key);
  return key;
}

/** Entries are shared between states, so their keys are made once. */
const KEYS = new WeakMap<Entry, string>();

function makeKey(entry: Entry): string {
  const asid = 'asid' in entry ? entry.asid : '-';
  const size =
    entry.kind === 's1-leaf'
      ? entry.s1.bits
      : entry.kind === 's2-leaf'
        ? entry.s2.level
        : entry.kind === 'combined'
          ? `${entry.s1?.level ?? '-'}/${entry.s2.level}`
          : entry.level;
  const two = 'twoStage' in entry ? entry.twoStage : '-';
  const tag = `${entry.kind},${two},${entry.vmid},${asid},${size},${entry.base}`;
  return `${tag}>${outputKey(entry)},${pathKey(entry.path)}`;
}

function outputKey(entry: Entry): string {
  switch (entry.kind) {
    case 's1-table':
    case 's2-table':
      return entry.next.toString(16);
    case 's1-leaf':
      return entry.s1.output.toString(16);
    case 's2-leaf':
      return entry.s2.output.toString(16);
    case 'combined':
      return `${entry.s1?.output.toString(16) ?? '-'}/${entry.s2.output.toString(16)}`;
    default:
      return never(entry);
  }
}

/** The descriptor versions of both paths, each once, in a fixed order. */
export function joinPaths(
  a: readonly CellVersion[],
  b: readonly CellVersion[],
): readonly CellVersion[] {
  const all = new Map([...a, ...b].map((read) => [`${read.cell}.${read.version}`, read]));
  return [...all.values()].sort((x, y) =>
    x.cell === y.cell ? x.version - y.version : x.cell < y.cell ? -1 : 1,
  );
}

/**
 * The walks that differ in what they read or how they end, the first of each kind. Put walks from the
 * root first, since they leave behind all entries on their way. The path alone does not tell two walks
 * apart: the table and the output of stage 1 may have gone through two versions of one stage-2 cell.
 */
export function distinctWalks<W extends { readonly path: readonly CellVersion[] }>(
  walks: readonly W[],
  shape: (walk: W) => string,
): readonly W[] {
  const byPath = new Map<string, W>();
  for (const walk of walks) {
    const key = `${shape(walk)};${pathKey(walk.path)}`;
    if (!byPath.has(key)) byPath.set(key, walk);
  }
  return [...byPath.values()];
}

/** A path as text. */
export function pathKey(path: readonly CellVersion[]): string {
  return path.map(({ cell, version }) => `${cell.toString(16)}v${version}`).join('+');
}
