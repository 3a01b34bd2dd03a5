import { drawWeighted, type Agent, type Strategy } from './strategy.ts';

/**
 * Stall one agent: an invalidation on its way to one PE, a vCPU that has a translation but has not
 * made its access, or the host in the middle of its operation, is held as long as possible while the
 * rest goes on (sticky). After delay-bounded scheduling (Emmi, Qadeer, Rakamaric, POPL 2011).
 *
 * Deviation: the paper delays a thread once in a deterministic schedule; here one agent is delayed
 * from a drawn step on, until the host has been refused, that is waits for what is held back, or
 * until a drawn number of steps has passed.
 */
export const stall: Strategy = {
  name: 'stall',
  start(random, agents, { steps }) {
    const stay = 2 + random.below(4);
    const holdable = agents.filter((agent) => agent.kind !== 'background');
    const held = holdable[random.below(holdable.length)];
    const from = random.below(Math.max(1, Math.floor((steps * 3) / 4)));
    // The host has to be let go again, or the general guest runs for ever.
    const until = held?.kind === 'host' ? from + 4 + random.below(40) : Infinity;
    let released = false;

    return {
      pick(ready, current, step) {
        if (step >= until) released = true;
        let free = ready;
        if (!released && held !== undefined && step >= from) {
          const others = ready.filter((agent) => agent !== held);
          if (others.length > 0) free = others;
        }
        if (current !== null && random.chance(stay, 6) && free.includes(current)) return current;
        return drawWeighted(random, free);
      },
      refused(agent: Agent) {
        if (agent.kind === 'host' && random.chance(1, 4)) released = true;
      },
    };
  },
};
