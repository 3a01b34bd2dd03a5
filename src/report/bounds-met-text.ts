import type { BoundsMet } from '../machine/bounds-met.ts';
import { LEDGER_SLOTS } from '../machine/ledger.ts';

/** A search, by the name of its scenario, with its bound on instructions in flight per PE. */
export interface BoundedSearch {
  readonly name: string;
  readonly window: number;
  readonly boundsMet: BoundsMet;
}

/** Where the machine's own bounds were reached, as data. */
export function boundsMetJson(searches: readonly BoundedSearch[]): {
  readonly windowReached: boolean;
  readonly windowReachedIn: readonly string[];
  readonly outstandingTlbis: number;
  readonly outstandingTlbisReached: boolean;
} {
  const windowReachedIn = namesOf(searches.filter(({ boundsMet }) => boundsMet.window));
  return {
    windowReached: windowReachedIn.length > 0,
    windowReachedIn,
    outstandingTlbis: LEDGER_SLOTS,
    outstandingTlbisReached: searches.some(({ boundsMet }) => boundsMet.tlbis),
  };
}

/**
 * What became of the machine's own bounds, a sentence each. One that kept nothing from happening is none: a larger
 * number would have led to the same states.
 */
export function boundsMetText(searches: readonly BoundedSearch[]): readonly string[] {
  if (searches.length === 0) return [];
  const full = searches.filter(({ boundsMet }) => boundsMet.window);
  const without = searches.filter(({ boundsMet }) => boundsMet.tlbis);
  const tlbis = `${LEDGER_SLOTS} outstanding TLBIs`;
  const notReached = [
    ...(full.length === 0 ? [`${windowsOf(searches)} instructions in flight`] : []),
    ...(without.length === 0 ? [tlbis] : []),
  ];
  const reached: readonly (readonly [string, readonly BoundedSearch[]])[] = [
    [`${windowsOf(full)} instructions in flight`, full],
    [tlbis, without],
  ];
  return [
    ...(notReached.length === 0
      ? []
      : [`not reached: ${notReached.join(', ')}; with more of them nothing would be different`]),
    ...reached
      .filter(([, where]) => where.length > 0)
      .map(
        ([what, where]) =>
          `reached: ${what}, in ${inWords(where)}; what more of them allow was not looked at there`,
      ),
  ];
}

function windowsOf(searches: readonly BoundedSearch[]): string {
  const windows = [...new Set(searches.map(({ window }) => window))];
  return windows.sort((a, b) => a - b).join(' or ');
}

/** So many scenarios are named one by one. */
const NAMED = 3;

function inWords(searches: readonly BoundedSearch[]): string {
  const names = namesOf(searches);
  const first = names.slice(0, NAMED).map((name) => `"${name}"`);
  const rest = names.length - first.length;
  return `${first.join(', ')}${rest === 0 ? '' : ` and ${rest} more`}`;
}

function namesOf(searches: readonly BoundedSearch[]): readonly string[] {
  return [...new Set(searches.map(({ name }) => name))];
}
