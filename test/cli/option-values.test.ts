import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tlbgate } from './run.ts';

const VERIFY = ['verify', 'unmap-stage2-range/per-page-flush'];
const MAIN = new URL('../../dist/cli/main.js', import.meta.url).pathname;

describe('a value that would be dropped or found wrong too late is bad input at once', () => {
  test.each([
    [['--rule', 'right-vmid', '--rule', 'progress'], 'error: --rule is given twice.'],
    [['--budget', '1', '--budget', '2'], 'error: --budget is given twice.'],
    [
      ['--feature', 'fwb=on', '--feature', 'fwb=off'],
      'error: --feature: a machine cannot have both fwb=on and fwb=off.',
    ],
    [
      ['--guest', 'w0;r0', '--vcpus', '1'],
      'error: --vcpus cannot be 1: --guest lists 2, one for each ";"-separated part, so leave --vcpus out.',
    ],
    [
      ['--pages', '99999999999999999999'],
      "error: option '--pages <n>' argument '99999999999999999999' is invalid. It must be a whole number, from 1 to 9007199254740991.",
    ],
    [
      ['--budget', '0x2'],
      "error: option '--budget <seconds>' argument '0x2' is invalid. It must be a number of seconds above 0.",
    ],
    [
      ['--out', ''],
      "error: option '--out <dir>' argument '' is invalid. It must be a folder that can be made and written to.",
    ],
  ])('%j', async (args, sentence) => {
    expect(await tlbgate([...VERIFY, ...args])).toMatchObject({
      code: 2,
      out: '',
      err: `${sentence}\n`,
    });
  });

  test('a number of threads that the machine cannot have', async () => {
    const { code, err } = await tlbgate([...VERIFY, '--jobs', '1000000']);
    expect(code).toBe(2);
    expect(err).toMatch(
      /argument '1000000' is invalid. It must be a whole number, from 1 to \d+\.\n$/,
    );
  });

  test('--out below a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tlbgate-'));
    try {
      writeFileSync(join(folder, 'file'), '');
      for (const out of ['file', 'file/x']) {
        const { code, err } = await tlbgate([...VERIFY, '--out', join(folder, out)]);
        expect({ code, err }).toMatchObject({
          code: 2,
          err: expect.stringContaining('It must be a folder that can be made and written to.'),
        });
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('help for a command that there is not', async () => {
    expect(await tlbgate(['help', 'bogus'])).toMatchObject({
      code: 2,
      err: "error: unknown command 'bogus': see `tlbgate help`.\n",
    });
  });
});

test.skipIf(!existsSync('/dev/full'))('a full disk behind standard output is no verdict', () => {
  const { status, stderr } = spawnSync(
    'sh',
    ['-c', `"${process.execPath}" "${MAIN}" list > /dev/full`],
    {
      encoding: 'utf8',
    },
  );
  expect(status).toBe(2);
  expect(stderr).toMatch(/^error: standard output cannot be written: ENOSPC.*\n$/);
});
