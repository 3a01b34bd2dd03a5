import { type Call, type Meaning, type Meanings, result } from '../call.ts';
import { compareAndSwap } from '../memory.ts';
import type { Reaction } from '../reaction.ts';

/**
 * The helpers that `cmpxchg` and `xchg` end in: one read-modify-write with its ordering, as the LSE
 * instructions make it. Without LSE a loop of exclusives and a barrier does the same.
 */
export const ATOMICS: Meanings = (['', 'acq_', 'rel_', 'mb_'] as const).flatMap(
  (order): readonly (readonly [string, Meaning])[] => [
    [`__cmpxchg_case_${order}64`, (call) => exchange(call, order, 'compare')],
    [`__xchg_case_${order}64`, (call) => exchange(call, order, 'always')],
  ],
);

function exchange(
  call: Call,
  order: '' | 'acq_' | 'rel_' | 'mb_',
  when: 'compare' | 'always',
): Reaction {
  const { argument, environment, state, event } = call;
  const compares = when === 'compare';
  return compareAndSwap(
    {
      address: compares ? argument(0) : pointerOf(call),
      size: 8,
      order: 'plain',
      acquire: order === 'acq_' || order === 'mb_',
      release: order === 'rel_' || order === 'mb_',
      text: event.name,
    },
    compares
      ? { expected: argument(1), desired: argument(2) }
      : { expected: null, desired: valueOf(call) },
    environment,
    state,
    (old, next) => result(call, old, next),
  );
}

/** `__xchg_case_*(value, pointer)` until 6.1, `(pointer, value)` later: the pointer is in the linear map. */
function pointerOf({ argument, environment }: Call): bigint {
  return argument(0) >= environment.linearBase ? argument(0) : argument(1);
}

function valueOf({ argument, environment }: Call): bigint {
  return argument(0) >= environment.linearBase ? argument(1) : argument(0);
}
