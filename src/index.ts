/** Public entry of tlbgate: what a candidate of your own, or a script, needs. Re-exports only. */
export type {
  Candidate,
  Expectation,
  FaultOutcome,
  Mirror,
  Refutation,
} from './candidates/candidate.ts';
export { HOLDS, refuted } from './candidates/candidate.ts';
export { CANDIDATES, findCandidate } from './candidates/catalogue.ts';
export {
  call,
  dcCivac,
  dmb,
  dsb,
  icIalluis,
  isb,
  load,
  pageOf,
  store,
  tlbi,
  valueOf,
  writeContext,
  type HostCode,
} from './candidates/host-code.ts';
export { kvmFlushRemoteTlbs, kvmTlbFlushVmidIpa } from './candidates/kvm-v5_8/flush.ts';
export type { Kvm } from './candidates/kvm-v5_8/kvm.ts';
export { kvmTlbFlushVmidRange, SEED_RANGE_FLUSH } from './candidates/kvm-v5_8/range-flush.ts';
export type { UnmapPlan } from './candidates/kvm-v5_8/unmap-plan.ts';
export {
  clearLeaf,
  clearTable,
  dissolveTable,
  flushLeaf,
  flushTable,
  freeTable,
  maintainLeaf,
  putLeaf,
  putTable,
} from './candidates/kvm-v5_8/unmap-steps.ts';
export { V5_8_UNMAP } from './candidates/kvm-v5_8/unmap-v5_8.ts';
export { userMemAbort } from './candidates/kvm-v5_8/user-mem-abort.ts';
export { mapEffects } from './candidates/map-effects.ts';
export type { Request } from './candidates/operation.ts';
export { unmapOperation } from './candidates/operation.ts';
export { unmapCandidate, type UnmapForm } from './candidates/unmap-stage2-range/unmap-candidate.ts';
export { DEFAULT_FEATURES, type Features } from './arm64/features.ts';
export { verify, type Verification, type VerifyRequest } from './explore/verify.ts';
export { minimalRun } from './explore/minimal-run.ts';
export { findCounterexample } from './explore/counterexample-search.ts';
export { ALL_RULES, ruleById } from './rules/all-rules.ts';
export type { Rule } from './rules/rule.ts';
export { within } from './program/source-location.ts';
export { readScenario, writeScenario } from './scenario/codec.ts';
export { readReplay, writeReplay } from './scenario/replay-file.ts';
export { defaultScenario, type Scenario } from './scenario/scenario.ts';
