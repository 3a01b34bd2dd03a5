import type { Rule } from '../rules/rule.ts';
import type { LoadedTree } from '../scenario/kernel/family.ts';
import { attempt } from '../frontend/kernel-c/diagnostic.ts';
import { cheapestRun, findCounterexample, type FoundRun } from './counterexample-search.ts';
import type { MachineSubject } from './check.ts';
import { hostEffects } from './gate-cost.ts';
import { verdictOf } from './gate-compare.ts';
import type { GateResult } from './gate-result.ts';
import { kernelSubject } from './gate-subject.ts';
import type { SideRun } from './gate.ts';
import type { SearchLimits } from './search.ts';

/** The run that shows how a rule is broken. */
export interface GateExample {
  readonly rule: Rule;
  /** The run of the library that broke it first. */
  readonly of: SideRun;
  readonly subject: MachineSubject;
  readonly found: FoundRun;
}

/** States looked at to prove a run minimal in a scenario that cannot be made smaller first. */
const MINIMAL_STATES = 100_000;

/**
 * One run for each rule that is broken: what the patch broke before what was broken already, on the
 * first machine that shows it and there in the scenario with the fewest states; made small where the
 * scenario can be.
 */
export function gateExamples(
  gate: GateResult,
  tree: LoadedTree,
  limits: SearchLimits,
): readonly GateExample[] {
  return gate.rules.flatMap((rule) => {
    const of = firstRefuted(gate, rule);
    if (of === null) return [];
    const prepared = tree.prepare(of.scenario, of.features);
    if (prepared.kind !== 'ready') return [];
    const alone = attempt(() => hostEffects(prepared.setup));
    const subject = kernelSubject(tree, of.scenario, alone.kind === 'ok' ? alone.value : []);
    const scenario = { ...of.scenario.situation, features: of.features };
    const found = attempt(() =>
      of.scenario.shrinks
        ? findCounterexample(scenario, subject, rule, limits)
        : cheapestRun(scenario, subject, rule, limits, MINIMAL_STATES),
    );
    if (found.kind !== 'ok' || found.value === null) return [];
    return [{ rule, of, subject, found: found.value }];
  });
}

function firstRefuted({ patch, result, machines }: GateResult, rule: Rule): SideRun | null {
  const order = (run: SideRun): number => machines.indexOf(run.features);
  const pick = (runs: readonly SideRun[]): SideRun | null =>
    [...runs].sort((a, b) => order(a) - order(b) || a.states - b.states)[0] ?? null;
  const byPatch = (patch?.compared ?? [])
    .filter((one) => one.rule === rule && one.change === 'broken-by-the-patch')
    .map((one) => one.patched);
  return pick(byPatch) ?? pick(result.runs.filter((run) => verdictOf(run, rule) === 'refuted'));
}
