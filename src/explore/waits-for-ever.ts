import type { State } from '../machine/state.ts';
import type { EffectInfo } from '../machine/effect-info.ts';
import type { Fact } from '../machine/facts.ts';
import type { Machine } from '../machine/machine.ts';
import { FLAG, flagsOf } from '../machine/window.ts';

/**
 * Whether a thread waits, in this state, for a lock that nobody will give back: its holder has ended,
 * or waits itself, round a circle. Others may go on for ever meanwhile, so this is seen in a single
 * run where the state graph of `progress.ts` is too large; that one finds more (a holder that runs
 * and never gives back).
 */
export function waitsForEver(machine: Machine, state: State): Fact | null {
  const { inspect } = machine;
  inspect.load(state);
  const ghost = inspect.touchGhost();
  const pes = inspect.threads.length;
  const waitsFor: number[] = [];
  for (let pe = 0; pe < pes; pe += 1) {
    const lock = lockWaitedFor(machine, pe);
    waitsFor.push(lock < 0 ? -1 : ghost.lockOwner(lock));
  }
  for (let pe = 0; pe < pes; pe += 1) {
    let at = waitsFor[pe] as number;
    if (at < 0) continue;
    // A chain longer than there are PEs goes round a circle.
    for (let hops = 0; hops < pes && (waitsFor[at] as number) >= 0; hops += 1) {
      at = waitsFor[at] as number;
    }
    if ((waitsFor[at] as number) >= 0 || inspect.ended(at)) {
      return {
        kind: 'no-progress',
        message: 'a thread waits for ever for a lock that nobody gives back',
      };
    }
  }
  return null;
}

/**
 * The lock a PE waits for with everything before it done, -1 for none. Were something older in
 * flight, it might be the unlock that somebody else waits for.
 */
function lockWaitedFor(machine: Machine, pe: number): number {
  const w = machine.inspect.window(pe);
  if (w.count === 0) return -1;
  const { effect } = w.infos[0] as EffectInfo;
  return effect.kind === 'lock' && (flagsOf(w, 0) & FLAG.fired) === 0 ? effect.lock : -1;
}
