import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What `litmus` needs of the world outside. */
export interface LitmusIo {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Standard output is a terminal. */
  readonly outIsTerminal: boolean;
  readonly columns: number;
  /** NO_COLOR is set. */
  readonly noColor: boolean;
  /** Milliseconds, from any start. */
  readonly now: () => number;
  /** The text of a file; null when it cannot be read. */
  readonly read: (path: string) => string | null;
  /** Paths of all files below a folder, relative to it and sorted; null when it is no folder. */
  readonly filesBelow: (folder: string) => readonly string[] | null;
}

/** What `litmus` says to the shell. */
export const LITMUS_EXIT = { equal: 0, different: 1, badInput: 2, inconclusive: 3 } as const;

/** The files below a folder of the real world. */
export function filesBelow(folder: string): readonly string[] | null {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => statSync(join(folder, file)).isFile())
      .sort();
  } catch {
    return null;
  }
}
