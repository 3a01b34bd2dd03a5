import type { Verdict } from '../explore/check.ts';

/** What the process says to the shell. */
export const EXIT = { verified: 0, refuted: 1, badInput: 2, inconclusive: 3 } as const;

/** The exit code of a verdict. */
export function exitCode(verdict: Verdict): number {
  return EXIT[verdict];
}
