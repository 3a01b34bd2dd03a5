import { createHash } from 'node:crypto';
import {
  EMPTY_CORPUS,
  findingOf,
  progressOf,
  uniteCorpora,
  type Corpus,
} from '../explore/campaign/corpus.ts';
import {
  readEntry,
  readProgress,
  writeEntry,
  writeProgress,
  type Progress,
} from '../explore/campaign/entry-file.ts';
import { entryKey, type Entry } from '../explore/campaign/entry.ts';
import { inputError, isInputError, type InputError } from '../scenario/input-error.ts';
import { readReplay, writeReplay, type Replay } from '../scenario/replay-file.ts';
import type { CorpusIo } from './corpus-io.ts';
import { PARTIAL } from './corpus-io.ts';

/**
 * A corpus on disk. One file for each thing, named by what it stands for, each written whole or not at
 * all: so there is no moment at which a process that is killed leaves a corpus that cannot be read.
 *
 *   entries/    inputs that got into something new
 *   found/      runs that broke a rule, as they were found
 *   findings/   the same made small, by the same names
 *   progress/   how many runs each shard of each seed has done
 */
const FOLDERS = {
  entries: 'entries',
  found: 'found',
  findings: 'findings',
  progress: 'progress',
} as const;

/** A corpus as it was read, and a sentence for each file that was left out. */
export interface LoadedCorpus {
  readonly corpus: Corpus;
  readonly skipped: readonly string[];
}

/** True for a folder that is empty or has something of a corpus in it. */
export function mayBeCorpus(directory: string, io: CorpusIo): boolean {
  const names = io.list(directory);
  return (
    names !== null && (names.length === 0 || names.some((name) => Object.hasOwn(FOLDERS, name)))
  );
}

/** Reads what there is; a folder that is not there is an empty corpus. */
export function loadCorpus(directory: string, io: CorpusIo): LoadedCorpus {
  const skipped: string[] = [];

  function read<Value>(
    folder: keyof typeof FOLDERS,
    parse: (text: string, where: string) => Value | InputError,
    keyOf: (value: Value) => string,
  ): ReadonlyMap<string, Value> {
    const path = `${directory}/${FOLDERS[folder]}`;
    const values: (readonly [string, Value])[] = [];
    for (const name of io.list(path) ?? []) {
      if (name.endsWith(PARTIAL)) continue;
      const where = `${path}/${name}`;
      const text = io.read(where);
      const value = text === null ? unreadable(where) : parse(text, where);
      if (isInputError(value)) skipped.push(value.message);
      else values.push([keyOf(value), value]);
    }
    return new Map(values.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  const progress = read('progress', readProgress, ({ seed, shard }) => progressOf(seed, shard));
  const corpus: Corpus = {
    entries: read('entries', readEntry, entryKey),
    found: read('found', readReplay, findingOf),
    findings: read('findings', readReplay, findingOf),
    progress: new Map([...progress].map(([key, { runs }]) => [key, runs])),
  };
  return { corpus, skipped };
}

/** Keeps an entry. */
export function saveEntry(directory: string, entry: Entry, io: CorpusIo): InputError | null {
  return save(`${directory}/${FOLDERS.entries}`, entryName(entry), writeEntry(entry), io);
}

/** Keeps a run that broke a rule, as it was found or made small. */
export function saveFinding(
  directory: string,
  folder: 'found' | 'findings',
  finding: Replay,
  io: CorpusIo,
): InputError | null {
  return save(`${directory}/${FOLDERS[folder]}`, findingName(finding), writeReplay(finding), io);
}

/** Keeps how far a shard has come. */
export function saveProgress(
  directory: string,
  progress: Progress,
  io: CorpusIo,
): InputError | null {
  const name = `${progress.seed}-${progress.shard.replace('/', 'of')}.json`;
  return save(`${directory}/${FOLDERS.progress}`, name, writeProgress(progress), io);
}

/** Where the replay file of a finding is, made small or else as it was found. */
export function findingPath(
  directory: string,
  folder: 'found' | 'findings',
  finding: Replay,
): string {
  return `${directory}/${FOLDERS[folder]}/${findingName(finding)}`;
}

/**
 * Makes a folder hold a corpus that is at least what it holds. Findings come first and what is needless
 * goes last: a merge that is killed leaves a corpus that has everything the folder had.
 */
export function storeCorpus(
  directory: string,
  before: Corpus,
  { entries, found, findings, progress }: Corpus,
  io: CorpusIo,
): InputError | null {
  for (const [folder, replays, old] of [
    ['found', found, before.found],
    ['findings', findings, before.findings],
  ] as const) {
    for (const [key, finding] of replays) {
      if (old.get(key) === finding) continue;
      const problem = saveFinding(directory, folder, finding, io);
      if (problem !== null) return problem;
    }
  }
  for (const [key, entry] of entries) {
    if (before.entries.get(key) === entry) continue;
    const problem = saveEntry(directory, entry, io);
    if (problem !== null) return problem;
  }
  for (const [key, runs] of progress) {
    if (before.progress.get(key) === runs) continue;
    const [seed = '', shard = ''] = key.split(' ');
    const problem = saveProgress(directory, { seed: Number(seed), shard, runs }, io);
    if (problem !== null) return problem;
  }
  for (const [key, entry] of before.entries) {
    if (!entries.has(key)) io.remove(`${directory}/${FOLDERS.entries}`, entryName(entry));
  }
  return null;
}

/** The union of corpora, with no more than is needed. */
export function uniteAll(corpora: readonly Corpus[]): Corpus {
  return corpora.reduce(uniteCorpora, EMPTY_CORPUS);
}

function save(folder: string, name: string, text: string, io: CorpusIo): InputError | null {
  return io.replace(folder, name, text)
    ? null
    : inputError(
        'file-unwritable',
        `The file "${folder}/${name}" cannot be written: check that the folder can be made and written to, and that the disk is not full.`,
      );
}

function unreadable(path: string): InputError {
  return inputError('file-unreadable', `${path} cannot be read: check that you may read it.`);
}

function entryName(entry: Entry): string {
  return `${digest(entryKey(entry), 16)}.json`;
}

function findingName(finding: Replay): string {
  const candidate = finding.scenario.candidate.replaceAll(/[^\w.-]+/g, '-').slice(-60);
  return `${finding.rule ?? 'none'}--${candidate}-${digest(findingOf(finding), 8)}.replay.json`;
}

function digest(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length);
}
