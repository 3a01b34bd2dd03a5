/**
 * What a campaign looks for on the way: situations in which maintenance goes wrong when it is wrong.
 * Most are nobody's fault, and right code gets into them as well; what is a fault the rules say. They are told from
 * the machine's events and states alone, so they mean the same for every candidate.
 */
export const RUN_FACTS = {
  'stale-hit': 'an access is translated by an entry whose descriptors have changed since',
  'hit-before-delivery':
    'a stale entry is used while an invalidation is on its way to that PE, not yet in effect',
  'stale-fault': 'an access faults on information that is out of date',
  'stale-store': 'a store is performed through a stale translation',
  'access-across-delivery':
    'a TLBI takes effect at a PE while an access that has used an entry in its reach is open',
  'delivered-here-not-there':
    'a vCPU makes an access while an invalidation has taken effect at some PEs and not at others',
  'walk-between-break-and-make':
    'a walk ends at an invalid descriptor, and a valid one is stored there afterwards',
  'two-sizes-live': 'a PE may hold translations of one address with two sizes',
  'cut-off-table-cached': 'a PE may hold a walk-cache entry for a table that is cut off',
  'table-freed': 'a table page is freed',
  'store-past-the-cache':
    'a store goes past the caches while older copies of the line may be in them',
  'fill-between-clean-and-store':
    'the same, of a line that was cleaned and invalidated before: the copies were filled since',
  'dirty-line-cleaned': 'maintenance finds a dirty line',
  'line-written-back': 'a dirty line is written back unasked',
  'register-unsynchronised':
    'somebody else acts while a register write of the host is not synchronised yet',
  'tlbi-unsynchronised': 'a TLBI is issued after a register write that is not synchronised',
  'stores-out-of-order': 'the host performs a store before an older one',
  'lock-dropped': 'an operation gives its lock away and takes it again',
  'lock-passed-on': 'a lock is taken by another PE than before',
  'operations-overlap': 'two operations are under way',
  'fault-in-operation': 'a vCPU takes a stage-2 fault while an operation is under way',
  'fault-mapped-page': 'the fault path of a vCPU stores to a table',
  'instruction-fetched': 'a vCPU executes from a watched page',
  'return-before-delivery': 'an operation returns while an invalidation is on its way',
  'freed-table-reachable': 'a walker may read a table page that has been freed',
} as const;

/** One of them. */
export type RunFact = keyof typeof RUN_FACTS;

/** All of them, in a fixed order. */
export const RUN_FACT_NAMES = Object.keys(RUN_FACTS).sort() as readonly RunFact[];

/** Whether a word of a file is the name of one. */
export function isRunFact(word: unknown): word is RunFact {
  return typeof word === 'string' && Object.hasOwn(RUN_FACTS, word);
}
