import { encodeScenario } from '../../scenario/codec.ts';
import { compareCosts } from '../../trace/cost.ts';
import { labelText } from '../../trace/label.ts';
import type { Replay } from '../../scenario/replay-file.ts';
import { costOf } from '../scenario-cost.ts';
import { combinationsOf, compareEntries, type Entry } from './entry.ts';

/**
 * What a campaign knows, as plain data: sets and maps in the order of their keys, so that who came
 * first does not show.
 */
export interface Corpus {
  /** By `entryKey`. */
  readonly entries: ReadonlyMap<string, Entry>;
  /** Runs that broke a rule as they were found, and made small; by `findingOf`. */
  readonly found: ReadonlyMap<string, Replay>;
  readonly findings: ReadonlyMap<string, Replay>;
  /** Runs done, by `progressOf`. */
  readonly progress: ReadonlyMap<string, number>;
}

/** Nothing is known yet. */
export const EMPTY_CORPUS: Corpus = {
  entries: new Map(),
  found: new Map(),
  findings: new Map(),
  progress: new Map(),
};

/** What a finding is about: one is kept for each rule that a candidate breaks. */
export function findingOf({ scenario, rule }: Replay): string {
  return `${rule ?? 'none'}: ${scenario.candidate}`;
}

/** Whose runs are counted: those of one seed and one shard. */
export function progressOf(seed: number, shard: string): string {
  return `${seed} ${shard}`;
}

/**
 * Both corpora as one, with no more entries than are needed: of each combination of facts the best
 * one. Everything is the least of its kind in some fixed order, so uniting in any order, any number of
 * times, comes to the same.
 */
export function uniteCorpora(a: Corpus, b: Corpus): Corpus {
  return {
    entries: needed(unite(a.entries, b.entries, betterEntry)),
    found: unite(a.found, b.found, betterReplay),
    findings: unite(a.findings, b.findings, betterReplay),
    progress: unite(a.progress, b.progress, Math.max),
  };
}

function betterEntry(a: Entry, b: Entry): Entry {
  return compareEntries(a, b) <= 0 ? a : b;
}

/** The entries that are the best of some combination. */
function needed(entries: ReadonlyMap<string, Entry>): ReadonlyMap<string, Entry> {
  const best = new Map<string, Entry>();
  for (const entry of entries.values()) {
    for (const combination of combinationsOf(entry)) {
      const other = best.get(combination);
      best.set(combination, other === undefined ? entry : betterEntry(other, entry));
    }
  }
  const kept = new Set(best.values());
  return new Map([...entries].filter(([, entry]) => kept.has(entry)));
}

/** The number of the first run that this seed and shard have not done, as far as the corpus tells. */
export function nextRun({ entries, progress }: Corpus, seed: number, shard: string): number {
  let next = progress.get(progressOf(seed, shard)) ?? 0;
  for (const { found } of entries.values()) {
    if (found.seed === seed && found.shard === shard) next = Math.max(next, found.run + 1);
  }
  return next;
}

/** The run that costs its reader less; of equals the one whose text comes first. */
export function betterReplay(a: Replay, b: Replay): Replay {
  const order = compareCosts(costOf(a.scenario, a.labels), costOf(b.scenario, b.labels));
  if (order !== 0) return order < 0 ? a : b;
  return textOf(a) <= textOf(b) ? a : b;
}

function textOf({ scenario, labels }: Replay): string {
  return [JSON.stringify(encodeScenario(scenario)), ...labels.map(labelText)].join('\n');
}

/** In the order of keys, so that who was first does not show. */
function unite<Value>(
  a: ReadonlyMap<string, Value>,
  b: ReadonlyMap<string, Value>,
  better: (a: Value, b: Value) => Value,
): ReadonlyMap<string, Value> {
  const all = new Map(a);
  for (const [key, value] of b) {
    const other = all.get(key);
    all.set(key, other === undefined ? value : better(other, value));
  }
  return new Map([...all].sort(([x], [y]) => (x < y ? -1 : 1)));
}
