import { never } from '../util/never.ts';
import { lowMask } from './address.ts';
import type { Features } from './features.ts';
import { pageBytes, type Granule } from './granule.ts';
import type { Level } from './geometry.ts';
import type { Regime, Stages, TlbiOp } from './tlbi.ts';
import {
  decodeIpaOperand,
  decodeVaOperand,
  operandPage,
  VA_COMPARE_BITS,
  type TlbiOperand,
} from './tlbi-operand.ts';
import { decodeRangeOperand, isMisalignedForHint, rangeExtent } from './tlbi-range.ts';

/** One thing a TLB-like structure may hold, as far as an invalidation looks at it. */
export interface TranslationInfo {
  readonly regime: Regime;
  readonly stages: Stages;
  /** A leaf (block or page) or a table (walk-cache) entry. */
  readonly leaf: boolean;
  /** Level of the descriptor it came from; for `s1s2` that of stage 1. */
  readonly level: Level;
  /** The VMID it is tagged with, also while stage 2 is off (I_YWBQX); 0 in the EL2 regime. */
  readonly vmid: number;
  /**
   * The ASID it is tagged with; null for global leaves, for `s2`, and in a regime without ASIDs.
   * Stage-1 table entries are never global (R_CHVGJ): they always carry the ASID of their walk.
   */
  readonly asid: number | null;
  /** First input address: a VA for `s1` and `s1s2`, an IPA for `s2`. */
  readonly inputBase: bigint;
  /** log2 of the input addresses covered: of a block, a page, a contiguous group, or a table's reach. */
  readonly inputBits: number;
}

/** What an invalidation takes from the PE that issues it. */
export interface TlbiContext {
  /** VTTBR_EL2.VMID in force at issue. */
  readonly vmid: number;
  /** Granule in use by the stage that the operation names (stage 2 for IPA forms). */
  readonly granule: Granule;
  readonly features: Features;
  /**
   * HCR_EL2.{E2H,TGE} = {1,1} at issue: the EL1 stage-1 forms then name the EL2&0 regime instead of a
   * guest. A hypervisor at EL2 clears TGE before it invalidates for a guest. Absent means no.
   */
  readonly hostRegime?: boolean;
}

/**
 * Whether the architecture requires that the invalidation removes the entry from a PE it reaches.
 * Removing more is always allowed (R_MMZTY, R_KKDKL), so "false" means "may survive". Which PEs are
 * reached (`op.scope`) is not looked at. Whether an nXS form removes entries with XS = 1 is
 * implementation specific (cf. R_KBSSD) and not looked at either: all are taken as removed.
 */
export function tlbiMatches(
  op: TlbiOp,
  operand: TlbiOperand,
  ctx: TlbiContext,
  info: TranslationInfo,
): boolean {
  const regime = regimeOf(op, ctx);
  if (info.regime !== regime || !op.drops.includes(info.stages)) return false;
  // ALLE1 reaches every VMID; the EL2 regime has none.
  if (regime === 'el1&0' && op.by !== 'all' && info.vmid !== ctx.vmid) return false;
  if (op.lastLevelOnly && !info.leaf) return false;
  switch (op.by) {
    case 'all':
    case 'vmid':
      return true;
    case 'asid':
      // Leaves that are not global, and table entries, which carry the ASID of their walk.
      return info.asid === decodeVaOperand(operand, ctx.features).asid;
    case 'va':
      return (
        matchesAsid(regime, operandAsid(operand), ctx, info) &&
        matchesAddress(op, operand, ctx, info)
      );
    case 'va-any-asid':
    case 'ipa':
      return matchesAddress(op, operand, ctx, info);
    default:
      return never(op.by);
  }
}

/** The regime an operation names, given who issues it. */
function regimeOf(op: TlbiOp, ctx: TlbiContext): Regime {
  // VMALLS12E1, ALLE1 and the IPA forms always name EL1&0; the other E1 forms follow {E2H,TGE}.
  const followsHost = ctx.hostRegime === true && !op.drops.includes('s2');
  return followsHost ? 'el2' : op.regime;
}

function operandAsid(operand: TlbiOperand): number {
  return Number((operand >> 48n) & lowMask(16));
}

/**
 * Global leaves match any ASID; non-global leaves and all stage-1 table entries only their own
 * (R_CHVGJ; cf. R_VMSWQ, R_LGSCG). The EL2 regime without E2H has no ASIDs.
 */
function matchesAsid(
  regime: Regime,
  asid: number,
  ctx: TlbiContext,
  info: TranslationInfo,
): boolean {
  if (regime === 'el2' && !ctx.features.e2h) return true;
  return info.asid === asid || (info.leaf && info.asid === null);
}

function matchesAddress(
  op: TlbiOp,
  operand: TlbiOperand,
  ctx: TlbiContext,
  info: TranslationInfo,
): boolean {
  return op.range ? matchesRange(op, operand, ctx, info) : matchesSingle(op, operand, ctx, info);
}

/**
 * One page. A level hint names the leaf of the address: with the right one the leaf is removed, with
 * a wrong level or granule nothing need be (R_SQXYZ). Table entries under a hint are not taken as
 * removed: where the descriptor above was cleared there is no leaf for the hint to be right about,
 * which is why Linux gives no hint when it frees tables.
 */
function matchesSingle(
  op: TlbiOp,
  operand: TlbiOperand,
  ctx: TlbiContext,
  info: TranslationInfo,
): boolean {
  const { hint, address } =
    op.by === 'ipa'
      ? decodeIpaOperand(operand, ctx.features)
      : decodeVaOperand(operand, ctx.features);
  if (hint !== null) {
    if (hint.granule !== ctx.granule || hint.level !== info.level || !info.leaf) return false;
  }
  const start = operandPage(address, ctx.granule);
  return covers({ start, end: start + pageBytes(ctx.granule) }, ctx, info);
}

/**
 * A range. A granule other than the one in use removes nothing for sure (R_XKMMX), nor does a base
 * that is misaligned for the hint (I_TYBWT). A hint removes leaves of its level and table entries
 * above that level (TLBI RVAE1 and its relatives, field TTL; early texts promise the leaves only).
 */
function matchesRange(
  op: TlbiOp,
  operand: TlbiOperand,
  ctx: TlbiContext,
  info: TranslationInfo,
): boolean {
  const space = op.by === 'ipa' ? 'ipa' : 'va';
  const { granule, ...fields } = decodeRangeOperand(operand, space, ctx.features);
  if (granule !== ctx.granule) return false;
  const decoded = { ...fields, granule };
  if (isMisalignedForHint(decoded)) return false;
  const { level } = decoded;
  if (level !== null && (info.leaf ? info.level !== level : info.level >= level)) return false;
  return covers(rangeExtent(decoded, space), ctx, info);
}

/**
 * Whether the addresses [start, end) of an operation hit an entry. Any overlap hits a leaf: a block
 * or group is removed by any address inside it, a fragment by the address it was made for (R_LGSCG,
 * R_TVTYQ). Tables follow the reading `readingTableDropByAnyIpa`: on, any overlap; off, only when
 * the first address the table translates is among those named, the least a PE could look up.
 */
function covers(
  extent: { readonly start: bigint; readonly end: bigint },
  ctx: TlbiContext,
  info: TranslationInfo,
): boolean {
  const isIpa = info.stages === 's2';
  const base = isIpa ? info.inputBase : info.inputBase & lowMask(VA_COMPARE_BITS);
  if (!info.leaf && !ctx.features.readingTableDropByAnyIpa) {
    return extent.start <= base && base < extent.end;
  }
  return extent.start < base + (1n << BigInt(info.inputBits)) && base < extent.end;
}
