import { constant } from '../../../program/expr.ts';
import type { VmEvent } from '../vm/event.ts';
import { unknownCapability } from './assembly.ts';
import type { Environment } from './environment.ts';
import { pageOfStruct, physicalOf } from './memory.ts';
import { after, answer, type Reaction, type Step, stopWith } from './reaction.ts';
import type { RuntimeState } from './state.ts';

type CallEvent = Extract<VmEvent, { kind: 'call' }>;

/** What the meaning of a function gets to see. */
export interface CallContext {
  readonly event: CallEvent;
  readonly argument: (index: number) => bigint;
  readonly environment: Environment;
  readonly state: RuntimeState;
  /** The lock at an address, by its index in the machine; `null` for any other address. */
  readonly lockAt: (address: bigint) => number | null;
}

type Meaning = (call: CallContext) => Reaction;

/** Functions whose meaning stands here instead of in the tree, or that no unit has a body for. */
const MEANINGS: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ['_raw_spin_lock', (call) => lock(call)],
  ['_raw_spin_unlock', (call) => unlock(call)],
  ['queued_spin_lock', (call) => lock(call)],
  ['queued_spin_unlock', (call) => unlock(call)],
  ['queued_spin_is_locked', (call) => isLocked(call)],
  ['__cond_resched_lock', (call) => condReschedLock(call)],
  ['has_vhe', ({ environment, state }) => answer([environment.features.vhe ? 1n : 0n], state)],
  ['cpus_have_cap', (call) => capability(call)],
  ['cpus_have_const_cap', (call) => capability(call)],
  ['cpus_have_final_cap', (call) => capability(call)],
  // The hyp alias of an address is the address itself: EL2 sees the same memory.
  ['__kern_hyp_va', ({ argument, state }) => answer([argument(0)], state)],
  ['get_page', (call) => count(call, 1)],
  ['put_page', (call) => count(call, -1)],
  ['page_count', (call) => pageCount(call)],
  ['free_pages', (call) => freePages(call)],
  ['pfn_valid', (call) => pfnValid(call)],
  ['pmd_huge', (call) => isHuge(call)],
  ['pud_huge', (call) => isHuge(call)],
  ['__flush_dcache_area', (call) => flushDcacheArea(call)],
  ['__tlbgate_hvc', (call) => exception(call, 2)],
  ['__tlbgate_eret', (call) => exception(call, 1)],
  ['__tlbgate_warn', () => stopWith('a WARN_ON of the code under test holds here')],
  ['__tlbgate_bug', () => stopWith('a BUG_ON of the code under test holds here')],
]);

/** The names above, for `ProgramOptions.intercepts`. */
export const INTERCEPTED: ReadonlySet<string> = new Set(MEANINGS.keys());

/** A call of a function that is intercepted or has no body. */
export function reactToCall(call: CallContext): Reaction {
  const { event } = call;
  const meaning = MEANINGS.get(event.name);
  if (meaning === undefined) {
    return stopWith(
      `${event.name}() has no body in the units of this profile and no meaning in src/frontend/kernel-c/runtime/calls.ts`,
    );
  }
  return meaning(call);
}

/** The answer to a function whose result may be unused. */
function result({ event, state }: CallContext, value: bigint, next = state): Reaction {
  return answer(event.result === null ? [] : [value], next);
}

function lock(call: CallContext): Reaction {
  const { state } = call;
  const index = call.lockAt(call.argument(0));
  if (index === null) return unknownLock(call);
  if (state.held.includes(index)) return stopWith('a lock is taken that this thread holds already');
  const next = { ...state, held: [...state.held, index] };
  return after([step({ kind: 'lock', lock: index }, 'lock')], result(call, 0n, next));
}

function unlock(call: CallContext): Reaction {
  const { state } = call;
  const index = call.lockAt(call.argument(0));
  if (index === null) return unknownLock(call);
  if (!state.held.includes(index)) return stopWith('a lock is given back that is not held');
  const next = { ...state, held: state.held.filter((held) => held !== index) };
  return after([step({ kind: 'unlock', lock: index }, 'unlock')], result(call, 0n, next));
}

function isLocked(call: CallContext): Reaction {
  const index = call.lockAt(call.argument(0));
  if (index === null) return unknownLock(call);
  return call.state.held.includes(index)
    ? result(call, 1n)
    : stopWith('the code asks whether a lock is held that this thread does not hold');
}

/** Gives the lock to a waiter for a moment, when the scenario says so. */
function condReschedLock(call: CallContext): Reaction {
  const index = call.lockAt(call.argument(0));
  if (index === null) return unknownLock(call);
  if (!call.state.held.includes(index)) return stopWith('cond_resched_lock without the lock');
  const drop = after(
    [step({ kind: 'unlock', lock: index }, 'unlock'), step({ kind: 'lock', lock: index }, 'lock')],
    result(call, 1n),
  );
  switch (call.environment.reschedule) {
    case 'never':
      return result(call, 0n);
    case 'always':
      return drop;
    case 'choose':
      return {
        kind: 'ask',
        effect: { kind: 'choose', options: 2 },
        text: 'is the lock given to somebody else?',
        resume: (given) => (given.kind === 'value' && given.value === 1n ? drop : result(call, 0n)),
      };
  }
}

/** A hyp call of a host at EL1: the exception, and the return from it. */
function exception(call: CallContext, toEl: 1 | 2): Reaction {
  const { state, environment } = call;
  if (environment.features.vhe || state.atEl2 === (toEl === 2)) {
    return stopWith(`${call.event.name}() at the wrong exception level`);
  }
  const next = { ...state, atEl2: toEl === 2 };
  const effect =
    toEl === 2
      ? step({ kind: 'exception-entry', toEl }, 'hvc')
      : step({ kind: 'exception-return', toEl }, 'eret');
  return after([effect], result(call, 0n, next));
}

function capability(call: CallContext): Reaction {
  const number = Number(call.argument(0));
  const known = call.environment.capabilities.get(number);
  return known === undefined ? unknownCapability(number) : result(call, known.present ? 1n : 0n);
}

function count(call: CallContext, by: 1 | -1): Reaction {
  const { state } = call;
  const found = tablePage(call);
  if (found === null) return noTable(call);
  const next = found.count + by;
  if (next < 1) return stopWith(`${call.event.name}() drops the last reference of a table page`);
  return result(call, 0n, { ...state, counts: new Map(state.counts).set(found.page, next) });
}

function pageCount(call: CallContext): Reaction {
  const found = tablePage(call);
  return found === null ? noTable(call) : result(call, BigInt(found.count));
}

function tablePage({ argument, environment, state }: CallContext): {
  readonly page: bigint;
  readonly count: number;
} | null {
  const page = pageOfStruct(environment, argument(0));
  const count = page === null ? undefined : state.counts.get(page);
  return page === null || count === undefined ? null : { page, count };
}

/** `free_pages(address, 0)`: the page goes back when its last reference does. */
function freePages(call: CallContext): Reaction {
  const { state, environment } = call;
  if (call.argument(1) !== 0n) return stopWith('free_pages() of more than one page');
  const page = physicalOf(environment, call.argument(0));
  const count = page === null ? undefined : state.counts.get(page);
  if (page === null || count === undefined) return noTable(call);
  const counts = new Map(state.counts);
  if (count > 1) return result(call, 0n, { ...state, counts: counts.set(page, count - 1) });
  counts.delete(page);
  return after(
    [step({ kind: 'free-page', page }, 'the page is free')],
    result(call, 0n, { ...state, counts }),
  );
}

function pfnValid(call: CallContext): Reaction {
  const page = call.argument(0) * call.environment.pageBytes;
  const known = call.environment.hasStructPage(page);
  return known === null
    ? stopWith(`nobody said whether the page at 0x${page.toString(16)} is RAM or a device`)
    : result(call, known ? 1n : 0n);
}

/** Something is in the entry, and it does not point to a table (bit 1). */
function isHuge(call: CallContext): Reaction {
  const bits = call.argument(0);
  return result(call, bits !== 0n && (bits & 2n) === 0n ? 1n : 0n);
}

/** `__flush_dcache_area(address, size)` of cache.S: DC CIVAC over the area, then DSB SY. */
function flushDcacheArea(call: CallContext): Reaction {
  const { environment, event } = call;
  const base = physicalOf(environment, call.argument(0));
  if (base === null) return stopWith(`${event.name}() outside of the linear map`);
  const lines = environment
    .watchedLines(base, call.argument(1))
    .map((line) =>
      step(
        { kind: 'dc', op: 'civac', at: { kind: 'physical', address: constant(line) } },
        'dc civac',
      ),
    );
  const wait = step({ kind: 'dsb', limit: 'full', domain: 'sy', nXS: false }, 'dsb(sy)');
  return after([...lines, wait], result(call, 0n));
}

function step(effect: Step['effect'], text: string): Step {
  return { effect, text };
}

function unknownLock({ event, argument }: CallContext): Reaction {
  return stopWith(
    `${event.name}() is called with 0x${argument(0).toString(16)}, which is no lock of the scenario`,
  );
}

function noTable({ event, argument }: CallContext): Reaction {
  return stopWith(
    `${event.name}() is called with 0x${argument(0).toString(16)}, which is no table page in use`,
  );
}
