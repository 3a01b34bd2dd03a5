import type { Step } from '../../machine/state.ts';

/** The steps of one instruction (or slot, or cell): which of them is asked where there are several. */
export function atOnePlace(
  steps: readonly Step[],
  which: (places: number) => number,
): readonly Step[] {
  const first = steps[0]?.index;
  if (first === steps.at(-1)?.index) return steps;
  let places = 1;
  for (let i = 1; i < steps.length; i += 1) {
    if (steps[i]?.index !== steps[i - 1]?.index) places += 1;
  }
  let left = which(places);
  let from = 0;
  for (; left > 0; left -= 1) from = endOfPlace(steps, from);
  return steps.slice(from, endOfPlace(steps, from));
}

/** Where the steps of the instruction at `from` end. */
export function endOfPlace(steps: readonly Step[], from: number): number {
  let to = from + 1;
  while (to < steps.length && steps[to]?.index === steps[from]?.index) to += 1;
  return to;
}
