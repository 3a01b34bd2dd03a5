import { createHash } from 'node:crypto';
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  checkKey,
  type CheckJournal,
  type CheckRecord,
  type CheckTask,
  type TaskKeeper,
} from '../explore/check-journal.ts';
import { inputError, type InputError } from '../scenario/input-error.ts';
import { makeFolder } from './make-folder.ts';
import { readSearch, removeSearch, writeSearch } from './search-file.ts';

/**
 * A folder in which a verification keeps the checks it has made, so that one that was killed goes on
 * where it was. One file, `checks.jsonl`:
 *
 *     {"format":1,"program":DIGEST}
 *     {"key":DIGEST OF TASK AND CANDIDATE,"record":{...}}        one line per check, in the order made
 *
 * A line is written as soon as its check is made. A last line that was cut off is dropped. For a check
 * in the making there is `search-KEY.bin` (search-file.ts) once it has taken a while, written anew
 * every so often: a killed run loses what was done since. The program is the text of all its
 * modules, and the candidate, where it is the user's, the text of its module: what another program
 * found is not taken over.
 */
const FORMAT = 1;
const FILE = 'checks.jsonl';

/** Milliseconds between two snapshots of a search, when nothing else is said. */
export const SNAPSHOT_EVERY = 15_000;

/** What a checkpoint is of; plain data. */
export interface CheckpointOf {
  readonly folder: string;
  /** The candidate: its id, or the path of its module and the text there. */
  readonly source: string;
  readonly moduleText: string | null;
  /** Milliseconds between two snapshots of a search. */
  readonly every: number;
}

/** What a checkpoint needs of the world. */
export interface CheckpointUse extends CheckpointOf {
  readonly now: () => number;
  /** Whether the time is over: then a search is kept as far as it came. */
  readonly expired: () => boolean;
  /** For a sentence to the user. */
  readonly note: (sentence: string) => void;
}

/** Opens a checkpoint for a candidate. */
export function openCheckpoint(use: CheckpointUse): CheckJournal | InputError {
  const { folder } = use;
  const path = join(folder, FILE);
  const program = programDigest();
  const known = new Map<string, CheckRecord>();
  try {
    makeFolder(folder);
    const lines = linesOf(path);
    if (lines === null) writeFileSync(path, `${JSON.stringify({ format: FORMAT, program })}\n`);
    else if (isHeader(parsed(lines[0]), program)) {
      for (const line of lines.slice(1)) {
        const entry = parsed(line);
        if (isEntry(entry)) known.set(entry.key, entry.record);
      }
      // So that the next line does not continue one that was cut off.
      if ((lines.at(-1) ?? '') !== '') appendFileSync(path, '\n');
    } else {
      return inputError(
        'checkpoint-other',
        `The checkpoint in "${folder}" was written by another version of tlbgate: give another folder, or remove it to begin anew.`,
      );
    }
  } catch {
    return inputError(
      'checkpoint-unwritable',
      `The folder "${folder}" cannot be used for a checkpoint: check that it may be written.`,
    );
  }
  return {
    recall: (task) => known.get(keyOf(use, task)) ?? null,
    record(task, record) {
      const key = keyOf(use, task);
      known.set(key, record);
      appendFileSync(path, `${JSON.stringify({ key, record })}\n`);
      removeSearch(searchPath(use, key));
    },
    keeper: (task) => openKeeper(use, task),
  };
}

function keyOf({ source, moduleText }: CheckpointOf, task: CheckTask): string {
  return digest([source, moduleText ?? '', checkKey(task)]);
}

function searchPath({ folder }: CheckpointOf, key: string): string {
  return join(folder, `search-${key.slice(0, 32)}.bin`);
}

/** Keeps one check in a file of its own, in the folder of a checkpoint that has been opened. */
export function openKeeper(use: CheckpointUse, task: CheckTask): TaskKeeper {
  const { every, now, expired, note } = use;
  const key = keyOf(use, task);
  const path = searchPath(use, key);
  const of = { program: programDigest(), key };
  const found = readSearch(path, of);
  const anew = `The search kept in "${path}" is damaged or of another check: that search is made from its beginning.`;
  if (found === 'damaged') note(anew);
  let last = now();
  /** What cannot be written is said once. */
  let isWritable = true;
  return {
    from: found === 'damaged' ? null : found,
    isForeign: () => note(anew),
    offer(snapshot) {
      const before = now();
      if (!isWritable || (before - last < every && !expired())) return;
      try {
        writeSearch(path, of, snapshot());
      } catch {
        isWritable = false;
        note(`The search cannot be kept in "${path}": a run that is killed now begins it anew.`);
      }
      last = now();
    },
  };
}

function linesOf(path: string): readonly string[] | null {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch {
    return null;
  }
}

function parsed(line: string | undefined): unknown {
  try {
    return JSON.parse(line ?? '') as unknown;
  } catch {
    return null;
  }
}

function isHeader(value: unknown, program: string): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return (
    'format' in value && value.format === FORMAT && 'program' in value && value.program === program
  );
}

function isEntry(value: unknown): value is { readonly key: string; readonly record: CheckRecord } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'key' in value &&
    typeof value.key === 'string' &&
    'record' in value &&
    typeof value.record === 'object' &&
    value.record !== null &&
    'outcomes' in value.record &&
    'read' in value.record
  );
}

let programIs: string | null = null;

/** The text of all modules of this program. */
function programDigest(): string {
  programIs ??= digestOfModules();
  return programIs;
}

function digestOfModules(): string {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.[jt]s$/.test(file) && !file.endsWith('.d.ts'))
    .sort();
  return digest(files.flatMap((file) => [file, readFileSync(join(root, file), 'utf8')]));
}

function digest(parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest('hex');
}
