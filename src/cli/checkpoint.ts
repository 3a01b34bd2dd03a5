import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkKey, type CheckJournal, type CheckRecord } from '../explore/check-journal.ts';
import { inputError, type InputError } from '../scenario/input-error.ts';

/**
 * A folder in which a verification keeps the checks it has made, so that one that was killed goes on
 * where it was. One file, `checks.jsonl`:
 *
 *     {"format":1,"program":DIGEST}
 *     {"key":DIGEST OF TASK AND CANDIDATE,"record":{...}}        one line per check, in the order made
 *
 * A line is written as soon as its check is made, so a killed run loses the check it was at: at most
 * one search of the greatest size. A last line that was cut off is dropped. The program is the text of all its
 * modules, and the candidate, where it is the user's, the text of its module: what another program
 * found is not taken over.
 */
const FORMAT = 1;
const FILE = 'checks.jsonl';

/** Opens a checkpoint for a candidate: `source` is its id or the path of its module. */
export function openCheckpoint(
  folder: string,
  source: string,
  moduleText: string | null,
): CheckJournal | InputError {
  const path = join(folder, FILE);
  const program = programDigest();
  const known = new Map<string, CheckRecord>();
  try {
    mkdirSync(folder, { recursive: true });
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
  const keyOf = (task: string): string => digest([source, moduleText ?? '', task]);
  return {
    recall: (task) => known.get(keyOf(checkKey(task))) ?? null,
    record(task, record) {
      const key = keyOf(checkKey(task));
      known.set(key, record);
      appendFileSync(path, `${JSON.stringify({ key, record })}\n`);
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

/** The text of all modules of this program. */
function programDigest(): string {
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
