import type { Machine } from '../../machine/machine.ts';
import { EVENT, type Transition } from '../../machine/transition.ts';

/** More steps than any word needs that is gone through once. */
const MOST_STEPS = 20_000;

/**
 * Whether the host thread of a class machine comes to its end when it goes round each loop once: a
 * thread that is stuck breaks no rule, and says nothing.
 */
export function hostEnds(machine: Machine): boolean {
  const { inspect } = machine;
  let state = machine.initial;
  for (let left = MOST_STEPS; left > 0; left -= 1) {
    inspect.load(state);
    if (inspect.ended(0)) return true;
    const step = hostStep(machine.transitions(state));
    if (step === null) return false;
    state = step.next;
  }
  return false;
}

/** The last option of the host's first instance that can do something, or else a delivery. */
function hostStep(steps: readonly Transition[]): Transition | null {
  let found: Transition | null = null;
  for (const step of steps) {
    if (step.pe === 0 && step.event !== EVENT.deliver) {
      if (found === null || step.index === found.index) found = step;
    }
  }
  return found ?? steps.find(({ event }) => event === EVENT.deliver) ?? null;
}
