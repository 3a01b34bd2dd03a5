import { spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_FEATURES } from '../../src/arm64/features.ts';
import { openCheckpoint } from '../../src/cli/checkpoint.ts';
import type { CheckRecord, CheckTask, TaskSnapshot } from '../../src/explore/check-journal.ts';
import { NO_BOUNDS_MET } from '../../src/machine/bounds-met.ts';
import { writeScenario } from '../../src/scenario/codec.ts';
import { isInputError } from '../../src/scenario/input-error.ts';
import { defaultScenario, type Scenario } from '../../src/scenario/scenario.ts';

const MAIN = resolve('dist/cli/main.js');
const ID = 'unmap-stage2-range/without-leaf-flush';
const TASK: CheckTask = {
  scenario: defaultScenario(ID, DEFAULT_FEATURES),
  rules: ['progress'],
  states: 10,
};
const RECORD: CheckRecord = {
  outcomes: [{ rule: 'progress', verdict: 'verified', message: null }],
  states: 3,
  cut: false,
  boundsMet: NO_BOUNDS_MET,
  read: ['fwb'],
};

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tlbgate-checkpoint-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What was said to the user. */
let notes: string[] = [];

function use(source: string, moduleText: string | null, into = folder) {
  const note = (sentence: string): void => void notes.push(sentence);
  return openCheckpoint({
    folder: into,
    source,
    moduleText,
    every: 0,
    now: () => 0,
    expired: () => false,
    note,
  });
}

function open(source = ID, text: string | null = null) {
  notes = [];
  const journal = use(source, text);
  if (isInputError(journal)) throw new Error(journal.message);
  return journal;
}

describe('a checkpoint', () => {
  test('remembers the checks of one candidate, and none of another or of another text', () => {
    open().record(TASK, RECORD);
    expect(open().recall(TASK)).toEqual(RECORD);
    expect(open().recall({ ...TASK, states: 11 })).toBeNull();
    expect(open('other').recall(TASK)).toBeNull();
    expect(open(ID, 'export {}').recall(TASK)).toBeNull();
  });

  test('drops a line that was cut off, and goes on after it', () => {
    open().record(TASK, RECORD);
    appendFileSync(join(folder, 'checks.jsonl'), '{"key":"abc","rec');
    const again = open();
    expect(again.recall(TASK)).toEqual(RECORD);
    again.record({ ...TASK, states: 12 }, RECORD);
    expect(open().recall({ ...TASK, states: 12 })).toEqual(RECORD);
  });

  test('of another program is refused and left as it is', () => {
    const path = join(folder, 'checks.jsonl');
    const text = '{"format":1,"program":"something else"}\n';
    writeFileSync(path, text);
    const refused = use(ID, null);
    expect(isInputError(refused) && refused.code).toBe('checkpoint-other');
    expect(readFileSync(path, 'utf8')).toBe(text);
  });
});

/** Tens of thousands of states. */
const LONG: Partial<Scenario> = {
  pages: 4,
  layout: 'across',
  guest: { kind: 'general', kinds: ['write'] },
};

const SNAPSHOT: TaskSnapshot = {
  refuted: [],
  states: 0,
  read: ['fwb'],
  tables: [1],
  ids: new Int32Array(0),
  search: {
    place: { explored: 0, depth: 0, lastOfDepth: 0 },
    transitions: 0,
    states: { count: 1, parents: Int32Array.of(-1), sequences: [Int32Array.of(7)] },
  },
};

describe('a check in the making', () => {
  const searches = (): readonly string[] =>
    readdirSync(folder).filter((name) => name.startsWith('search-'));

  test('is kept until it is made, for its task alone', () => {
    open()
      .keeper?.(TASK)
      ?.offer(() => SNAPSHOT);
    expect(searches()).toHaveLength(1);
    expect(open().keeper?.(TASK)?.from).toEqual(SNAPSHOT);
    expect(open().keeper?.({ ...TASK, states: 11 })?.from).toBeNull();
    expect(open(ID, 'export {}').keeper?.(TASK)?.from).toBeNull();
    open().record(TASK, RECORD);
    expect(searches()).toEqual([]);
    expect(notes).toEqual([]);
  });

  test('that is damaged is begun anew, and that is said', () => {
    open()
      .keeper?.(TASK)
      ?.offer(() => SNAPSHOT);
    truncateSync(join(folder, searches()[0] ?? ''), 300);
    expect(open().keeper?.(TASK)?.from).toBeNull();
    expect(notes.join()).toMatch(/^The search kept in ".*" is damaged or of another check/);
  });
});

test.skipIf(!existsSync('/proc/self'))('a folder that cannot be made is one sentence', () => {
  const refused = use(ID, null, '/proc/tlbgate/checkpoint');
  expect(isInputError(refused) && refused.code).toBe('checkpoint-unwritable');
});

describe.skipIf(!existsSync(MAIN))('verify', () => {
  const args = [MAIN, 'verify', ID, '--json', '--feature', 'fwb=off'];

  test('says the same on two threads, and after it was killed', { timeout: 120_000 }, async () => {
    const plain = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(plain.status).toBe(1);
    const twice = spawnSync(process.execPath, [...args, '--jobs', '2'], { encoding: 'utf8' });
    expect([twice.status, twice.stdout]).toEqual([1, plain.stdout]);

    const kept = [...args, '--checkpoint', folder];
    const lines = (): number => {
      try {
        return readFileSync(join(folder, 'checks.jsonl'), 'utf8').split('\n').length - 1;
      } catch {
        return 0;
      }
    };
    const killed = spawn(process.execPath, kept, { stdio: 'ignore' });
    const ended = new Promise((done) => killed.on('exit', done));
    while (lines() < 3 && killed.exitCode === null) await new Promise((go) => setTimeout(go, 5));
    killed.kill('SIGKILL');
    await ended;
    expect(lines()).toBeGreaterThanOrEqual(3);
    const resumed = spawnSync(process.execPath, kept, { encoding: 'utf8' });
    expect([resumed.status, resumed.stdout]).toEqual([1, plain.stdout]);
  });

  test.each([
    [1, 3],
    [2, 1],
  ])(
    'goes on in the middle of a search after SIGKILL: %i threads, killed %i times',
    { timeout: 120_000 },
    async (threads, times) => {
      // Two threads share a search when it is long.
      const file = scenarioFile(threads === 1 ? { pages: 2 } : LONG);
      const search = [MAIN, 'verify', file, '--json', '--jobs', `${threads}`];
      const plain = spawnSync(process.execPath, search, { encoding: 'utf8' });
      expect(plain.status).toBe(0);
      const kept = [...search, '--checkpoint', folder];
      let last = '';
      let kills = 0;
      for (; kills < times; kills += 1) {
        const run = spawn(process.execPath, [...kept, '--checkpoint-every', '0.01'], {
          stdio: 'ignore',
        });
        const ended = new Promise((done) => run.on('exit', done));
        while (run.exitCode === null && [last, ''].includes(snapshotSeen(threads))) {
          await new Promise((go) => setTimeout(go, 2));
        }
        run.kill('SIGKILL');
        await ended;
        if (snapshotSeen(threads) === '') break;
        last = snapshotSeen(threads);
      }
      expect(kills).toBeGreaterThan(0);
      const resumed = spawnSync(process.execPath, kept, { encoding: 'utf8' });
      expect([resumed.status, resumed.stdout, resumed.stderr]).toEqual([0, plain.stdout, '']);
      expect(readdirSync(folder).filter((name) => name.startsWith('search-'))).toEqual([]);
    },
  );

  /** The snapshot that is in the folder, by its first line; of two threads, one that they have made together. */
  function snapshotSeen(threads: number): string {
    const name = readdirSync(folder).find((file) => /^search-.*\.bin$/.test(file));
    if (name === undefined) return '';
    const [line = ''] = readFileSync(join(folder, name), 'latin1').split('\n', 1);
    return threads === 1 || line.includes('"together":true') ? line : '';
  }

  function scenarioFile(change: Partial<Scenario>): string {
    const path = join(folder, 'a.scenario.json');
    const id = 'unmap-stage2-range/deferred-range-flush';
    const scenario = defaultScenario(id, { ...DEFAULT_FEATURES, fwb: true });
    writeFileSync(path, writeScenario({ ...scenario, vcpus: 2, ...change }));
    return path;
  }
});
