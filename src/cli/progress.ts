import { showFeatureDifferences } from '../arm64/features.ts';
import type { Progress } from '../explore/verify.ts';
import type { Io } from './io.ts';

/** Nothing is shown before this many milliseconds, and not more often than every 200. */
const QUIET = 1000;
const EVERY = 200;

/** One line on standard error that is written over, only on a terminal and only for slow things. */
export interface ProgressLine {
  readonly show: (progress: Progress) => void;
  readonly clear: () => void;
}

/** The line of one command. */
export function progressLine(io: Io): ProgressLine {
  const start = io.now();
  let last = 0;
  let shown = false;
  return {
    show({ features, scenario, machinesDone, machines }) {
      const now = io.now();
      if (!io.errIsTerminal || now - start < QUIET || now - last < EVERY) return;
      last = now;
      shown = true;
      const words = showFeatureDifferences(features) || 'default machine';
      const text = `machine ${machinesDone + 1} of ${machines} (${words}): ${scenario}`;
      io.err(`\r\u001b[2K${text.slice(0, Math.max(20, io.columns - 1))}`);
    },
    clear() {
      if (shown) io.err('\r\u001b[2K');
      shown = false;
    },
  };
}
