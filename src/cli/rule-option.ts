import { ALL_RULES, ruleById } from '../rules/all-rules.ts';
import type { Rule } from '../rules/rule.ts';
import { inputError, type InputError } from '../scenario/input-error.ts';
import { didYouMean } from '../util/closest.ts';

/** The rule of an id the user wrote, alone in a list. */
export function findRule(id: string): readonly [Rule] | InputError {
  const rule = ruleById(id);
  if (rule !== null) return [rule];
  const ids = ALL_RULES.map((each) => each.id);
  return inputError(
    'rule-unknown',
    `There is no rule "${id}".${didYouMean(id, ids) || ` The rules are ${ids.join(', ')}.`}`,
  );
}
