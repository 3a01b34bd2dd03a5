/** What the role of a step depends on. */
export interface RoleFacts {
  readonly isGuest: boolean;
  readonly cleans: boolean;
  readonly changes: readonly string[];
  readonly last: boolean;
  /** A TLBI that leaves an old translation of the page in place. */
  readonly missed: boolean;
  /** The operation returns although an old translation is left. */
  readonly promises: boolean;
  readonly choice: string;
}

/** What a step is there for; null when a reader can do without it. */
export function roleOf(facts: RoleFacts): string | null {
  const { isGuest, cleans, changes, last, missed, promises, choice } = facts;
  if (last && !isGuest) return 'is where the rule breaks';
  if (isGuest) {
    if (choice.includes(' fault ')) return 'takes a fault, which enters the host';
    if (choice.includes(' dead')) return 'goes through a translation that was promised to be gone';
    if (choice.includes(' stale')) return 'goes through a translation whose descriptor is gone';
    if (last) return 'is where the rule breaks';
    return changes.length > 0 ? 'is what may be lost' : 'reads the page';
  }
  if (promises) return 'promises that no old translation is left';
  if (cleans) return 'drops every cached copy; what is filled afterwards stays';
  if (changes.some((line) => line.startsWith('entry at'))) {
    return 'changes the tables; what was cached before is stale from here on';
  }
  if (changes.some((line) => line.endsWith('is gone')))
    return 'ends the use of the old translation';
  if (missed) return 'does not remove the old translation';
  if (changes.some((line) => line.includes('new owner'))) return 'gives the page away';
  if (changes.some((line) => line.includes(' -> free'))) return 'gives the table page back';
  return changes.length > 0 ? 'changes memory' : null;
}
