import type { GateVerdict } from '../explore/gate-compare.ts';

/** What the process says to the shell. */
export const EXIT = {
  verified: 0,
  refuted: 1,
  badInput: 2,
  inconclusive: 3,
  incomplete: 3,
} as const;

/** The exit code of a verdict. */
export function exitCode(verdict: GateVerdict): number {
  return EXIT[verdict];
}
