/**
 * What a search keeps beside a state: the state it was first reached from, and whether arriving at it goes on
 * to another. A state with one eager step alone is passed through and not kept (search.ts), but the
 * initial state is kept, and so is one at the end of a long stretch of such states; whoever arrives there
 * goes on as from any other.
 */
export type StateLink = number;

/** What is kept beside a state; the parent of the initial one is -1. */
export function stateLink(parent: number, isPassedOn: boolean): StateLink {
  return (parent << 1) | (isPassedOn ? 1 : 0);
}

/** The state from which a state was first reached. */
export function parentOf(link: StateLink): number {
  return link >> 1;
}

/** Whether whoever arrives at the state goes on. */
export function isPassedOn(link: StateLink): boolean {
  return (link & 1) === 1;
}
