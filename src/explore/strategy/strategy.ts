import type { EffectInfo } from '../../machine/effect-info.ts';
import type { Machine } from '../../machine/machine.ts';
import { peComponent, PE, STATE, type State, type Step } from '../../machine/state.ts';
import { EVENT } from '../../machine/transition.ts';
import type { Bias } from './bias.ts';
import type { Random } from '../../util/random.ts';

/** Who can take a step in a walk. */
export interface Agent {
  /** Index in the list of agents. */
  readonly id: number;
  /**
   * `host` and `vcpu`: the instructions of a PE; `other`: those of one that runs neither the operation nor
   * a guest, such as who gets the pages afterwards. `delivery`: TLBIs taking effect at one PE.
   * `background`: the memory system writing lines back.
   */
  readonly kind: 'host' | 'vcpu' | 'other' | 'delivery' | 'background';
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
  /** The agent had nothing to do in this state, or nothing that is not put off. */
  refused(agent: Agent, putOff: boolean): void;
  /** The agent took this step. */
  took?(agent: Agent, step: Step): void;
}

/** How long the host's operation is when nobody else does anything unless the host waits for it. */
export interface Length {
  readonly steps: number;
  /** Those of the host's own; the others are invalidations that take effect. */
  readonly own: number;
  /** Steps among them that others can notice. */
  readonly notable: number;
  /** What kinds of instructions the host has: `KIND`, each once. */
  readonly kinds: readonly number[];
}

/**
 * Whether others can notice a step: it changes memory, what PEs may hold, outstanding invalidations, or
 * what the rules keep of the run, locks among it. Steps that only change what is in flight on
 * their own PE are not notable.
 */
export function isNotable({ pe, event, components, slots, ghost }: Step): boolean {
  if (slots.length > 0 || ghost.length > 0 || event === EVENT.deliver) return true;
  for (let i = 0; i < components.length; i += 2) {
    const component = components[i] as number;
    if (component < STATE.pes) return true;
    if (component < peComponent(pe, PE.window) || component >= peComponent(pe + 1, PE.window))
      return true;
  }
  return false;
}

/** The instruction that a step of a PE belongs to. */
export function instructionOf({ inspect }: Machine, state: State, { pe, index }: Step): EffectInfo {
  inspect.load(state);
  return inspect.window(pe).infos[index] as EffectInfo;
}

/** A way to make schedules; one file each. */
export interface Strategy {
  readonly name: string;
  /** Draws the parameters of a run and starts it. */
  start(random: Random, agents: readonly Agent[], length: Length): Schedule;
  /** The bias its runs have; one that is drawn when not given. */
  readonly bias?: (random: Random) => Bias;
}

/** How often an agent is drawn where nothing else decides. */
const WEIGHTS = { host: 4, vcpu: 2, other: 2, delivery: 2, background: 1 } as const;

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
