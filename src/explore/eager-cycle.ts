import type { State } from '../machine/draft.ts';
import type { Machine } from '../machine/machine.ts';

/**
 * Whether eager steps alone lead from a state back to it. Exploring only them there would put off
 * all other agents for ever (the "ignoring problem" of partial-order reduction). Stretches of eager
 * steps are short, so this is cheap; it is asked only where eager steps lead nowhere new.
 */
export function onEagerCycle(machine: Machine, state: State): boolean {
  const home = state.join();
  const seen = new Set<string>();
  const work: State[] = [state];
  for (let at = work.pop(); at !== undefined; at = work.pop()) {
    for (const { next } of machine.eager(at)) {
      const key = next.join();
      if (key === home) return true;
      if (seen.has(key)) continue;
      seen.add(key);
      work.push(next);
    }
  }
  return false;
}
