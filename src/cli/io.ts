import { readFileSync, writeFileSync } from 'node:fs';
import { makeFolder } from './make-folder.ts';

/** Everything the command line does to the world outside, so that tests can stand in for it. */
export interface Io {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Standard output is a terminal. */
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  readonly columns: number;
  /** NO_COLOR is set. */
  readonly noColor: boolean;
  /** Milliseconds, from any start. */
  readonly now: () => number;
  /** The text of a file, of standard input for `-`; null when it cannot be read. */
  readonly read: (path: string) => string | null;
  /** False when the file cannot be written. */
  readonly write: (directory: string, name: string, text: string) => boolean;
}

/** The real world. */
export function realIo(): Io {
  const { stdout, stderr, env } = process;
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    outIsTerminal: stdout.isTTY === true,
    errIsTerminal: stderr.isTTY === true,
    columns: stdout.columns ?? 80,
    noColor: (env['NO_COLOR'] ?? '') !== '',
    now: () => performance.now(),
    read(path) {
      try {
        return readFileSync(path === '-' ? process.stdin.fd : path, 'utf8');
      } catch {
        return null;
      }
    },
    write(directory, name, text) {
      try {
        makeFolder(directory);
        writeFileSync(`${directory}/${name}`, text);
        return true;
      } catch {
        return false;
      }
    },
  };
}
