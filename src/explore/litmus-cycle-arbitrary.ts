import fc from 'fast-check';
import { BETWEEN, type Cycle, type CycleAccess, type CycleThread } from './litmus-cycle.ts';

const access: fc.Arbitrary<CycleAccess> = fc.constantFrom('write', 'walk', 'read');

const thread: fc.Arbitrary<CycleThread> = fc.record({
  first: access,
  between: fc.constantFrom(...BETWEEN),
  second: access,
});

/** Cycles of two threads, and sometimes of three. Shrinks to plain stores with nothing in between. */
export const litmusCycle: fc.Arbitrary<Cycle> = fc
  .array(thread, { minLength: 2, maxLength: 3, size: 'max' })
  .chain((threads) =>
    fc.record({
      threads: fc.constant(threads),
      page: fc.nat(threads.length - 1),
      startsValid: fc.boolean(),
      ets2: fc.boolean(),
    }),
  );
