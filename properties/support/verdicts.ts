import type { Candidate } from '../../src/candidates/candidate.ts';
import { checkScenario, type Checked } from '../../src/explore/check.ts';
import { ALL_RULES } from '../../src/rules/all-rules.ts';
import type { Rule } from '../../src/rules/rule.ts';
import type { InputError } from '../../src/scenario/input-error.ts';
import { isInputError } from '../../src/scenario/input-error.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { LIMITS } from './scale.ts';

const known = new Map<string, Checked | InputError>();

/**
 * What one rule says of a candidate in a scenario: a verdict with its reason, or null for a scenario
 * that the features cannot hold. One search decides all rules, each for itself; the files in
 * `properties` share it when they run in one worker.
 */
export function verdictOf(candidate: Candidate, scenario: Scenario, rule: Rule): string | null {
  const key = JSON.stringify({ ...scenario, candidate: candidate.id });
  let checked = known.get(key);
  if (checked === undefined) {
    checked = checkScenario(scenario, candidate, ALL_RULES, LIMITS);
    known.set(key, checked);
  }
  if (isInputError(checked)) return null;
  const outcome = checked.outcomes.find((each) => each.rule === rule);
  if (outcome === undefined) throw new RangeError(`no verdict on ${rule.id}`);
  return outcome.message === null ? outcome.verdict : `${outcome.verdict}: ${outcome.message}`;
}
