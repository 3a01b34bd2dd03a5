import { drawWeighted, type Strategy } from './strategy.ts';

/**
 * Sticky random: the agent that took the last step takes the next one with probability k/6, k drawn
 * per run from 1 to 5; else any agent, by weight.
 *
 * The idea is random scheduling with a bias against preemption (Musuvathi and Qadeer: Iterative
 * context bounding, PLDI 2007, found that few preemptions are enough for most bugs). Deviation: no
 * bound, only a probability, so no schedule is excluded.
 */
export const sticky: Strategy = {
  name: 'sticky',
  start(random) {
    const stay = 1 + random.below(5);
    return {
      pick(ready, current) {
        if (current !== null && random.chance(stay, 6) && ready.includes(current)) return current;
        return drawWeighted(random, ready);
      },
      refused: () => undefined,
    };
  },
};
