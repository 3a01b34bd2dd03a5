import type { Features } from '../../arm64/features.ts';
import {
  LAST_LEVEL,
  LEVELS,
  levelBytes,
  mayHoldBlock,
  type Geometry,
  type Level,
} from '../../arm64/geometry.ts';
import { bitsPerLevel } from '../../arm64/granule.ts';
import type { OperationKind } from '../../candidates/candidate.ts';
import { inputError, type InputError } from '../../scenario/input-error.ts';

/** The size at which an operation is looked at as a whole. */
export interface FullSize {
  readonly features: Features;
  /** Pages of the granule in the range of the operation. */
  readonly pages: number;
  /**
   * What the range is mapped by: the size of a page or block (`4k`, `2m` ...), or `mixed`. For an operation that
   * puts blocks in the place of pages, the blocks; there the size of a page stands for those of level 2.
   */
  readonly mapping: string;
}

/** Consecutive pages by number (IPA / page size), mapped by leaves of one level. */
export interface Run {
  readonly from: number;
  /** Not included. */
  readonly to: number;
  readonly level: Level;
}

/**
 * Where a neighbour keeps the tables alive that the range does not fill. At the other end of the range every
 * table becomes empty.
 */
export type Side = 'in-front' | 'behind';

/** Where ranges lie that together show an operation: what frees no table is the same on both sides. */
export function sidesOf(operation: OperationKind): readonly Side[] {
  return operation === 'unmap' ? ['in-front', 'behind'] : ['in-front'];
}

/** The largest range, in pages, that is worth building in memory. */
const MOST_PAGES = 1 << 24;

/** Sizes by which a granule maps, largest first, as they are written on the command line. */
export function mappingNames(features: Features): readonly string[] {
  return LEVELS.filter(
    (level) => level === LAST_LEVEL || mayHoldBlock(features.granule, level, features),
  ).map((level) => sizeName(levelBytes(features.granule, level)));
}

function sizeName(bytes: bigint): string {
  const units = ['k', 'm', 'g', 't'] as const;
  let value = bytes >> 10n;
  let unit = 0;
  while (value >= 1024n) {
    value >>= 10n;
    unit += 1;
  }
  return `${value}${units[unit] ?? '?'}`;
}

/** The level that a mapping of this name has; null where the granule has no such mapping. */
function levelNamed(features: Features, name: string): Level | null {
  const { granule } = features;
  return (
    LEVELS.find(
      (level) =>
        (level === LAST_LEVEL || mayHoldBlock(granule, level, features)) &&
        sizeName(levelBytes(granule, level)) === name,
    ) ?? null
  );
}

/** Pages of the granule that one entry of a level covers. */
export function pagesPerEntry(geometry: Geometry, level: Level): number {
  return 2 ** ((LAST_LEVEL - level) * bitsPerLevel(geometry.granule));
}

/** Where everything is, in pages. */
export interface Layout {
  readonly runs: readonly Run[];
  readonly range: { readonly from: number; readonly to: number };
  /** Pages that one call of the operation is about. */
  readonly step: number;
  readonly unit: number;
}

/**
 * The range lies across a border of top-level entries. A neighbour on one side keeps the tables there alive,
 * on the other side every table becomes empty.
 */
export function layOut(
  size: FullSize,
  geometry: Geometry,
  operation: OperationKind,
  side: Side,
): Layout | InputError {
  const { features, pages, mapping } = size;
  const names = mappingNames(features).filter(
    (name) => (levelNamed(features, name) ?? -2) >= geometry.startLevel,
  );
  const page = names.at(-1) ?? '';
  const level = mapping === 'mixed' ? LAST_LEVEL : levelNamed(features, mapping);
  if (level === null || level < geometry.startLevel) {
    return optionError(
      `--mapping cannot be "${mapping}": with ${features.granule} pages it is ${names.join(', ')} or mixed`,
    );
  }
  if (operation === 'block') return layOutBlocks(size, geometry, level);
  if (operation === 'remap' && mapping !== page && mapping !== 'mixed') {
    return optionError(
      `--mapping cannot be "${mapping}": this operation replaces entries of pages, so it needs ${page} or mixed`,
    );
  }
  const block = pagesPerEntry(geometry, 2);
  const unit = pagesPerEntry(geometry, level);
  if (pages % unit !== 0) return notWhole(pages, unit);
  if (mapping === 'mixed' && pages < 2 * block) {
    return optionError(
      `--pages cannot be ${pages}: pages and blocks side by side need at least ${2 * block}`,
    );
  }
  const perTable = unit * 2 ** bitsPerLevel(geometry.granule);
  const rightBlocks = mapping === 'mixed' ? Math.floor(pages / 2 / block) * block : 0;
  let left = mapping === 'mixed' ? pages - rightBlocks : Math.floor(pages / unit / 2) * unit;
  // A table that the range fills has no place for a neighbour.
  if (mapping !== 'mixed' && left > unit) {
    const beside = side === 'in-front' ? left : pages - left;
    if (beside % perTable === 0) left -= unit;
  }
  const border = borderFor(geometry, left + unit);
  const range = { from: border - left, to: border - left + pages };
  const inFront = mapping === 'mixed' ? 1 : unit;
  const behind = rightBlocks > 0 ? block : unit;
  const outside = outOfSpace(size, geometry, range.to + behind);
  if (outside !== null) return outside;
  const runs: Run[] = [];
  if (side === 'in-front' && left > 0) {
    runs.push({ from: range.from - inFront, to: range.from, level });
  }
  if (rightBlocks > 0) {
    runs.push({ from: range.from, to: border, level }, { from: border, to: range.to, level: 2 });
  } else runs.push({ ...range, level });
  if (side === 'behind') {
    runs.push({ from: range.to, to: range.to + behind, level: rightBlocks > 0 ? 2 : level });
  }
  return {
    runs,
    // Blocks are beside the pages that a remap is about.
    range: operation === 'remap' && rightBlocks > 0 ? { from: range.from, to: border } : range,
    step: operation === 'remap' ? 1 : pages,
    unit: mapping === 'mixed' ? 2 * block : unit,
  };
}

/**
 * Pages, and with `mixed` blocks of level 2 as well, in whose place blocks are put. A page in front and one behind
 * keep the tables above alive: with the last table below it a table goes too, and would have to be made again.
 */
function layOutBlocks(size: FullSize, geometry: Geometry, level: Level): Layout | InputError {
  const { features, pages, mapping } = size;
  const isMixed = mapping === 'mixed';
  if (isMixed && (geometry.startLevel > 1 || !mayHoldBlock(features.granule, 1, features))) {
    return optionError(
      `--mapping cannot be "mixed": this operation puts blocks in the place of pages, and with ${features.granule} pages there are none large enough to hold blocks and pages`,
    );
  }
  const unit = pagesPerEntry(geometry, isMixed || level === 1 ? 1 : 2);
  if (pages % unit !== 0) return notWhole(pages, unit);
  const left = Math.floor(pages / unit / 2) * unit;
  const border = borderFor(geometry, left + unit);
  const range = { from: border - left, to: border - left + pages };
  const outside = outOfSpace(size, geometry, range.to + 1);
  if (outside !== null) return outside;
  const runs: Run[] = [{ from: range.from - 1, to: range.from, level: LAST_LEVEL }];
  if (isMixed) {
    for (let from = range.from; from < range.to; from += unit) {
      const middle = from + unit / 2;
      runs.push({ from, to: middle, level: LAST_LEVEL });
      runs.push({ from: middle, to: from + unit, level: 2 });
    }
  } else runs.push({ ...range, level: LAST_LEVEL });
  runs.push({ from: range.to, to: range.to + 1, level: LAST_LEVEL });
  return { runs, range, step: unit, unit };
}

/** The first border of top-level entries with room for so many pages in front of it. */
function borderFor(geometry: Geometry, inFront: number): number {
  const perTop = pagesPerEntry(geometry, geometry.startLevel);
  return Math.max(1, Math.ceil(inFront / perTop)) * perTop;
}

/** The last two top-level entries are for the guest's own tables and for what is outside of all. */
function outOfSpace(
  { features, pages }: FullSize,
  geometry: Geometry,
  end: number,
): InputError | null {
  const perTop = pagesPerEntry(geometry, geometry.startLevel);
  if (pages <= MOST_PAGES && end <= (geometry.rootEntries - 2) * perTop) return null;
  const most = Math.min(MOST_PAGES, (geometry.rootEntries - 4) * perTop);
  return optionError(
    `--pages cannot be ${pages}: at most ${most} pages fit with ipa-bits=${features.ipaBits} and ${features.granule} pages`,
  );
}

function notWhole(pages: number, unit: number): InputError {
  return optionError(
    `--pages cannot be ${pages}: a block holds ${unit} pages, so it must be a multiple of that`,
  );
}

function optionError(text: string): InputError {
  return inputError('option-value', `${text}.`);
}
