import { steady } from './bias.ts';
import type { Strategy } from './strategy.ts';

/**
 * Every agent in turn, in an order and for a number of steps that are drawn once; nothing else is
 * left to chance, so a run that does not end comes back to a state it has been in, and goes round for
 * ever. All agents have had their turn on the way, so the circle is a fair one: this is how a walk
 * finds that an access never comes through. Deviation from round-robin schedulers: turns are of
 * different lengths.
 */
export const rounds: Strategy = {
  name: 'rounds',
  start(random, agents) {
    const order = agents.map(({ id }) => ({ id, place: random.fork() }));
    order.sort((a, b) => a.place - b.place);
    const longest = 2 << random.below(7);
    const turns = order.map(({ id }) => ({ id, steps: 1 + random.below(longest) }));
    let at = 0;
    let left = turns[0]?.steps ?? 0;
    return {
      pick(ready) {
        for (let tries = 0; tries <= turns.length; tries += 1) {
          const turn = turns[at];
          const agent = ready.find(({ id }) => id === turn?.id);
          if (agent !== undefined && left > 0) {
            left -= 1;
            return agent;
          }
          at = (at + 1) % turns.length;
          left = turns[at]?.steps ?? 0;
        }
        throw new RangeError('nobody to choose from');
      },
      refused: () => undefined,
    };
  },
  bias: steady,
};
