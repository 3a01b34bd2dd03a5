import type { Features } from '../../../src/arm64/features.ts';
import { pageShift } from '../../../src/arm64/granule.ts';
import { encodeRangeOperand, rangeOperands } from '../../../src/arm64/tlbi-range.ts';
import type { Level } from '../../../src/arm64/geometry.ts';
import type { Candidate } from '../../../src/candidates/candidate.ts';
import { HOLDS } from '../../../src/candidates/candidate.ts';
import type { HostCode } from '../../../src/candidates/host-code.ts';
import { mapEffects } from '../../../src/candidates/map-effects.ts';
import { unmapCandidate } from '../../../src/candidates/unmap-stage2-range/unmap-candidate.ts';
import { twoPassesWith } from '../../../src/candidates/unmap-stage2-range/deferred-forms.ts';
import { SEED_RANGE_FLUSH } from '../../../src/candidates/kvm-v5_8/range-flush.ts';
import { constant } from '../../../src/program/expr.ts';

/** What may be wrong with a range flush. */
export interface RangeForm {
  readonly name: string;
  readonly op?: string;
  /** Pages of the range left out at its end. */
  readonly short?: number;
  /** The level hint of every operation. */
  readonly level?: Level;
  /** The number of pages is taken in a granule of this shift. */
  readonly unitShift?: number;
  /** Pages that the split can express; those behind are forgotten. */
  readonly most?: number;
}

/**
 * Two passes with one flush for each top-level entry, by range operations where the seed has a loop over
 * pages or the large branch: the form of mainline since 6.6, where FEAT_TLBIRANGE is there.
 */
export function byRange(form: RangeForm): Candidate {
  const whole = { ...SEED_RANGE_FLUSH, threshold: () => 0n };
  return unmapCandidate({
    name: `by-range-${form.name}`,
    title: 'two passes, one flush by range operations',
    reference: [],
    expected: () => HOLDS,
    why: '',
    plan: () => {
      const plan = twoPassesWith(whole);
      return {
        ...plan,
        endOfTopLevelEntry: (kvm, { start, end }) =>
          inRanges(plan.endOfTopLevelEntry(kvm, { start, end }), start, end, form, kvm.features),
      };
    },
  });
}

/** The flush of the whole VMID becomes range operations, a barrier, and the stage-1 part. */
function inRanges(
  code: HostCode,
  start: bigint,
  end: bigint,
  { op = 'RIPAS2E1IS', short = 0, level, unitShift, most = Infinity }: RangeForm,
  features: Features,
): HostCode {
  const { granule } = features;
  const shift = BigInt(unitShift ?? pageShift(granule));
  return mapEffects(code, (effect) => {
    if (effect.kind !== 'tlbi' || effect.op !== 'VMALLS12E1IS') return [effect];
    const pages = Math.min(most, Number((end - start) >> shift) - short);
    const { location } = effect;
    const dsb = { kind: 'dsb', limit: 'full', domain: 'ish', nXS: false, location } as const;
    return [
      ...rangeOperands(start, pages, granule, features).map((step) => {
        const operand =
          step.kind === 'single'
            ? step.base >> 12n
            : encodeRangeOperand(
                {
                  asid: 0,
                  granule,
                  scale: step.scale,
                  num: step.num,
                  level: level ?? null,
                  base: step.base,
                },
                features,
              );
        const name = step.kind === 'single' ? op.slice(1) : op;
        return { ...effect, op: name, operand: constant(operand) };
      }),
      dsb,
      { ...effect, op: 'VMALLE1IS' },
    ];
  });
}
