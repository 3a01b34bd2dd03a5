import type { Rule } from '../rules/rule.ts';
import type { LoadedTree } from '../scenario/kernel/family.ts';
import { attempt } from '../frontend/kernel-c/diagnostic.ts';
import { compareCosts } from '../trace/cost.ts';
import { cheapestRun, findCounterexample, type FoundRun } from './counterexample-search.ts';
import type { MachineSubject } from './check.ts';
import { hostEffects } from './gate-cost.ts';
import { verdictOf } from './gate-compare.ts';
import type { GateResult } from './gate-result.ts';
import { kernelSubject } from './gate-subject.ts';
import type { SideRun } from './gate.ts';
import type { SearchLimits } from './search.ts';
import { narrowestScenario } from './smallest-scenario.ts';

/** The run that shows how a rule is broken. */
export interface GateExample {
  readonly rule: Rule;
  /** The run of the library that broke it first. */
  readonly of: SideRun;
  readonly subject: MachineSubject;
  readonly found: FoundRun;
}

/** States looked at to prove a run minimal in a scenario whose host does always the same. */
const MINIMAL_STATES = 100_000;

/** States looked at to find out whether less is enough to break a rule. */
const NARROW_STATES = 200_000;

/** How many scenarios are tried for the cheapest run of all. */
const TRIED = 3;

/**
 * One run for each rule that is broken: what the patch broke before what was broken already, on the
 * first machine that shows it. Where a scenario can be made small as a whole it is that with the fewest
 * states. Where the host's code is fixed, the bounds of the first few are made as narrow as the rule
 * allows, the cheapest run of each is looked for without reduction, and the cheapest of these is given;
 * once time is up no more than some run is looked for.
 */
export function gateExamples(
  gate: GateResult,
  tree: LoadedTree,
  limits: SearchLimits,
  expired: () => boolean,
): readonly GateExample[] {
  return gate.rules.flatMap((rule) => {
    const candidates = refutedRuns(gate, rule);
    const [first] = candidates;
    if (first === undefined) return [];
    if (first.scenario.narrows !== true) return exampleOf(first, tree, rule, limits, expired) ?? [];
    const all = candidates
      .slice(0, TRIED)
      .flatMap((of) => exampleOf(of, tree, rule, limits, expired) ?? []);
    return all.sort((a, b) => compareCosts(costOf(a), costOf(b)))[0] ?? [];
  });
}

/** A run that was proved minimal before any other, then fewest operations and events. */
function costOf({ found: { operations, steps } }: GateExample): readonly number[] {
  return [operations ?? Infinity, steps.length];
}

function exampleOf(
  of: SideRun,
  tree: LoadedTree,
  rule: Rule,
  limits: SearchLimits,
  expired: () => boolean,
): GateExample | null {
  const prepared = tree.prepare(of.scenario, of.features);
  if (prepared.kind !== 'ready') return null;
  const alone = attempt(() => hostEffects(prepared.setup));
  const subject = kernelSubject(tree, of.scenario, alone.kind === 'ok' ? alone.value : []);
  const scenario = { ...of.scenario.situation, features: of.features };
  const found = attempt(() => {
    if (of.scenario.shrinks) return findCounterexample(scenario, subject, rule, limits);
    const states = Math.min(limits.states, NARROW_STATES);
    const narrow =
      of.scenario.narrows === true
        ? narrowestScenario(scenario, subject, rule, { states, expired })
        : scenario;
    return cheapestRun(narrow, subject, rule, limits, { states: MINIMAL_STATES, expired });
  });
  if (found.kind !== 'ok' || found.value === null) return null;
  return { rule, of, subject, found: found.value };
}

/** The runs in which a rule is broken, the ones to be shown first before the others. */
function refutedRuns({ patch, result, machines }: GateResult, rule: Rule): readonly SideRun[] {
  const order = (run: SideRun): number => machines.indexOf(run.features);
  const inOrder = (runs: readonly SideRun[]): readonly SideRun[] =>
    [...runs].sort((a, b) => order(a) - order(b) || a.states - b.states);
  const byPatch = (patch?.compared ?? [])
    .filter((one) => one.rule === rule && one.change === 'broken-by-the-patch')
    .map((one) => one.patched);
  if (byPatch.length > 0) return inOrder(byPatch);
  return inOrder(result.runs.filter((run) => verdictOf(run, rule) === 'refuted'));
}
