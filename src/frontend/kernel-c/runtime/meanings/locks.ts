import { type Call, type Meanings, result, step } from '../call.ts';
import { after, type Reaction, stopWith } from '../reaction.ts';

/** Locks and what the kernel asks of them. A read lock is as exclusive here as a write lock. */
export const LOCKS: Meanings = [
  ['_raw_spin_lock', lock],
  ['_raw_spin_unlock', unlock],
  ['queued_spin_lock', lock],
  ['queued_spin_unlock', unlock],
  ['queued_spin_is_locked', isLocked],
  ['_raw_write_lock', lock],
  ['_raw_write_unlock', unlock],
  ['queued_write_lock', lock],
  ['queued_write_unlock', unlock],
  ['_raw_read_lock', lock],
  ['_raw_read_unlock', unlock],
  ['queued_read_lock', lock],
  ['queued_read_unlock', unlock],
  ['__cond_resched_lock', condReschedLock],
  ['__cond_resched_rwlock_write', condReschedLock],
];

function lock(call: Call): Reaction {
  const { state } = call;
  const index = call.lockAt(call.argument(0));
  if (index === null) return unknownLock(call);
  if (state.held.includes(index)) return stopWith('a lock is taken that this thread holds already');
  const next = { ...state, held: [...state.held, index] };
  return after([step({ kind: 'lock', lock: index }, 'lock')], result(call, 0n, next));
}

function unlock(call: Call): Reaction {
  const { state } = call;
  const index = call.lockAt(call.argument(0));
  if (index === null) return unknownLock(call);
  if (!state.held.includes(index)) return stopWith('a lock is given back that is not held');
  const next = { ...state, held: state.held.filter((held) => held !== index) };
  return after([step({ kind: 'unlock', lock: index }, 'unlock')], result(call, 0n, next));
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

function unknownLock({ event, argument }: Call): Reaction {
  return stopWith(
    `${event.name}() is called with 0x${argument(0).toString(16)}, which is no lock of the scenario`,
  );
}
