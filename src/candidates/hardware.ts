import type { Features } from '../arm64/features.ts';
import { refuted, type Expectation, type Refutation } from './candidate.ts';

/** On a core with the erratum, a TLBI and its DSB complete only when they are done twice. */
const INCOMPLETE: Refutation = {
  rule: 'P10',
  condition: 'on a core with the repeat-TLBI erratum that v5.8 does not know',
  needs: [],
};

/** What all forms rely on when they free a table. */
const READING: Refutation = {
  rule: 'P3',
  condition:
    'if an IPA need not drop the cached table descriptor unless it is the first of the table',
  // Pages on both sides of a border: the left one is the last of its table.
  needs: ['freed-tables', 'lock-drop'],
};

/** What a form does that bears on errata and readings. */
export interface HardwareReliance {
  /** Each TLBI is done twice, as a workaround; false in v5.8 for cores it does not know. */
  readonly repeats: boolean;
  /** It frees tables after one invalidation by an IPA that need not be the first of the table. */
  readonly freesTables: boolean;
}

/**
 * The expectation with what v5.8 itself relies on, and every form with it: that a TLBI is complete at
 * its DSB, and that one IPA drops the cached table descriptor above it.
 */
export function withHardware(
  expected: Expectation,
  features: Features,
  reliance: HardwareReliance,
): Expectation {
  const failures: readonly Refutation[] = [
    ...(expected.verdict === 'refuted' ? expected.refutations : []),
    ...(features.erratumRepeatTlbi && !reliance.repeats ? [INCOMPLETE] : []),
    ...(!features.readingTableDropByAnyIpa && reliance.freesTables ? [READING] : []),
  ];
  const [first, ...others] = failures;
  return first === undefined ? expected : refuted(first, ...others);
}
