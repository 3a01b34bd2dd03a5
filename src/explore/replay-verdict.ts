import type { State } from '../machine/state.ts';
import type { Machine } from '../machine/machine.ts';
import type { Rule } from '../rules/rule.ts';
import type { Replayed } from '../trace/replay.ts';
import { factAtEnd } from './check.ts';
import { checkProgress } from './progress.ts';
import { waitsForEver } from './waits-for-ever.ts';

/** Most states looked at from the end of a run on, to see that a thread waits for ever. */
const STATES = 200_000;

/**
 * How the end of a replayed run breaks a rule, or null. Most rules are broken by the last step. The
 * rule on progress is broken by where the run has got: a state in which a thread waits for a lock and
 * will for ever, or one in which it has been before, with a fault of the guest in between.
 */
export function brokenAtEnd(machine: Machine, run: Replayed, rule: Rule): string | null {
  for (const fact of run.steps.at(-1)?.facts ?? []) {
    const message = rule.check(fact);
    if (message !== null) return message;
  }
  const last = run.states.at(-1);
  if (rule.id !== 'progress' || last === undefined) return null;
  const stuck = waitsForEver(machine, last);
  if (stuck !== null) return rule.check(stuck);
  if (machine.transitions(last).every(({ pe }) => pe < 0)) {
    const fact = factAtEnd(machine, last);
    if (fact !== null) return rule.check(fact);
  }
  const onwards = checkProgress({ ...machine, initial: last }, { states: STATES, reduced: true });
  if (onwards.kind === 'violation' && onwards.lead.length === 0 && onwards.loop.length === 0) {
    return rule.check(onwards.fact);
  }
  const before = run.states.findIndex((state) => isSame(state, last));
  const fault = run.steps
    .slice(before)
    .find(({ facts }) => facts.some((fact) => fact.kind === 'fault-taken' && fact.stage === 2));
  if (before === run.states.length - 1 || fault === undefined) return null;
  return rule.check({
    kind: 'no-progress',
    message: `cpu${fault.pe} faults, and the run is back where it was before`,
  });
}

function isSame(a: State, b: State): boolean {
  return a.length === b.length && a.every((int, i) => int === b[i]);
}
