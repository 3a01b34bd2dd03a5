import { showFeatureDifferences } from '../arm64/features.ts';
import type { SearchProgress } from '../explore/search.ts';
import type { Progress } from '../explore/verify.ts';
import type { Io } from './io.ts';

/** Nothing is shown before this many milliseconds, and not more often than every 200. */
const QUIET = 1000;
const EVERY = 200;

/** One line on standard error that is written over, only on a terminal and only for slow things. */
export interface ProgressLine {
  readonly show: (progress: Progress) => void;
  /** How far the search in hand is. */
  readonly search: (progress: SearchProgress) => void;
  readonly clear: () => void;
}

/** The line of one command. */
export function progressLine(io: Io): ProgressLine {
  const start = io.now();
  let last = 0;
  let shown = false;
  let what = '';
  let began = start;

  function write(text: string): void {
    const now = io.now();
    if (!io.errIsTerminal || now - start < QUIET || now - last < EVERY) return;
    last = now;
    shown = true;
    io.err(`\r\u001b[2K${text.slice(0, Math.max(20, io.columns - 1))}`);
  }

  return {
    show({ features, scenario, machinesDone, machines }) {
      const words = showFeatureDifferences(features) || 'default machine';
      what = `machine ${machinesDone + 1} of ${machines} (${words}): ${scenario}`;
      began = io.now();
      write(what);
    },
    search({ states, depth, bytes }) {
      const seconds = Math.max(0.001, (io.now() - began) / 1000);
      const rate = Math.round(states / seconds / 1000);
      const size = Math.round(bytes / 1e6);
      const numbers = `${Math.round(states / 1000)}k states, ${rate}k/s, depth ${depth}, ${size} MB`;
      write(`${numbers}: ${what}`);
    },
    clear() {
      if (shown) io.err('\r\u001b[2K');
      shown = false;
    },
  };
}
