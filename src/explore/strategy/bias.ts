import type { EffectInfo } from '../../machine/effect-info.ts';
import type { Machine } from '../../machine/machine.ts';
import { PE, peComponent, type State } from '../../machine/state.ts';
import { EVENT, type Site, type Transition } from '../../machine/transition.ts';
import { covers, entryId, MARK, marksOf } from '../../machine/translation-entry.ts';
import type { Random } from '../../util/random.ts';
import type { Agent } from './strategy.ts';

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
  /** Index of the site of an agent to try next. */
  site(sites: readonly Site[], agent: Agent): number;
  /** Which of the transitions of a site; null when there are none. */
  transition(state: State, found: readonly Transition[], agent: Agent): Transition | null;
  /** The agent had nothing to do, and: it took a step. */
  refused(agent: Agent): void;
  took(agent: Agent): void;
}

type Order = 'oldest' | 'any' | 'youngest';

/** In 8: how strongly a leaning is followed. */
const EIGHTHS = [0, 4, 7] as const;

/** Draws the bias of a run. */
export function drawBias(machine: Machine, random: Random, agents: readonly Agent[]): Bias {
  const draw = <T>(values: readonly T[]): T => values[random.below(values.length)] as T;
  const asleep = drawSleepers(random, agents);
  const order: { readonly [kind in Agent['kind']]: Order } = {
    host: draw(['oldest', 'oldest', 'any', 'youngest']),
    vcpu: draw(['oldest', 'any', 'any', 'youngest']),
    delivery: draw(['oldest', 'any']),
    background: 'any',
  };
  const stale = draw(EIGHTHS);
  const outOfDate = draw(EIGHTHS);
  const habit = draw(EIGHTHS);
  const habits = agents.map(() => random.fork());
  const late = random.chance(1, 3);
  const pages = pagesOf(machine);
  let hostWaits = false;

  return {
    isAwake: ({ id, kind }) => !asleep.has(id) && (kind !== 'delivery' || !late || hostWaits),
    refused({ kind }) {
      if (kind === 'host') hostWaits = true;
    },
    took({ kind }) {
      if (kind === 'host') hostWaits = false;
    },
    site(sites, { kind }) {
      // A leaning that is always followed would starve what waits behind it.
      const by = random.chance(7, 8) ? order[kind] : 'any';
      if (by === 'oldest') return 0;
      return by === 'youngest' ? sites.length - 1 : random.below(sites.length);
    },
    transition(state, found, { id, kind }) {
      const [first] = found;
      if (found.length < 2 || first === undefined) return first ?? null;
      if (first.event === EVENT.translate && random.chance(stale, 8)) {
        const old = found.filter(({ choice }) => choice >= 0 && (choice & MARK.stale) !== 0);
        if (old.length > 0) return old[random.below(old.length)] ?? null;
      }
      if (first.event === EVENT.fire && kind === 'vcpu' && random.chance(outOfDate, 8)) {
        const old = found.filter((t) => pages.isOutOfDate(state, t));
        if (old.length > 0) return old[random.below(old.length)] ?? null;
      }
      if (first.event === EVENT.fire && random.chance(habit, 8)) {
        return found[(habits[id] as number) % found.length] ?? null;
      }
      return found[random.below(found.length)] ?? null;
    },
  };
}

/** No leaning at all: to compare with. */
export function noBias(random: Random): Bias {
  return {
    isAwake: () => true,
    site: (sites) => random.below(sites.length),
    transition: (_, found) => found[random.below(found.length)] ?? null,
    refused: () => undefined,
    took: () => undefined,
  };
}

/** Nothing left to chance: the oldest instruction, and of its outcomes always the same one. */
export function steady(random: Random): Bias {
  const habit = random.fork();
  return {
    isAwake: () => true,
    site: () => 0,
    transition: (_, found) => found[habit % Math.max(1, found.length)] ?? null,
    refused: () => undefined,
    took: () => undefined,
  };
}

/** In half of the runs one or two vCPUs do everything; in half of the runs nothing is written back. */
function drawSleepers(random: Random, agents: readonly Agent[]): ReadonlySet<number> {
  const asleep = new Set<number>();
  const vcpus = agents.filter(({ kind }) => kind === 'vcpu');
  if (random.chance(1, 2)) {
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

/** What a machine says about pages whose translations are out of date. */
interface Pages {
  /** Whether the step is a guest's choice to use an address whose cached translation is out of date. */
  isOutOfDate(state: State, choice: Transition): boolean;
}

const known = new WeakMap<Machine, Pages>();

function pagesOf(machine: Machine): Pages {
  const before = known.get(machine);
  if (before !== undefined) return before;
  const { inspect, setup } = machine;
  const { tlbs } = inspect;
  /** By set: the addresses some old leaf of it translates. */
  const oldOf = new Map<number, ReadonlySet<bigint>>();
  /** By the choice of a program: the address each option goes on to use. */
  const addressesOf = new Map<EffectInfo, (bigint | null)[]>();

  function old(set: number): ReadonlySet<bigint> {
    let found = oldOf.get(set);
    if (found === undefined) {
      const leaves = tlbs
        .codes(set)
        .filter((code) => (marksOf(code) & MARK.stale) !== 0)
        .map((code) => tlbs.entries.item(entryId(code)))
        .filter(({ kind }) => kind === 'combined' || kind === 's1-leaf');
      found = new Set(setup.watchedVas.filter((va) => leaves.some(({ info }) => covers(info, va))));
      oldOf.set(set, found);
    }
    return found;
  }

  function address(state: State, { pe, index, choice, next }: Transition): bigint | null {
    inspect.load(state);
    const info = inspect.window(pe).infos[index] as EffectInfo;
    let options = addressesOf.get(info);
    if (options === undefined) {
      options = [];
      addressesOf.set(info, options);
    }
    let found = options[choice];
    if (found === undefined) {
      inspect.load(next);
      const w = inspect.window(pe);
      found = w.infos[w.count - 1]?.constantAddress ?? null;
      options[choice] = found;
    }
    return found;
  }

  const pages: Pages = {
    isOutOfDate(state, choice) {
      if (choice.pe < 0 || choice.choice < 0) return false;
      const set = state[peComponent(choice.pe, PE.tlb)] as number;
      const found = old(set);
      if (found.size === 0) return false;
      const used = address(state, choice);
      return used !== null && found.has(used);
    },
  };
  known.set(machine, pages);
  return pages;
}
