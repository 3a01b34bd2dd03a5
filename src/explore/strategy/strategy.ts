import type { Transition } from '../../machine/transition.ts';
import type { Bias } from './bias.ts';
import type { Random } from '../../util/random.ts';

/** Who can take a step in a walk. */
export interface Agent {
  /** Index in the list of agents. */
  readonly id: number;
  /**
   * `host` and `vcpu`: the instructions of a PE. `delivery`: TLBIs taking effect at one PE.
   * `background`: the memory system writing lines back.
   */
  readonly kind: 'host' | 'vcpu' | 'delivery' | 'background';
  /** The PE it acts on; -1 for the background. */
  readonly pe: number;
}

/**
 * How one run is scheduled. A strategy is drawn once per run, not per step: that is what makes long
 * one-sided stretches likely, and bugs need those.
 */
export interface Schedule {
  /**
   * Whom to try next. `ready` is never empty and holds agents that might have a step; the walk takes
   * an agent that turns out to have none off the list, tells `refused`, and asks again.
   */
  pick(ready: readonly Agent[], current: Agent | null, step: number): Agent;
  /** The agent had nothing to do in this state. */
  refused(agent: Agent): void;
  /** The agent took this step. */
  took?(agent: Agent, step: Transition): void;
}

/** A way to make schedules; one file each. */
export interface Strategy {
  readonly name: string;
  /** Draws the parameters of a run and starts it. `steps`: a guess at the length of the run. */
  start(random: Random, agents: readonly Agent[], steps: number): Schedule;
  /** The bias its runs have; one that is drawn when not given. */
  readonly bias?: (random: Random) => Bias;
}

/** How often an agent is drawn where nothing else decides. */
const WEIGHTS = { host: 4, vcpu: 2, delivery: 2, background: 1 } as const;

/** One of the agents, by weight. */
export function drawWeighted(random: Random, ready: readonly Agent[]): Agent {
  let total = 0;
  for (const agent of ready) total += WEIGHTS[agent.kind];
  let left = random.below(total);
  for (const agent of ready) {
    left -= WEIGHTS[agent.kind];
    if (left < 0) return agent;
  }
  throw new RangeError('nobody to choose from');
}
