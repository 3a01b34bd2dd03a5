import type { Features } from '../arm64/features.ts';
import type { FileReport } from '../frontend/kernel-c/patch/apply-patch.ts';
import type { Rule } from '../rules/rule.ts';
import type { Assumption, KernelFamily, KernelScenario } from '../scenario/kernel/family.ts';
import type { FileChange } from './gate-change.ts';
import type { Compared, GateVerdict } from './gate-compare.ts';
import type { Cost } from './gate-cost.ts';
import type { Coverage } from './gate-coverage.ts';
import type { Effect } from './gate-effect.ts';
import type { SideResult } from './gate.ts';

/** Everything that was found out about a tree, or about a patch to it. */
export interface GateResult {
  readonly profile: string;
  /** Profiles that fit the tree as well and that nobody asked for, with what they are for. */
  readonly notRun: readonly Pick<KernelFamily, 'name' | 'kernels'>[];
  readonly rules: readonly Rule[];
  readonly machines: readonly Features[];
  /** Features whose combinations the machines are. */
  readonly matrix: readonly string[];
  /** The scenarios that were run. */
  readonly scenarios: readonly KernelScenario[];
  /** How many the profile has, or the user gave. */
  readonly available: number;
  /** `null` when the tree is looked at as it is. */
  readonly patch: PatchResult | null;
  /** The tree as it is, or with the patch. */
  readonly result: SideResult;
  readonly verdict: GateVerdict;
  /** Scenarios that were only counted. */
  readonly figures: readonly Figure[];
  readonly assumed: readonly Assumption[];
  readonly statesPerSearch: number;
}

/** What the host does in a scenario that is too large to be searched. */
export interface Figure {
  readonly scenario: string;
  /** The machines it is the same on. */
  readonly machines: readonly Features[];
  /** Without the patch; `null` where it could not be counted. */
  readonly before: Cost | null;
  readonly after: Cost | null;
}

/** What is known beyond the patched tree itself. */
export interface PatchResult {
  readonly files: readonly FileReport[];
  readonly changes: readonly FileChange[];
  readonly base: SideResult;
  readonly compared: readonly Compared[];
  readonly coverage: Coverage;
  /** `null` where the changed lines are all inside of functions. */
  readonly effect: Effect | null;
}
