import { KIND, type EffectInfo } from '../../machine/effect-info.ts';
import type { Machine } from '../../machine/machine.ts';
import type { State, Step } from '../../machine/state.ts';
import type { Random } from '../../util/random.ts';
import { endOfPlace } from './places.ts';
import { isNotable, type Agent, type Length } from './strategy.ts';

/**
 * Instructions that take long: a store that stays in a buffer, cache maintenance or a TLBI under way.
 * On one PE of a run some of those with an effect beyond it go after everything of their PE that
 * need not wait for them; and some of these keep the PE waiting for a while when nothing else is left to do. All else is in order, so that runs with one instruction out of
 * order are likely: that is what a missing barrier needs.
 */
export interface Slowness {
  /** The steps without those put off. */
  others(state: State, steps: readonly Step[], agent: Agent): readonly Step[];
  took(agent: Agent, step: Step): void;
  /** Nothing is put off any more. */
  release(): void;
}

/** Kinds of instructions that others of their PE need not wait for. A late unlock only keeps others out. */
const MAY_BE_LATE: ReadonlySet<number> = new Set([
  KIND.store,
  KIND.rmw,
  KIND.tlbi,
  KIND.dc,
  KIND.ic,
]);

const NO_STEPS: readonly Step[] = [];

/** Draws which instructions of a run are slow; in some runs none is. */
export function drawSlowness(
  machine: Machine,
  random: Random,
  agents: readonly Agent[],
  { kinds }: Length,
): Slowness {
  const { inspect } = machine;
  const hosts = agents.filter(({ kind }) => kind === 'host');
  const pes = agents.filter(({ kind }) => kind !== 'delivery' && kind !== 'background');
  const among = hosts.length > 0 && random.chance(7, 8) ? hosts : pes;
  const who = random.chance(3, 4) ? among[random.below(among.length)] : undefined;
  // Of one kind, often all; or now and then one of any kind.
  const late = kinds.filter((each) => MAY_BE_LATE.has(each));
  const kind = random.chance(7, 8) ? late[random.below(late.length)] : undefined;
  const rarity = kind === undefined ? 4 << (2 * random.below(2)) : 1 + random.below(2);
  /** By instruction: -1 when it is not slow, else how often its PE waits when nothing else is left. */
  const patience = new Map<EffectInfo, number>();
  /** Those put off at the moment, and those that something notable of their PE has gone before. */
  const putOff: EffectInfo[] = [];
  const overtaken = new Set<EffectInfo>();
  let released = false;

  function isSlow(info: EffectInfo): boolean {
    let known = patience.get(info);
    if (known === undefined) {
      known = -1;
      const mayBeSlow = kind === undefined ? MAY_BE_LATE.has(info.kind) : info.kind === kind;
      if (mayBeSlow && random.chance(1, rarity)) {
        known = random.chance(7, 8) ? 16 << random.below(3) : 0;
      }
      patience.set(info, known);
    }
    return known >= 0;
  }

  return {
    others(state, steps, agent) {
      if (agent !== who || released || steps.length === 0) return steps;
      inspect.load(state);
      const { infos } = inspect.window(agent.pe);
      let rest: Step[] | null = null;
      putOff.length = 0;
      for (let at = 0, end = 0; at < steps.length; at = end) {
        end = endOfPlace(steps, at);
        const info = infos[(steps[at] as Step).index] as EffectInfo;
        if (isSlow(info)) {
          rest ??= steps.slice(0, at);
          putOff.push(info);
        } else if (rest !== null) for (let i = at; i < end; i += 1) rest.push(steps[i] as Step);
      }
      if (rest === null || rest.length > 0) return rest ?? steps;
      const oldest = infos[(steps[0] as Step).index] as EffectInfo;
      const left = patience.get(oldest) ?? 0;
      if (left <= 0 || !overtaken.has(oldest)) return steps;
      patience.set(oldest, left - 1);
      return NO_STEPS;
    },
    took(agent, step) {
      if (agent !== who || putOff.length === 0 || !isNotable(step)) return;
      for (const info of putOff) overtaken.add(info);
      putOff.length = 0;
    },
    release() {
      released = true;
    },
  };
}
