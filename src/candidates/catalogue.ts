import type { Candidate } from './candidate.ts';
import { breakBeforeMakeMap, makeBeforeBreakMap } from './map-stage2/candidates.ts';
import {
  lockedFault,
  skipEqualFault,
  uncleanedFault,
  unconditionalBreakFault,
  unlockedFault,
} from './memory-fault/candidates.ts';
import {
  deferredUnmapThenMapBlock,
  directBlock,
  unmapThenMapBlock,
} from './replace-table-by-block/candidates.ts';
import {
  reuseBeforeFlush,
  withoutCacheMaintenance,
  withoutDcDsb,
  withoutHypCall,
  withoutIcacheStep,
  withoutLastDsb,
  withoutLeafFlush,
  withoutLock,
  withoutUnlock,
  wrongVmid,
} from './unmap-stage2-range/broken.ts';
import {
  errorExitWithFlush,
  errorExitWithoutFlush,
  gatedOnFwb,
  keepPfnSecondWalk,
  twoPasses,
} from './unmap-stage2-range/deferral.ts';
import { deferredRangeFlush } from './unmap-stage2-range/deferred-range-flush.ts';
import {
  flushAfterLoop,
  flushAfterUnlock,
  flushAtNotifierEnd,
} from './unmap-stage2-range/late-flush.ts';
import { perPageFlush, perPageFlushRepeatTlbi } from './unmap-stage2-range/per-page-flush.ts';
import {
  rangeEndRoundedDown,
  rangeEndRoundedUp,
  rangeLargeStage1Only,
  rangeLocal,
  rangeStage1First,
  rangeStepBytes,
  rangeStepUnit,
  rangeThresholdInUnits,
  rangeWithoutMiddleDsb,
  rangeWithoutThreshold,
} from './unmap-stage2-range/range-flush-forms.ts';
import {
  freeTableBeforeFlush,
  tableFlushLeafOnly,
  tableFlushLevelHint,
  withoutTableFlush,
} from './unmap-stage2-range/table-flush-forms.ts';
import { writeProtectThenFlush, writeProtectWithoutFlush } from './write-protect/candidates.ts';

/** The rows of seed.md 1.8, in its order; one row has two forms. */
export const SEED_FAMILY: readonly Candidate[] = [
  perPageFlush,
  deferredRangeFlush,
  gatedOnFwb,
  twoPasses,
  keepPfnSecondWalk,
  flushAfterLoop,
  flushAfterUnlock,
  flushAtNotifierEnd,
  withoutTableFlush,
  tableFlushLeafOnly,
  tableFlushLevelHint,
  rangeWithoutMiddleDsb,
  rangeStage1First,
  rangeLargeStage1Only,
  rangeLocal,
  rangeStepUnit,
  rangeStepBytes,
  rangeWithoutThreshold,
  rangeEndRoundedDown,
  errorExitWithoutFlush,
];

/** Good twins of rows that have none in the table. */
const GOOD_TWINS: readonly Candidate[] = [
  perPageFlushRepeatTlbi,
  rangeEndRoundedUp,
  rangeThresholdInUnits,
  errorExitWithFlush,
];

/** One broken form of v5.8 per safety rule; the table is in broken.ts. */
export const BROKEN_FORMS: readonly Candidate[] = [
  withoutLeafFlush,
  reuseBeforeFlush,
  freeTableBeforeFlush,
  makeBeforeBreakMap,
  directBlock,
  withoutCacheMaintenance,
  withoutIcacheStep,
  uncleanedFault,
  wrongVmid,
  writeProtectWithoutFlush,
  unconditionalBreakFault,
  withoutUnlock,
  withoutLastDsb,
  withoutDcDsb,
  withoutHypCall,
  withoutLock,
  unlockedFault,
];

/** The other paths of v5.8. */
const OTHER_PATHS: readonly Candidate[] = [
  breakBeforeMakeMap,
  unmapThenMapBlock,
  deferredUnmapThenMapBlock,
  writeProtectThenFlush,
  skipEqualFault,
  lockedFault,
];

/** Every candidate, each once. */
export const CANDIDATES: readonly Candidate[] = [
  ...SEED_FAMILY,
  ...GOOD_TWINS,
  ...OTHER_PATHS,
  ...BROKEN_FORMS,
];

/** Finds a candidate by its id. */
export function findCandidate(id: string): Candidate | null {
  return CANDIDATES.find((candidate) => candidate.id === id) ?? null;
}
