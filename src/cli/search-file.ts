import { createHash } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { TaskSnapshot } from '../explore/check-journal.ts';
import type { Features } from '../arm64/features.ts';
import { PARTIAL } from './corpus-io.ts';

/**
 * A file with a check in the middle of a search: a line of JSON (the digest of all the rest, and a
 * `Head`), then integers of 32 bits: the ids given, the parents of the states, the states.
 */
interface Head {
  readonly format: number;
  readonly program: string;
  readonly key: string;
  readonly refuted: TaskSnapshot['refuted'];
  readonly statesBefore: number;
  readonly read: readonly string[];
  readonly tables: readonly number[];
  readonly place: TaskSnapshot['search']['place'];
  readonly transitions: number;
  readonly together: boolean;
  readonly ids: number;
  readonly states: number;
}

const FORMAT = 1;

/** What a file is bound to. */
export interface SearchFileOf {
  readonly program: string;
  readonly key: string;
}

/** Writes a snapshot: whoever looks, now or after a crash, finds the old file or the new one, whole. */
export function writeSearch(path: string, of: SearchFileOf, snapshot: TaskSnapshot): void {
  const { refuted, read, tables, ids, states, search } = snapshot;
  const { place, transitions, together } = search;
  const { count, parents, sequences } = search.states;
  const parts = [ids, parents, ...sequences].map(bytesOf);
  const head: Head = {
    format: FORMAT,
    ...of,
    refuted,
    statesBefore: states,
    read,
    tables,
    place,
    transitions,
    together: together === true,
    ids: ids.length,
    states: count,
  };
  const partial = `${path}${PARTIAL}`;
  const file = openSync(partial, 'w');
  try {
    writeFileSync(file, `${JSON.stringify([digestOf(head, parts), head])}\n`);
    for (const part of parts) writeFileSync(file, part);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(partial, path);
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Reads it: null where there is none, `damaged` where it is not as it was written. */
export function readSearch(path: string, of: SearchFileOf): TaskSnapshot | 'damaged' | null {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch {
    return null;
  }
  const end = bytes.indexOf('\n');
  const [digest, head] = lineOf(bytes.toString('utf8', 0, Math.max(0, end)));
  const body = bytes.subarray(end + 1);
  if (head === undefined || digest !== digestOf(head, [body]) || head.format !== FORMAT) {
    return 'damaged';
  }
  if (head.program !== of.program || head.key !== of.key) return 'damaged';
  const ints = new Int32Array(body.length >> 2);
  new Uint8Array(ints.buffer).set(body.subarray(0, ints.byteLength));
  const parents = head.ids + head.states;
  const { refuted, tables, place, transitions, together } = head;
  return {
    refuted,
    tables,
    states: head.statesBefore,
    read: head.read as (keyof Features)[],
    ids: ints.subarray(0, head.ids),
    search: {
      place,
      transitions,
      ...(together ? { together } : {}),
      states: {
        count: head.states,
        parents: ints.subarray(head.ids, parents),
        sequences: [ints.subarray(parents)],
      },
    },
  };
}

/** Removes it, and what is left of one that was not finished. */
export function removeSearch(path: string): void {
  rmSync(path, { force: true });
  rmSync(`${path}${PARTIAL}`, { force: true });
}

function bytesOf({ buffer, byteOffset, byteLength }: Int32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function digestOf(head: Head, parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256').update(JSON.stringify(head));
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

/** Digest and head, or nothing. The digest vouches for the form of the head. */
function lineOf(text: string): readonly [string, Head] | readonly [] {
  try {
    const line = JSON.parse(text) as unknown;
    const isLine = Array.isArray(line) && typeof line[1] === 'object' && line[1] !== null;
    return isLine ? (line as [string, Head]) : [];
  } catch {
    return [];
  }
}
