import type { Machine } from '../machine/machine.ts';
import type { Transition } from '../machine/transition.ts';
import { EVENT } from '../machine/transition.ts';
import type { State } from '../machine/state.ts';
import type { EffectInfo } from '../machine/effect-info.ts';
import { readPending, translationPending, writePending } from '../machine/local-order.ts';
import { AT, FLAG, flagsOf, get, type Window } from '../machine/window.ts';
import type { SourceLocation } from '../program/source-location.ts';
import { MARK, MARK_BITS } from '../machine/translation-entry.ts';

/**
 * A transition by name. It says who does what to which operand at which place of which program, so
 * it means the same after the shrinker has taken other things away; never an index into a list.
 */
export interface Label {
  /** `cpu0`, `cpu1` ... ; `memory` for write-backs. */
  readonly agent: string;
  readonly event:
    'translate' | 'fault' | 'read' | 'write' | 'do' | 'deliver' | 'write-back' | 'guess' | 'update';
  /** The effect and its operand: `load 0x1000`, `TLBI IPAS2E1IS 0x1`. */
  readonly what: string;
  /** Where it comes from: `function: text`. Empty for write-backs. */
  readonly where: string;
  /** Which of the things that could happen: the translation chosen, the value read. Often empty. */
  readonly choice: string;
}

const EVENT_NAMES = [
  'translate',
  'fault',
  'read',
  'write',
  'do',
  'deliver',
  'write-back',
  'guess',
  'update',
] as const;

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** The effect with its operand, as far as it is known. */
export function describeEffect(info: EffectInfo, address: bigint | undefined): string {
  const { effect } = info;
  const at = address === undefined ? '' : ` ${hex(address)}`;
  switch (effect.kind) {
    case 'dmb':
      return `DMB ${effect.limit}`;
    case 'dsb':
      return `DSB ${effect.domain}${effect.limit === 'full' ? '' : effect.limit}`;
    case 'tlbi':
      return `TLBI ${effect.op}${effect.operand.kind === 'const' && effect.operand.value !== 0n ? ` ${hex(effect.operand.value)}` : ''}`;
    case 'dc':
    case 'ic':
      return `${effect.kind.toUpperCase()} ${effect.op.toUpperCase()}${at}`;
    case 'context':
      return `MSR context`;
    case 'lock':
    case 'unlock':
      return `${effect.kind} ${effect.lock}`;
    case 'free-page':
      return `free ${hex(effect.page)}`;
    case 'alloc-page':
      return `allocate ${effect.use}`;
    case 'announce':
      return effect.fact.kind;
    case 'isb':
    case 'exception-entry':
    case 'exception-return':
    case 'branch':
    case 'select':
    case 'choose':
    case 'load':
    case 'store':
    case 'rmw':
    case 'fetch':
      return `${effect.kind}${at}`;
  }
}

function whereOf(location: SourceLocation): string {
  const own = `${location.function}: ${location.text}`;
  return location.caller === undefined
    ? own
    : `${own} < ${location.caller.function}: ${location.caller.text}`;
}

/** The location of the effect a transition belongs to; null for write-backs. */
export function locationOf(machine: Machine, state: State, t: Transition): SourceLocation | null {
  if (t.pe < 0) return null;
  const { inspect } = machine;
  inspect.load(state);
  if (t.event !== EVENT.deliver) {
    return (inspect.window(t.pe).infos[t.index] as EffectInfo).effect.location;
  }
  return issuerOf(machine, t.index)?.info.effect.location ?? null;
}

/** The TLBI instance behind a ledger slot, in the state last loaded. */
function issuerOf(machine: Machine, slot: number): { pe: number; info: EffectInfo } | null {
  const { inspect } = machine;
  const pe = inspect.slotIssuer(slot);
  if (pe < 0) return null;
  const w = inspect.window(pe);
  for (let i = 0; i < w.count; i += 1) {
    const info = w.infos[i] as EffectInfo;
    if (info.tlbi !== null && get(w, i, AT.value) === slot) return { pe, info };
  }
  return null;
}

function marksText(marks: number): string {
  if ((marks & MARK.dead) !== 0) return ' dead';
  return (marks & MARK.stale) !== 0 ? ' stale' : '';
}

/** What a T event chose. */
export function translationText(machine: Machine, choice: number): string {
  if (choice < 0) return 'physical';
  const result = machine.inspect.tlbs.results.item(choice >> MARK_BITS);
  const marks = marksText(choice & ((1 << MARK_BITS) - 1));
  if (result.fault !== null) {
    const { fault } = result;
    const path = [...result.path1, ...result.path2].filter((_, i) => i % 2 === 0);
    return `${fault.cause} fault at stage ${fault.stage} level ${fault.level}${fault.onWalk ? ' on walk' : ''}${marks} (${path.map((cell) => hex(machine.inspect.memory.addressOf(cell))).join(' ')})`;
  }
  const built = [...result.path1, ...result.path2];
  const parts: string[] = [];
  for (let i = 0; i < built.length; i += 2) {
    const address = machine.inspect.memory.addressOf(built[i] as number);
    parts.push(`${hex(address)}=${hex(machine.inspect.memory.value(built[i + 1] as number))}`);
  }
  return `pa ${hex(result.pa)}${marks} (${parts.join(' ')})`;
}

function choiceOf(machine: Machine, t: Transition): string {
  const { inspect } = machine;
  switch (t.event) {
    case EVENT.translate:
      return translationText(machine, t.choice);
    case EVENT.read:
      return t.choice < 0 ? '' : `value ${hex(inspect.memory.value(t.choice))}`;
    case EVENT.guess:
      return t.choice === 1 ? 'taken' : 'not taken';
    case EVENT.fire:
      return t.choice < 0 ? '' : `option ${optionOf(machine, t)}`;
    default:
      return '';
  }
}

/** A `fire` choice is an option of a `choose`, or the context a TLBI captured. */
function optionOf(machine: Machine, t: Transition): string {
  const info = machine.inspect.window(t.pe).infos[t.index] as EffectInfo;
  return info.effect.kind === 'choose'
    ? String(t.choice)
    : `VMID ${machine.inspect.tlbs.contexts.context(t.choice).vmid}`;
}

/** The label of a transition of this state. */
export function labelOf(machine: Machine, state: State, t: Transition): Label {
  const { inspect } = machine;
  inspect.load(state);
  const event = EVENT_NAMES[t.event] ?? 'do';
  if (t.pe < 0) {
    const what = t.event === EVENT.writeBack ? 'write back' : 'set the access flag at';
    return {
      agent: 'memory',
      event,
      what: `${what} ${hex(inspect.memory.addressOf(t.index))}`,
      where: '',
      choice: '',
    };
  }
  const agent = `cpu${t.pe}`;
  if (t.event === EVENT.deliver) {
    const issuer = issuerOf(machine, t.index);
    const what = issuer === null ? 'TLBI' : describeEffect(issuer.info, undefined);
    const where = issuer === null ? '' : whereOf(issuer.info.effect.location);
    return { agent, event, what, where, choice: ordinal(deliveriesAlike(machine, t, what, where)) };
  }
  const info = inspect.window(t.pe).infos[t.index] as EffectInfo;
  const what = describeEffect(info, inspect.address(t.pe, t.index));
  const where = whereOf(info.effect.location);
  const choice = [choiceOf(machine, t), ordinal(instancesAlike(machine, t, what, where))];
  return { agent, event, what, where, choice: choice.filter((part) => part !== '').join(' ') };
}

/** Which of several that read alike, counted from the oldest; nothing for the first. */
function ordinal(before: number): string {
  return before === 0 ? '' : `#${before + 1}`;
}

/** Older instances of the PE for which the same event is still to come and reads the same. */
function instancesAlike(machine: Machine, t: Transition, what: string, where: string): number {
  const { inspect } = machine;
  const w = inspect.window(t.pe);
  const { kind } = w.infos[t.index] as EffectInfo;
  let alike = 0;
  for (let i = 0; i < t.index; i += 1) {
    const info = w.infos[i] as EffectInfo;
    if (info.kind !== kind || !isToCome(w, i, t.event)) continue;
    if (whereOf(info.effect.location) !== where) continue;
    if (describeEffect(info, inspect.address(t.pe, i)) === what) alike += 1;
  }
  return alike;
}

function isToCome(w: Window, i: number, event: number): boolean {
  const flags = flagsOf(w, i);
  switch (event) {
    case EVENT.translate:
      return translationPending(w, i);
    case EVENT.fault:
      return (flags & FLAG.faulted) !== 0 && (flags & FLAG.faultDone) === 0;
    case EVENT.read:
      return readPending(w, i) && !translationPending(w, i);
    case EVENT.write:
      return writePending(w, i) && !readPending(w, i) && !translationPending(w, i);
    default:
      return (flags & FLAG.fired) === 0;
  }
}

/** Deliveries to the same PE that read the same, of ledger slots before this one. */
function deliveriesAlike(machine: Machine, t: Transition, what: string, where: string): number {
  const { inspect } = machine;
  let alike = 0;
  for (let slot = 0; slot < t.index; slot += 1) {
    if ((inspect.slotPending(slot) & (1 << t.pe)) === 0) continue;
    const issuer = issuerOf(machine, slot);
    if (issuer === null || whereOf(issuer.info.effect.location) !== where) continue;
    if (describeEffect(issuer.info, undefined) === what) alike += 1;
  }
  return alike;
}

/** One line per label, for keys and files. */
export function labelText(label: Label): string {
  const { agent, event, what, where, choice } = label;
  return [agent, event, what, where, choice].join(' | ');
}
