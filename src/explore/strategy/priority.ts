import type { Agent, Strategy } from './strategy.ts';

/**
 * Priorities with change points: Burckhardt, Kothari, Musuvathi, Nagarakatte: A randomized scheduler
 * with probabilistic guarantees of finding bugs (PCT), ASPLOS 2010; shuttle's `pct.rs` is the
 * implementation looked at. The ready agent of highest priority runs; at d steps drawn before the
 * run, the agent about to run falls below all others. d is drawn from 1 to 4.
 *
 * Deviations. Guests repeat for ever, so the paper's guarantee (threads that end) does not hold as it
 * stands: a vCPU that has had a drawn number of steps in a row falls below all others too, as
 * spinning threads do in PCT. Deliveries and write-backs are agents with priorities of their own.
 */
const MOST_PATIENCE = 8;

export const priority: Strategy = {
  name: 'priority',
  start(random, agents, { steps }) {
    const changes = new Set<number>();
    for (let d = 1 + random.below(4); d > 0; d -= 1) changes.add(random.below(steps));
    // Higher runs first; what falls gets a number below all there are.
    const priorities = agents.map(() => 1 + random.below(0x10000));
    const patience = 1 + random.below(MOST_PATIENCE);
    let lowest = 0;
    let running = 0;

    function highest(ready: readonly Agent[]): Agent {
      let best = ready[0];
      for (const agent of ready) {
        if (best === undefined || of(agent) > of(best)) best = agent;
      }
      if (best === undefined) throw new RangeError('nobody to choose from');
      return best;
    }

    function of(agent: Agent): number {
      return priorities[agent.id] ?? 0;
    }

    return {
      pick(ready, current, step) {
        let agent = highest(ready);
        running = agent === current ? running + 1 : 0;
        const spins = agent.kind === 'vcpu' && running > patience;
        if (changes.delete(step) || spins) {
          lowest -= 1;
          priorities[agent.id] = lowest;
          running = 0;
          agent = highest(ready);
        }
        return agent;
      },
      refused: () => undefined,
    };
  },
};
