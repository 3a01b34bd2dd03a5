import type { Machine } from '../machine/machine.ts';
import type { State, Step } from '../machine/state.ts';
import { stateSet, type StateSet } from '../util/state-set.ts';

/** Up to so many states are compared one by one, which is quicker than a set. */
const FEW = 32;

/**
 * Whether eager steps alone lead from a state back to it. Exploring only them there would put off
 * all other agents for ever (the "ignoring problem" of partial-order reduction). Stretches of eager
 * steps are mostly short, so this is cheap; it is asked only where eager steps lead nowhere new. `except`: PEs
 * whose steps are not explored as eager ones. The work space is kept from one question to the next.
 */
export function createEagerCycle(
  machine: Machine,
  except: (state: State) => number = () => 0,
): (state: State) => boolean {
  const width = machine.initial.length;
  const from = new Int32Array(width);
  const next = new Int32Array(width);
  let met = new Int32Array(width * 16);

  function isAt(place: number): boolean {
    for (let i = 0, at = place * width; i < width; i += 1, at += 1) {
      if (met[at] !== next[i]) return false;
    }
    return true;
  }

  /** The place of the state in `next` among the first `count`, or `count`. */
  function placeOf(count: number, many: StateSet | null): number {
    if (many !== null) {
      const known = many.find(next);
      return known < 0 ? count : known;
    }
    let place = 0;
    while (place < count && !isAt(place)) place += 1;
    return place;
  }

  return (state) => {
    met.set(state);
    let count = 1;
    let many: StateSet | null = null;
    for (let at = 0; at < count; at += 1) {
      from.set(met.subarray(at * width, (at + 1) * width));
      const steps = machine.eagerSteps(from, except(from));
      for (let i = 0; i < steps.length; i += 1) {
        next.set(from);
        machine.apply(steps[i] as Step, next);
        const place = placeOf(count, many);
        if (place === 0) return true;
        if (place < count) continue;
        if ((count + 1) * width > met.length) {
          const bigger = new Int32Array(met.length * 2);
          bigger.set(met);
          met = bigger;
        }
        met.set(next, count * width);
        count += 1;
        if (many !== null) many.add(next, -1);
        else if (count > FEW) {
          many = stateSet(width);
          for (let known = 0; known < count; known += 1) {
            many.add(met.subarray(known * width, (known + 1) * width), -1);
          }
        }
      }
    }
    return false;
  };
}
