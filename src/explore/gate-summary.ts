import type { Rule } from '../rules/rule.ts';
import type { Verdict } from './check.ts';
import type { SideResult, SideRun } from './gate.ts';

/** What all machines say of one scenario. */
export interface ScenarioSummary {
  readonly scenario: string;
  /** `null` where no machine can have it. */
  readonly verdict: Verdict | null;
  /** Machines on which it was run, or is known to be the same. */
  readonly machines: number;
  /** How many of them verify it, and how many left something open. */
  readonly verified: number;
  readonly open: number;
  /** The rules that are broken, each with the number of machines. */
  readonly broken: ReadonlyMap<Rule, number>;
}

/** The scenarios in the order given, with what was found in each. */
export function summaryOf(
  { runs }: SideResult,
  names: readonly string[],
): readonly ScenarioSummary[] {
  return names.map((scenario) => {
    const own = runs.filter((run) => run.scenario.name === scenario);
    const verdicts = own.map(verdictOfRun);
    const broken = new Map<Rule, number>();
    for (const { rule, verdict } of own.flatMap(({ outcomes }) => outcomes)) {
      if (verdict === 'refuted') broken.set(rule, (broken.get(rule) ?? 0) + 1);
    }
    const open = own.filter(isOpen).length;
    const verified = verdicts.filter((verdict) => verdict === 'verified').length;
    return {
      scenario,
      verdict: own.length === 0 ? null : worstOf(verdicts),
      machines: own.length,
      verified,
      open,
      broken,
    };
  });
}

/** Whether something was not decided. */
function isOpen({ outcomes }: SideRun): boolean {
  return outcomes.some(({ verdict }) => verdict === 'inconclusive');
}

function verdictOfRun({ outcomes }: SideRun): Verdict {
  return worstOf(outcomes.map(({ verdict }) => verdict));
}

/** One verdict for several. */
export function worstOf(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes('refuted')) return 'refuted';
  return verdicts.length === 0 || verdicts.includes('inconclusive') ? 'inconclusive' : 'verified';
}
