import type { Random } from '../../util/random.ts';
import { combinationsOf, compareEntries, familyOf, type Entry } from './entry.ts';

/** Entries by the combinations they stand for; it depends on which there are, not on who came first. */
export interface Coverage {
  add(entry: Entry): void;
  readonly has: (combination: string) => boolean;
  /** How many combinations there are. */
  readonly size: () => number;
  /**
   * An entry of a family, or null when there is none: a combination first, so that what is rare is
   * drawn as often as what is common, then one of the entries that stand for it.
   */
  draw(random: Random, family: string): Entry | null;
}

/** No entries yet. */
export function createCoverage(): Coverage {
  const entries = new Map<string, Entry[]>();
  /** By family, and null when it has grown and is to be sorted again. */
  const sorted = new Map<string, readonly string[] | null>();
  const combinations = new Map<string, string[]>();

  function combinationsIn(family: string): readonly string[] {
    let list = sorted.get(family) ?? null;
    if (list === null) {
      list = (combinations.get(family) ?? []).sort();
      sorted.set(family, list);
    }
    return list;
  }

  return {
    add(entry) {
      const family = familyOf(entry);
      for (const combination of combinationsOf(entry)) {
        const list = entries.get(combination);
        if (list === undefined) {
          entries.set(combination, [entry]);
          const known = combinations.get(family);
          if (known === undefined) combinations.set(family, [combination]);
          else known.push(combination);
          sorted.set(family, null);
        } else {
          list.push(entry);
          list.sort(compareEntries);
        }
      }
    },
    has: (combination) => entries.has(combination),
    size: () => entries.size,
    draw(random, family) {
      const list = combinationsIn(family);
      if (list.length === 0) return null;
      const of = entries.get(list[random.below(list.length)] as string) ?? [];
      return of[random.below(of.length)] ?? null;
    },
  };
}
