import { type Call, type Meanings, nothing, result, step } from '../call.ts';
import { locksOf } from '../environment.ts';
import { after, type Reaction, type Step, stopWith } from '../reaction.ts';

/**
 * Locks and what the kernel asks of them. Each lock of the kernel is as many locks of the machine as the
 * host has CPUs: a reader takes the one of its CPU, a writer all of them in order. So readers do not keep
 * each other out, and writers everybody. A read-side section of RCU is such a reader, and a grace period
 * a moment in which no other CPU is a reader.
 */
export const LOCKS: Meanings = [
  ['_raw_spin_lock', (call) => lock(call, 'all')],
  ['_raw_spin_unlock', (call) => unlock(call, 'all')],
  ['queued_spin_lock', (call) => lock(call, 'all')],
  ['queued_spin_unlock', (call) => unlock(call, 'all')],
  ['queued_spin_is_locked', isLocked],
  ['_raw_write_lock', (call) => lock(call, 'all')],
  ['_raw_write_unlock', (call) => unlock(call, 'all')],
  ['queued_write_lock', (call) => lock(call, 'all')],
  ['queued_write_unlock', (call) => unlock(call, 'all')],
  ['_raw_read_lock', (call) => lock(call, 'own')],
  ['_raw_read_unlock', (call) => unlock(call, 'own')],
  ['queued_read_lock', (call) => lock(call, 'own')],
  ['queued_read_unlock', (call) => unlock(call, 'own')],
  ['__cond_resched_lock', condReschedLock],
  ['__cond_resched_rwlock_write', condReschedLock],
  ['__rcu_read_lock', (call) => readSection(call, 'lock')],
  ['__rcu_read_unlock', (call) => readSection(call, 'unlock')],
  // Memory slots do not change in any scenario, so nobody waits for their readers.
  ['__srcu_read_lock', nothing],
  ['__srcu_read_unlock', nothing],
  // Whoever changes memory slots would wait for this.
  ['rcuwait_wake_up', nothing],
  ['__tlbgate_wait_for_readers', waitForReaders],
];

/** What stands for read-side sections of RCU among the locks of the kernel; `mmu_lock` is 0. */
export const RCU = 1;

type Which = 'all' | 'own';

function steps(
  { environment }: Call,
  kind: 'lock' | 'unlock',
  index: number,
  which: Which,
): readonly Step[] {
  const all = locksOf(index, environment.cpus);
  const taken = which === 'all' ? all : all.slice(environment.cpus.self, environment.cpus.self + 1);
  const text = which === 'all' ? kind : `read ${kind}`;
  return (kind === 'lock' ? taken : [...taken].reverse()).map((each) =>
    step({ kind, lock: each }, text),
  );
}

function lock(call: Call, which: Which): Reaction {
  const { state } = call;
  const index = call.lockAt(call.argument(0));
  if (index === null) return unknownLock(call);
  if (state.held.includes(index)) return stopWith('a lock is taken that this thread holds already');
  const next = { ...state, held: [...state.held, index] };
  return after(steps(call, 'lock', index, which), result(call, 0n, next));
}

function unlock(call: Call, which: Which): Reaction {
  const { state } = call;
  const index = call.lockAt(call.argument(0));
  if (index === null) return unknownLock(call);
  if (!state.held.includes(index)) return stopWith('a lock is given back that is not held');
  const next = { ...state, held: state.held.filter((held) => held !== index) };
  return after(steps(call, 'unlock', index, which), result(call, 0n, next));
}

/** Nobody can tell with one CPU, for a grace period is waited for by the thread that would be inside. */
function readSection(call: Call, kind: 'lock' | 'unlock'): Reaction {
  if (call.environment.cpus.count === 1) return result(call, 0n);
  const { state } = call;
  const inside = state.held.includes(RCU);
  if (inside === (kind === 'lock')) return stopWith('read-side sections of RCU inside of others');
  const held = inside ? state.held.filter((each) => each !== RCU) : [...state.held, RCU];
  return after(steps(call, kind, RCU, 'own'), result(call, 0n, { ...state, held }));
}

/** Waits until each other CPU has left its locks and read-side sections at some moment. */
function waitForReaders(call: Call): Reaction {
  const { cpus } = call.environment;
  if (call.state.held.length > 0) return stopWith('a grace period is waited for inside of a lock');
  const passes = [0, RCU].flatMap((index) =>
    locksOf(index, cpus)
      .filter((_, cpu) => cpu !== cpus.self)
      .flatMap((each) => [
        step({ kind: 'lock', lock: each }, 'wait for a reader'),
        step({ kind: 'unlock', lock: each }, 'no reader'),
      ]),
  );
  return after(passes, result(call, 0n));
}

function isLocked(call: Call): Reaction {
  const index = call.lockAt(call.argument(0));
  if (index === null) return unknownLock(call);
  return call.state.held.includes(index)
    ? result(call, 1n)
    : stopWith('the code asks whether a lock is held that this thread does not hold');
}

/** Gives the lock to a waiter for a moment, when the scenario says so. */
function condReschedLock(call: Call): Reaction {
  const index = call.lockAt(call.argument(0));
  if (index === null) return unknownLock(call);
  if (!call.state.held.includes(index)) return stopWith('cond_resched_lock without the lock');
  const drop = after(
    [...steps(call, 'unlock', index, 'all'), ...steps(call, 'lock', index, 'all')],
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

function unknownLock({ event, argument }: Call): Reaction {
  return stopWith(
    `${event.name}() is called with 0x${argument(0).toString(16)}, which is no lock of the scenario`,
  );
}
