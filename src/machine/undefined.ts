import type { Features } from '../arm64/features.ts';
import { missingFeature, type TlbiOp } from '../arm64/tlbi.ts';
import type { Context } from '../program/effect.ts';

/**
 * Why a TLBI is UNDEFINED on this machine at this Exception level, or null. Nothing traps to EL2 and
 * there is no nested virtualization, so at EL1 everything that names stage 2, all VMIDs or EL2 is
 * (Arm ARM, the pseudocode of each instruction's accessibility).
 */
export function undefinedTlbi(op: TlbiOp, el: Context['el'], features: Features): string | null {
  const missing = missingFeature(op, features);
  if (missing !== null) return `this machine has no ${FEATURE[missing]}`;
  if (el === 2) return null;
  const needsEl2 = op.regime === 'el2' || op.drops.includes('s2');
  if (el === 1 && !needsEl2) return null;
  return `at EL${el} it is UNDEFINED`;
}

const FEATURE = {
  'tlbi-range': 'FEAT_TLBIRANGE',
  'tlbi-os': 'FEAT_TLBIOS',
  xs: 'FEAT_XS',
} as const;

/** The same of a DSB with the nXS qualifier. */
export function undefinedNxs({ xs }: Features): string | null {
  return xs ? null : `this machine has no ${FEATURE.xs}`;
}

/** The same of writes to the registers that hold these parts of the context. */
export function undefinedWrite(change: Partial<Context>, el: Context['el']): string | null {
  if (el === 2) return null;
  if (el === 1 && change.vmid === undefined && change.stage2 === undefined) return null;
  return `at EL${el} it is UNDEFINED`;
}
