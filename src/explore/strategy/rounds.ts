import { EVENT } from '../../machine/transition.ts';
import { STATE, type Step } from '../../machine/state.ts';
import { steady } from './bias.ts';
import type { Strategy } from './strategy.ts';

/** What can end a turn: things by which agents wait for each other, or find something changed. */
const SIGNALS: readonly ((step: Step) => boolean)[] = [
  ({ event }) => event === EVENT.fault,
  ({ slots }) => slots.length > 0,
  ({ ghost }) => ghost.length > 0,
  ({ components }) => components.includes(STATE.ledger),
];

/**
 * Every agent in turn, in an order that is drawn once, for a number of steps or up to an event that are
 * drawn once too; nothing else is left to chance, so a run that does not end comes back to a state
 * it has been in, and goes round for ever. All agents have had their turn on the way, so the circle is
 * a fair one: this is how a walk finds that an access never comes through. Deviation from
 * round-robin schedulers: turns are of different lengths.
 */
export const rounds: Strategy = {
  name: 'rounds',
  start(random, agents) {
    const order = agents.map(({ id }) => ({ id, place: random.fork() }));
    order.sort((a, b) => a.place - b.place);
    const bySignals = random.chance(3, 4);
    const longest = bySignals ? 1 + random.below(3) : 2 << random.below(7);
    const signals = SIGNALS.filter(() => bySignals && random.chance(1, 2));
    const prompt = random.chance(1, 2);
    const turns = order.map(({ id }) => ({ id, length: 1 + random.below(longest) }));
    let at = 0;
    let left = turns[0]?.length ?? 0;
    return {
      pick(ready) {
        const delivery = prompt ? ready.find(({ kind }) => kind === 'delivery') : undefined;
        if (delivery !== undefined) return delivery;
        for (let tries = 0; tries <= turns.length; tries += 1) {
          const turn = turns[at];
          const agent = ready.find(({ id }) => id === turn?.id);
          if (agent !== undefined && left > 0) return agent;
          at = (at + 1) % turns.length;
          left = turns[at]?.length ?? 0;
        }
        throw new RangeError('nobody to choose from');
      },
      took({ id }, step) {
        if (id !== turns[at]?.id) return;
        if (!bySignals || signals.some((ends) => ends(step))) left -= 1;
      },
      refused: () => undefined,
    };
  },
  bias: steady,
};
