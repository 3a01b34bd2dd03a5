import type { Step } from '../../machine/state.ts';
import { EVENT } from '../../machine/transition.ts';
import { drawWeighted, type Agent, type Strategy } from './strategy.ts';

/**
 * Run one PE nearly alone, and stop it just after it has done something others can notice: a store,
 * above all one to a table, a TLBI, cache maintenance, a lock, a register write. Then a second PE,
 * drawn for this pause, has the machine nearly to itself.
 *
 * Mistakes in maintenance are windows that open with such a step and close a few steps later. Random
 * change points (PCT) hit a window once in as many tries as the operation has steps; here every pause
 * begins at the start of one. Cf. CHESS (Musuvathi and Qadeer, PLDI 2007), which preempts at
 * synchronisation operations; deviation: drawn at random, and host stores count as well.
 */
export const pause: Strategy = {
  name: 'pause',
  start(random, agents) {
    // One step in so many opens a pause; steps that rules can see are four times as likely.
    const rarity = 4 << (2 * random.below(3));
    const longest = 8 << random.below(5);
    const leading = agents.filter(({ kind }) => kind === 'host');
    const lead = leading[random.below(leading.length)];
    const others = agents.filter(({ kind }) => kind === 'host' || kind === 'vcpu');
    let paused: Agent | null = null;
    let favourite: Agent | null = lead ?? null;
    let left = 0;

    function opens({ event, facts }: Step): boolean {
      if (event !== EVENT.write && event !== EVENT.fire) return false;
      return random.chance(facts.length > 0 ? 4 : 1, rarity);
    }

    return {
      pick(ready) {
        if (paused !== null) {
          left -= 1;
          if (left <= 0) {
            favourite = random.chance(3, 4) ? paused : (lead ?? null);
            paused = null;
          }
        }
        if (favourite !== null && random.chance(7, 8) && ready.includes(favourite)) {
          return favourite;
        }
        const free = ready.filter((agent) => agent !== paused);
        return drawWeighted(random, free.length > 0 ? free : ready);
      },
      took(agent, step) {
        if (paused !== null || agent !== favourite || !opens(step)) return;
        paused = agent;
        left = 4 + random.below(longest);
        const rest = others.filter((other) => other !== agent);
        favourite = rest[random.below(rest.length)] ?? null;
      },
      refused: () => undefined,
    };
  },
};
