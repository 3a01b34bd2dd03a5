import { showFeatureDifferences } from '../arm64/features.ts';
import type { SearchProgress } from '../explore/search.ts';
import type { Progress } from '../explore/verify.ts';
import type { Io } from './io.ts';

/** Nothing is shown before this many milliseconds. */
const QUIET = 1000;
/** And not more often than this. */
export const EVERY = 200;

/** Milliseconds between two lines where nothing can be written over. */
const EVERY_LINE = 5000;

/**
 * One line on standard error that is written over, on a terminal and only for slow things; elsewhere, where it
 * is asked for, a line now and then.
 */
export interface ProgressLine {
  readonly show: (progress: Progress) => void;
  /** How far the search in hand is. */
  readonly search: (progress: SearchProgress) => void;
  readonly clear: () => void;
}

/** The line of one command. `asked`: also where standard error is no terminal. */
export function progressLine(io: Io, asked = false): ProgressLine {
  const start = io.now();
  let last = 0;
  let shown = false;
  let what = '';
  let began = start;
  /** States the search in hand had when it was first heard of: one that goes on has many. */
  let first = -1;

  function write(text: string): void {
    const now = io.now();
    if (!io.errIsTerminal) {
      if (!asked || now - start < QUIET || (last > 0 && now - last < EVERY_LINE)) return;
      last = now;
      io.err(`${text}\n`);
      return;
    }
    if (now - start < QUIET || now - last < EVERY) return;
    last = now;
    shown = true;
    io.err(`\r\u001b[2K${text.slice(0, Math.max(20, io.columns - 1))}`);
  }

  return {
    show({ features, scenario, machinesDone, machines }) {
      const words = showFeatureDifferences(features) || 'default machine';
      what = `machine ${machinesDone + 1} of ${machines} (${words}): ${scenario}`;
      began = io.now();
      first = -1;
      write(what);
    },
    search({ states, depth, bytes }) {
      if (first < 0 || states < first) {
        first = states;
        began = io.now();
      }
      const seconds = Math.max(0.001, (io.now() - began) / 1000);
      const rate = Math.round((states - first) / seconds / 1000);
      const size = Math.round(bytes / 1e6);
      const numbers = `${Math.round(states / 1000)}k states, ${rate}k/s, depth ${depth}, ${size} MB`;
      write(what === '' ? numbers : `${numbers}: ${what}`);
    },
    clear() {
      if (shown) io.err('\r\u001b[2K');
      shown = false;
    },
  };
}
