import type { Features } from '../arm64/features.ts';
import { attempt, type Diagnostic } from '../frontend/kernel-c/diagnostic.ts';
import { NO_BOUNDS_MET, type BoundsMet } from '../machine/bounds-met.ts';
import type { Rule } from '../rules/rule.ts';
import { isInputError } from '../scenario/input-error.ts';
import type { KernelScenario, LoadedTree } from '../scenario/kernel/family.ts';
import type { SourceLocation } from '../program/source-location.ts';
import { checkScenario, type RuleOutcome } from './check.ts';
import { watchFeatures } from './features-read.ts';
import { type Cost, costOf, hostEffects } from './gate-cost.ts';
import { sourcesOf } from './gate-sources.ts';
import { kernelSubject } from './gate-subject.ts';
import { openedFunctions } from './minimal-run.ts';

/** Which of the two trees: as it is, or with the patch. */
export type Side = 'base' | 'patched';

/** What one side is to be run with, and how far to go. */
export interface SideRequest {
  readonly side: Side;
  readonly tree: LoadedTree;
  readonly scenarios: readonly KernelScenario[];
  readonly machines: readonly Features[];
  readonly rules: readonly Rule[];
  /** Most states of one search. */
  readonly statesPerSearch: number;
  readonly expired: () => boolean;
  readonly onProgress?: (progress: SideProgress) => void;
}

/** Where a side is. */
export interface SideProgress {
  readonly side: Side;
  readonly scenario: string;
  readonly features: Features;
  readonly done: number;
  readonly all: number;
}

/** One scenario of one side on one machine. */
export interface SideRun {
  readonly side: Side;
  readonly scenario: KernelScenario;
  readonly features: Features;
  readonly outcomes: readonly RuleOutcome[];
  readonly states: number;
  /** The machine's own bounds that kept something from happening. */
  readonly boundsMet: BoundsMet;
  /** Why nothing more can be said: the code came to something that nobody gave a meaning. */
  readonly stopped: Diagnostic | null;
  /** Places in the source of each rule that is broken. */
  readonly sources: ReadonlyMap<string, readonly SourceLocation[]>;
  readonly cost: Cost | null;
  /** The machine this result was found on, when this one differs in nothing that was looked at. */
  readonly sameAs: Features | null;
}

/** A scenario that a machine cannot have. */
export interface Impossible {
  readonly scenario: string;
  readonly features: Features;
  readonly reason: string;
}

/** What one side said. */
export interface SideResult {
  readonly runs: readonly SideRun[];
  readonly impossible: readonly Impossible[];
}

/** Runs every scenario on every machine; a machine that differs in nothing looked at is not run again. */
export function runSide(request: SideRequest): SideResult {
  const { tree, scenarios, machines, side } = request;
  const runs: SideRun[] = [];
  const impossible: Impossible[] = [];
  let done = 0;
  for (const scenario of scenarios) {
    const known: { readonly read: ReadonlySet<keyof Features>; readonly run: SideRun }[] = [];
    for (const features of machines) {
      request.onProgress?.({
        side,
        scenario: scenario.name,
        features,
        done,
        all: scenarios.length * machines.length,
      });
      done += 1;
      const same = known.find(({ read, run }) =>
        [...read].every((key) => run.features[key] === features[key]),
      );
      if (same !== undefined) {
        runs.push({ ...same.run, features, sameAs: same.run.features });
        continue;
      }
      const read = new Set<keyof Features>();
      const run = runOne(request, tree, scenario, features, read);
      if ('reason' in run) impossible.push(run);
      else {
        runs.push(run);
        // What a limit cut short says nothing about what would have been looked at.
        if (!run.outcomes.some(({ verdict }) => verdict === 'inconclusive')) {
          known.push({ read, run });
        }
      }
    }
  }
  return { runs, impossible };
}

function runOne(
  request: SideRequest,
  tree: LoadedTree,
  scenario: KernelScenario,
  features: Features,
  read: Set<keyof Features>,
): SideRun | Impossible {
  const { rules, side } = request;
  const sources = new Map<string, readonly SourceLocation[]>();
  const base = { side, scenario, features, sources, sameAs: null };
  const none = (stopped: Diagnostic | null): SideRun => ({
    ...base,
    outcomes: rules.map((rule) => ({ rule, verdict: 'inconclusive', message: null })),
    states: 0,
    boundsMet: NO_BOUNDS_MET,
    stopped,
    cost: null,
  });
  if (request.expired()) return none(null);
  if (!tree.scenarios.some(({ name }) => name === scenario.name)) {
    const reason = `the tree (${side}) lacks a function that it needs`;
    return { scenario: scenario.name, features, reason };
  }
  const watched = watchFeatures(features, read);
  const prepared = tree.prepare(scenario, watched);
  if (prepared.kind === 'impossible') {
    return { scenario: scenario.name, features, reason: prepared.reason };
  }
  if (prepared.kind === 'failed') return none(prepared.diagnostic);
  const alone = attempt(() => hostEffects(prepared.setup));
  const subject = kernelSubject(tree, scenario, alone.kind === 'ok' ? alone.value : []);
  const opened = openedFunctions(subject);
  const checked = checkScenario(
    { ...scenario.situation, features: watched },
    { ...subject, setup: () => prepared.setup },
    rules,
    { states: request.statesPerSearch, expired: request.expired },
    (rule, machine, trace) => {
      sources.set(rule.id, sourcesOf(machine, trace, opened));
    },
  );
  if (isInputError(checked)) return { scenario: scenario.name, features, reason: checked.message };
  const cost = alone.kind === 'ok' ? costOf(alone.value) : null;
  const { outcomes, states, boundsMet, stopped } = checked;
  return { ...base, outcomes, states, boundsMet, stopped, cost };
}
