/** A lock among threads in one integer of shared memory: 0 free, 1 taken, 2 taken and waited for. */
export interface SharedLock {
  take(): void;
  give(): void;
}

/** Tries before a thread goes to sleep. */
const SPINS = 100;

/** The lock at a place of shared memory. */
export function sharedLock(ints: Int32Array, at: number): SharedLock {
  return {
    take() {
      for (let i = 0; i < SPINS; i += 1) if (Atomics.compareExchange(ints, at, 0, 1) === 0) return;
      while (Atomics.exchange(ints, at, 2) !== 0) Atomics.wait(ints, at, 2);
    },
    give() {
      if (Atomics.exchange(ints, at, 0) === 2) Atomics.notify(ints, at, 1);
    },
  };
}
