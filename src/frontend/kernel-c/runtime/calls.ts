import type { Call, Meaning } from './call.ts';
import { ATOMICS } from './meanings/atomics.ts';
import { CACHES } from './meanings/caches.ts';
import { CPU } from './meanings/cpu.ts';
import { LOCKS } from './meanings/locks.ts';
import { PAGES } from './meanings/pages.ts';
import { SCENARIO } from './meanings/scenario.ts';
import { type Reaction, stopWith } from './reaction.ts';

/** Functions whose meaning stands here instead of in the tree, or that no unit has a body for. */
const MEANINGS: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ...LOCKS,
  ...CPU,
  ...PAGES,
  ...ATOMICS,
  ...CACHES,
  ...SCENARIO,
]);

/** The names above, for `ProgramOptions.intercepts`. */
export const INTERCEPTED: ReadonlySet<string> = new Set(MEANINGS.keys());

/** A call of a function that is intercepted or has no body. */
export function reactToCall(call: Call): Reaction {
  const { event } = call;
  const meaning = MEANINGS.get(event.name);
  if (meaning === undefined) {
    return stopWith(
      `${event.name}() has no body in the units of this profile and no meaning in src/frontend/kernel-c/runtime/meanings`,
    );
  }
  return meaning(call);
}
