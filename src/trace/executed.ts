import type { State } from '../machine/state.ts';
import type { EffectInfo } from '../machine/effect-info.ts';
import type { Machine } from '../machine/machine.ts';
import { AT, get } from '../machine/window.ts';

/**
 * The effects of one PE in a run, in program order: everything that was in its window in one of the
 * states. Windows slide over the program, so each one begins inside the one before it.
 */
export function executedEffects(
  machine: Machine,
  states: readonly State[],
  pe: number,
): readonly EffectInfo[] {
  const effects: EffectInfo[] = [];
  const { inspect } = machine;
  let before: readonly number[] = [];
  for (const state of states) {
    inspect.load(state);
    const w = inspect.window(pe);
    const nodes = Array.from({ length: w.count }, (_, i) => get(w, i, AT.node));
    const retired = retiredBetween(before, nodes);
    for (let i = before.length - retired; i < nodes.length; i += 1) {
      effects.push(w.infos[i] as EffectInfo);
    }
    before = nodes;
  }
  return effects;
}

/** How many of the oldest instances have gone. */
function retiredBetween(before: readonly number[], now: readonly number[]): number {
  for (let gone = 0; gone < before.length; gone += 1) {
    if (before.slice(gone).every((node, i) => now[i] === node)) return gone;
  }
  return before.length;
}
