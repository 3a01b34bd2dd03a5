import type { State } from '../machine/state.ts';
import type { Machine } from '../machine/machine.ts';
import { EVENT, type Transition } from '../machine/transition.ts';
import type { EffectInfo } from '../machine/effect-info.ts';
import type { SourceLocation } from '../program/source-location.ts';
import { locationOf } from './label.ts';

/**
 * A kernel-level operation: what a reader takes for one step. Events of one agent that were reached
 * through the same statement of the code under test belong to one operation; a whole flush routine is
 * one, with its barriers, register writes and TLBIs.
 */
export interface Operation {
  /** Equal for events of one operation; a second run of the same statement has the same key. */
  readonly key: string;
  /** PE whose program it belongs to; -1 for the memory system. */
  readonly pe: number;
  /** The statement; null for the memory system. */
  readonly at: SourceLocation | null;
}

/**
 * The statement of the code under test that an effect was reached through: the outermost call that is
 * not a call of a function in `opened`, whose statements are steps of their own.
 */
export function statementOf(location: SourceLocation, opened: ReadonlySet<string>): SourceLocation {
  const chain: SourceLocation[] = [];
  for (let at: SourceLocation | undefined = location; at !== undefined; at = at.caller) {
    chain.push(at);
  }
  for (let i = chain.length - 1; i > 0; i -= 1) {
    const call = chain[i];
    const called = call === undefined ? '' : (/^\w+/.exec(call.text)?.[0] ?? '');
    if (call !== undefined && !opened.has(called)) return call;
  }
  return location;
}

/** Whether the event is no step of its own: a choice of the environment, a guess. */
function isSilent(machine: Machine, t: Transition): boolean {
  if (t.event === EVENT.guess) return true;
  if (t.event !== EVENT.fire) return false;
  const info = machine.inspect.window(t.pe).infos[t.index] as EffectInfo;
  return info.effect.kind === 'choose';
}

/**
 * The operation a transition belongs to, or null when it belongs to whatever comes before it.
 * Deliveries of a TLBI belong to the operation that issued it.
 */
export function operationOf(
  machine: Machine,
  state: State,
  t: Transition,
  opened: ReadonlySet<string>,
): Operation | null {
  if (t.event === EVENT.writeBack) return { key: `memory ${t.index}`, pe: -1, at: null };
  const location = locationOf(machine, state, t);
  if (location === null || isSilent(machine, t)) return null;
  const pe = t.event === EVENT.deliver ? machine.inspect.slotIssuer(t.index) : t.pe;
  const at = statementOf(location, opened);
  return { key: `${pe} ${at.function}:${at.line} ${at.text}`, pe, at };
}
