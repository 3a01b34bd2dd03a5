import type { Machine } from '../../machine/machine.ts';
import type { State, Step } from '../../machine/state.ts';
import { EVENT } from '../../machine/transition.ts';
import { MARK } from '../../machine/translation-entry.ts';
import type { Random } from '../../util/random.ts';
import { pagesOf } from './out-of-date.ts';
import { atOnePlace } from './places.ts';
import { drawSlowness } from './slowness.ts';
import type { Agent, Length } from './strategy.ts';

/**
 * What a run leans to where the strategy leaves it open: a strategy says who is next, the bias says who
 * stays out of the run altogether, which instruction in flight goes first, and which of its
 * outcomes it has. It is drawn once per run, as a strategy is. Nothing is excluded: every leaning has
 * a strength, and runs with none are drawn too.
 *
 * The leanings are towards what mistakes in TLB maintenance need: few agents that do one thing,
 * accesses to pages whose translation is out of date, by that translation, stores of one PE that are
 * late, invalidations that take effect late, lines that stay dirty. They look at the machine, never at
 * the candidate.
 */
export interface Bias {
  /** Whether the agent takes part as long as others can act. */
  isAwake(agent: Agent): boolean;
  /** Which of the steps of an agent it takes; null when there are none, or when they are put off. */
  pick(state: State, steps: readonly Step[], agent: Agent): Step | null;
  /** Nobody else can do anything: what is put off has to happen. */
  release(): void;
  /** The agent had nothing to do, and: it took a step. */
  refused(agent: Agent): void;
  took(agent: Agent, step: Step): void;
}

type Order = 'oldest' | 'any' | 'youngest';

/** In 8: how strongly a leaning is followed. */
const EIGHTHS = [0, 4, 7] as const;

/** Draws the bias of a run. */
export function drawBias(
  machine: Machine,
  random: Random,
  agents: readonly Agent[],
  length: Length,
): Bias {
  const draw = <T>(values: readonly T[]): T => values[random.below(values.length)] as T;
  const asleep = drawSleepers(random, agents);
  const slow = drawSlowness(machine, random, agents, length);
  const order: { readonly [kind in Agent['kind']]: Order } = {
    host: random.chance(1, 8) ? draw(['any', 'youngest']) : 'oldest',
    other: draw(['oldest', 'any', 'youngest']),
    vcpu: draw(['oldest', 'any', 'any', 'youngest']),
    delivery: draw(['oldest', 'any']),
    background: 'any',
  };
  const stale = draw(EIGHTHS);
  const outOfDate = draw(EIGHTHS);
  const habit = draw(EIGHTHS);
  const habits = agents.map(() => random.below(0x10000));
  // An agent with a habit does the same again and again, or one thing after the other.
  const stride = random.below(2);
  const late = random.chance(1, 3);
  const pages = pagesOf(machine);
  // Who gets the pages afterwards looks once: at any time, or near the end.
  const wakesAt = random.chance(1, 4)
    ? random.below(length.own)
    : length.own - 1 - random.below(1 << random.below(5));
  let hostWaits = false;
  let hostSteps = 0;

  function place({ kind }: Agent, places: number): number {
    const by = order[kind];
    // A leaning that is always followed would starve what waits behind it.
    if (by === 'any' || (kind !== 'host' && random.chance(1, 8))) return random.below(places);
    return by === 'oldest' ? 0 : places - 1;
  }

  function outcome(state: State, found: readonly Step[], { id, kind }: Agent): Step | null {
    const [first] = found;
    if (found.length < 2 || first === undefined) return first ?? null;
    if (first.event === EVENT.translate && random.chance(stale, 8)) {
      const old = found.filter(({ choice }) => choice >= 0 && (choice & MARK.stale) !== 0);
      if (old.length > 0) return old[random.below(old.length)] ?? null;
    }
    if (first.event === EVENT.fire && kind === 'vcpu' && random.chance(outOfDate, 8)) {
      const old = found.filter((step) => pages.isOutOfDate(state, step));
      if (old.length > 0) return old[random.below(old.length)] ?? null;
    }
    if (first.event === EVENT.fire && random.chance(habit, 8)) {
      habits[id] = (habits[id] as number) + stride;
      return found[(habits[id] as number) % found.length] ?? null;
    }
    return found[random.below(found.length)] ?? null;
  }

  return {
    isAwake({ id, kind }) {
      if (kind === 'delivery') return !late || hostWaits;
      return kind === 'other' ? hostSteps >= wakesAt : !asleep.has(id);
    },
    refused({ kind }) {
      if (kind === 'host') hostWaits = true;
    },
    took(agent, step) {
      if (agent.kind === 'host') {
        hostWaits = false;
        hostSteps += 1;
      }
      slow.took(agent, step);
    },
    release: slow.release,
    pick(state, steps, agent) {
      const ready = slow.others(state, steps, agent);
      const found = atOnePlace(ready, (places) => place(agent, places));
      return outcome(state, found, agent);
    },
  };
}

/** No leaning at all: to compare with. */
export function noBias(random: Random): Bias {
  return {
    isAwake: () => true,
    pick(_, steps) {
      const found = atOnePlace(steps, random.below);
      return found[random.below(found.length)] ?? null;
    },
    release: () => undefined,
    refused: () => undefined,
    took: () => undefined,
  };
}

/** Nothing left to chance: the oldest instruction, and of its outcomes always the same one. */
export function steady(random: Random): Bias {
  const habit = random.fork();
  return {
    isAwake: () => true,
    pick(_, steps) {
      const found = atOnePlace(steps, () => 0);
      return found[habit % Math.max(1, found.length)] ?? null;
    },
    release: () => undefined,
    refused: () => undefined,
    took: () => undefined,
  };
}

/** Mostly one or two vCPUs do everything; in half of the runs nothing is written back. */
function drawSleepers(random: Random, agents: readonly Agent[]): ReadonlySet<number> {
  const asleep = new Set<number>();
  const vcpus = agents.filter(({ kind }) => kind === 'vcpu');
  if (random.chance(3, 4)) {
    let awake = 1 + random.below(2);
    let left = vcpus.length;
    for (const { id } of vcpus) {
      if (random.below(left) < awake) awake -= 1;
      else asleep.add(id);
      left -= 1;
    }
  }
  for (const { id, kind } of agents) {
    if (kind === 'background' && random.chance(1, 2)) asleep.add(id);
  }
  return asleep;
}
