import { never } from '../util/never.ts';
import { decodeStage2MemAttr, type Stage2MemAttr } from './attributes.ts';
import { lowMask } from './address.ts';
import { isValid } from './descriptor.ts';
import type { Features } from './features.ts';
import { contiguousCount, levelShift, type Level } from './geometry.ts';
import type { Granule } from './granule.ts';
import type { Stage1Descriptor, Stage1Leaf } from './stage1-descriptor.ts';
import type { Stage2Descriptor, Stage2Leaf } from './stage2-descriptor.ts';

/**
 * Why a change needs break-before-make (R_WHZWS):
 *
 * - `memory-type`, `cacheability`, `shareability` change;
 * - `output-address` changes, while the old or the new one is writable or the contents may differ;
 * - `next-table`: another table is put in place, below which any of these may change;
 * - `size`: block, page or table below change places;
 * - `contiguous`: the Contiguous bit changes, which changes the size of what may be cached;
 * - `global`: a global entry takes the place of a non-global one.
 */
export type BbmReason =
  | 'memory-type'
  | 'cacheability'
  | 'shareability'
  | 'output-address'
  | 'next-table'
  | 'size'
  | 'contiguous'
  | 'global';

/** A descriptor and the level of the table it stands in. */
export interface Placed<D> {
  readonly descriptor: D;
  readonly level: Level;
}

/** What else is known about a change. */
export interface BbmContext {
  /** The input address for which both descriptors translate; its low bits choose within a block. */
  readonly input: bigint;
  readonly granule: Granule;
  readonly features: Features;
  /** Both output addresses are known to hold the same data. Absent means they may differ. */
  readonly sameContents?: boolean;
  /** Both tables are known to translate everything alike. Absent means they may differ. */
  readonly sameSubtree?: boolean;
}

/**
 * Whether a stage-2 change of a *live* descriptor, seen by other threads, needs break-before-make;
 * null when not. Only valid descriptors count: making or breaking a mapping is never a violation.
 * Changes of permissions, AF, DBM and software bits never need it, but a TLBI afterwards (R_GPPYH).
 *
 * The answer depends on the direction only where the rule does. Where the two sides differ in level,
 * pass the leaves that translate the same input address. FEAT_BBM forgives `size` and `contiguous`
 * only when nothing else changes (R_PVTFW), so the other reasons are looked for first.
 */
export function stage2BbmReason(
  before: Placed<Stage2Descriptor>,
  after: Placed<Stage2Descriptor>,
  context: BbmContext,
): BbmReason | null {
  return bbmReason<Stage2Leaf>(before, after, context, (a, b) =>
    stage2AttributeReason(a, b, context.features),
  );
}

/**
 * The same for stage 1. AttrIndx is compared, not MAIR: another index counts as another memory type
 * even if both bytes happen to be equal.
 */
export function stage1BbmReason(
  before: Placed<Stage1Descriptor>,
  after: Placed<Stage1Descriptor>,
  context: BbmContext,
): BbmReason | null {
  return bbmReason<Stage1Leaf>(before, after, context, stage1AttributeReason);
}

type Leaf = Stage1Leaf | Stage2Leaf;

type Descriptor<L extends Leaf> =
  L | { readonly kind: 'invalid' | 'reserved' } | { readonly kind: 'table'; readonly next: bigint };

function isLeaf<L extends Leaf>(descriptor: Descriptor<L>): descriptor is L {
  return descriptor.kind === 'block' || descriptor.kind === 'page';
}

function bbmReason<L extends Leaf>(
  before: Placed<Descriptor<L>>,
  after: Placed<Descriptor<L>>,
  context: BbmContext,
  attributes: (before: L, after: L) => BbmReason | null,
): BbmReason | null {
  const a: Descriptor<L> = before.descriptor;
  const b: Descriptor<L> = after.descriptor;
  if (!isValid(a) || !isValid(b)) return null;
  if (isLeaf<L>(a) && isLeaf<L>(b)) {
    return (
      attributes(a, b) ??
      outputReason({ ...before, descriptor: a }, { ...after, descriptor: b }, context) ??
      sizeReason(before.level, a, after.level, b, context)
    );
  }
  if (isLeaf<L>(a)) return replacedByTable(a, context);
  if (isLeaf<L>(b)) return replacedByTable(b, context);
  const same = a.kind === 'table' && b.kind === 'table' && a.next === b.next;
  return same || context.sameSubtree === true ? null : 'next-table';
}

function outputReason<L extends Leaf>(
  before: Placed<L>,
  after: Placed<L>,
  context: BbmContext,
): BbmReason | null {
  const outputOf = ({ descriptor, level }: Placed<L>): bigint =>
    descriptor.output | (context.input & lowMask(levelShift(context.granule, level)));
  if (outputOf(before) === outputOf(after)) return null;
  const writable = isWritable(before.descriptor) || isWritable(after.descriptor);
  return writable || context.sameContents !== true ? 'output-address' : null;
}

/** DBM counts as writable: hardware may turn the leaf into a writable one. */
function isWritable(leaf: Leaf): boolean {
  return leaf.dbm || ('write' in leaf ? leaf.write : !leaf.readOnly);
}

function sizeReason(
  beforeLevel: Level,
  before: Leaf,
  afterLevel: Level,
  after: Leaf,
  context: BbmContext,
): BbmReason | null {
  if (beforeLevel !== afterLevel) {
    // The larger leaf is the block that takes the place of a table or gives way to one.
    return replacedByTable(beforeLevel < afterLevel ? before : after, context);
  }
  const counts = contiguousCount(context.granule, beforeLevel) !== null;
  const changed = counts && before.contiguous !== after.contiguous;
  // R_KHRBC, R_FCPSG: level 1 is enough for the Contiguous bit.
  return changed && context.features.bbm === 0 ? 'contiguous' : null;
}

/** A block and a table in the same place: level 1 asks for nT in the block (R_KFLJB), level 2 not. */
function replacedByTable(block: Leaf, { features }: BbmContext): BbmReason | null {
  switch (features.bbm) {
    case 0:
      return 'size';
    case 1:
      return block.nt ? null : 'size';
    case 2:
      return null;
    default:
      return never(features.bbm);
  }
}

function stage1AttributeReason(before: Stage1Leaf, after: Stage1Leaf): BbmReason | null {
  if (before.attrIndx !== after.attrIndx) return 'memory-type';
  if (before.sh !== after.sh) return 'shareability';
  return before.ng && !after.ng ? 'global' : null;
}

function stage2AttributeReason(
  before: Stage2Leaf,
  after: Stage2Leaf,
  features: Features,
): BbmReason | null {
  const a = decodeStage2MemAttr(before.memAttr, features.fwb);
  const b = decodeStage2MemAttr(after.memAttr, features.fwb);
  if (before.memAttr !== after.memAttr) {
    return a.kind === 'normal' && b.kind === 'normal' ? 'cacheability' : 'memory-type';
  }
  return before.sh !== after.sh && usesShareability(a) ? 'shareability' : null;
}

/** Device and Non-cacheable memory is Outer Shareable whatever SH says. */
function usesShareability(asked: Stage2MemAttr): boolean {
  switch (asked.kind) {
    case 'device':
      return false;
    case 'normal':
      return asked.inner !== 'nc' || asked.outer !== 'nc';
    case 'force-wb':
    case 'stage1':
    case 'reserved':
      return true;
    default:
      return never(asked);
  }
}
