import { spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_FEATURES } from '../../src/arm64/features.ts';
import { openCheckpoint } from '../../src/cli/checkpoint.ts';
import type { CheckRecord, CheckTask } from '../../src/explore/check-journal.ts';
import { isInputError } from '../../src/scenario/input-error.ts';
import { defaultScenario } from '../../src/scenario/scenario.ts';

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
  read: ['fwb'],
};

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tlbgate-checkpoint-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function open(source = ID, text: string | null = null) {
  const journal = openCheckpoint(folder, source, text);
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
    const refused = openCheckpoint(folder, ID, null);
    expect(isInputError(refused) && refused.code).toBe('checkpoint-other');
    expect(readFileSync(path, 'utf8')).toBe(text);
  });
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
});
