import type { Step } from './state.ts';

/**
 * Collects steps into lists that are used again: a list is good until the next one of the same length is
 * made. Once there has been a list of each length nothing is allocated.
 */
export interface StepList {
  clear(): void;
  add(steps: readonly Step[]): void;
  list(): readonly Step[];
}

/** An empty list. */
export function createStepList(): StepList {
  /** One list of each length. */
  const lists: Step[][] = [[]];
  const collected: Step[] = [];
  let count = 0;
  return {
    clear() {
      count = 0;
    },
    add(steps) {
      for (let i = 0; i < steps.length; i += 1) {
        collected[count] = steps[i] as Step;
        count += 1;
      }
    },
    list() {
      while (lists.length <= count) lists.push(collected.slice(0, lists.length));
      const list = lists[count] as Step[];
      for (let i = 0; i < count; i += 1) list[i] = collected[i] as Step;
      return list;
    },
  };
}
