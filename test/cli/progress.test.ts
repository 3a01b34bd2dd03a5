import { expect, test } from 'vitest';
import { DEFAULT_FEATURES } from '../../src/arm64/features.ts';
import type { Io } from '../../src/cli/io.ts';
import { progressLine } from '../../src/cli/progress.ts';

test('the progress line: quiet at first, then states, rate, depth, memory, and wiped in the end', () => {
  let now = 0;
  let shown = '';
  const io: Io = {
    out: () => undefined,
    err: (text) => (shown += text),
    outIsTerminal: true,
    errIsTerminal: true,
    columns: 200,
    noColor: true,
    now: () => now,
    read: () => null,
    write: () => false,
  };
  const line = progressLine(io);
  const scenario = 'two vCPUs';
  line.show({ features: DEFAULT_FEATURES, scenario, machinesDone: 1, machines: 12 });
  line.search({ states: 512, transitions: 600, depth: 4, bytes: 1 });
  expect(shown).toBe('');
  now = 2000;
  line.search({ states: 300_000, transitions: 600_000, depth: 88, bytes: 24_000_000 });
  expect(shown).toContain('300k states, 150k/s, depth 88, 24 MB: machine 2 of 12');
  now = 2100;
  shown = '';
  line.search({ states: 400_000, transitions: 800_000, depth: 90, bytes: 30_000_000 });
  expect(shown).toBe('');
  line.clear();
  expect(shown).toBe('\r\u001b[2K');
});
