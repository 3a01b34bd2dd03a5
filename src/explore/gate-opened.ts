import type { Effect } from '../program/effect.ts';
import type { SourceLocation } from '../program/source-location.ts';

/** Sorts of work that a reader wants to see apart. */
type Work = 'tables' | 'translations' | 'caches' | 'locks';

/**
 * Functions that do more than one sort of work, themselves or through others, in a run of the host
 * alone: what they call is a step each. A function that only flushes, or only cleans, is one step.
 */
export function openedFunctionsIn(effects: readonly Effect[]): readonly string[] {
  const work = new Map<string, Set<Work>>();
  for (const effect of effects) {
    const sort = workOf(effect);
    if (sort === null) continue;
    for (let at: SourceLocation | undefined = effect.location; at !== undefined; at = at.caller) {
      const known = work.get(at.function);
      if (known === undefined) work.set(at.function, new Set([sort]));
      else known.add(sort);
    }
  }
  return [...work].filter(([, sorts]) => sorts.size > 1).map(([name]) => name);
}

function workOf({ kind }: Effect): Work | null {
  switch (kind) {
    case 'store':
    case 'rmw':
      return 'tables';
    case 'tlbi':
      return 'translations';
    case 'dc':
    case 'ic':
      return 'caches';
    case 'lock':
    case 'unlock':
      return 'locks';
    default:
      return null;
  }
}
