import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Io } from './io.ts';
import { makeFolder } from './make-folder.ts';

/** What a campaign needs of the world outside, beside what every command needs. */
export interface CorpusIo extends Io {
  /** Names in a folder, in a fixed order; null when there is no such folder. */
  readonly list: (folder: string) => readonly string[] | null;
  /**
   * Makes `text` the content of a file, at once and for good: whoever looks, now or after a crash,
   * finds the old content or the new one, whole. False when it cannot be written.
   */
  readonly replace: (folder: string, name: string, text: string) => boolean;
  /** Removes a file, if it is there. */
  readonly remove: (folder: string, name: string) => void;
  /** Lets pending signals in; true when the user has asked to stop. */
  readonly interrupted: () => Promise<boolean>;
}

/** What an unfinished file is called; nobody reads it. */
export const PARTIAL = '.partial';

/** An unfinished file this old, in milliseconds, has nobody who would finish it. */
const ABANDONED = 3_600_000;

/** The folders of the real world. */
export function realCorpusIo(io: Io): CorpusIo {
  let stop = false;
  let listens = false;
  return {
    ...io,
    list(folder) {
      try {
        const names = readdirSync(folder).sort();
        for (const name of names) if (name.endsWith(PARTIAL)) removeAbandoned(join(folder, name));
        return names;
      } catch {
        return null;
      }
    },
    replace(folder, name, text) {
      try {
        makeFolder(folder);
        const partial = join(folder, `${name}.${process.pid}${PARTIAL}`);
        writeSynced(partial, text);
        renameSync(partial, join(folder, name));
        sync(folder);
        return true;
      } catch {
        return false;
      }
    },
    remove: (folder, name) => rmSync(join(folder, name), { force: true }),
    async interrupted() {
      for (const signal of listens ? [] : (['SIGINT', 'SIGTERM'] as const)) {
        // Once: who asks twice does not want to wait.
        process.once(signal, () => {
          stop = true;
        });
      }
      listens = true;
      await setImmediate();
      return stop;
    },
  };
}

function writeSynced(path: string, text: string): void {
  const file = openSync(path, 'w');
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** A rename is on disk when its folder is. */
function sync(folder: string): void {
  const file = openSync(folder, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function removeAbandoned(path: string): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat !== undefined && Date.now() - stat.mtimeMs > ABANDONED) rmSync(path, { force: true });
}
