import { expect, test } from 'vitest';
import { DEFAULT_FEATURES } from '../../src/arm64/features.ts';
import type { Io } from '../../src/cli/io.ts';
import { progressLine } from '../../src/cli/progress.ts';

function world(errIsTerminal: boolean) {
  const all = { now: 0, shown: '' };
  const io: Io = {
    out: () => undefined,
    err: (text) => (all.shown += text),
    outIsTerminal: errIsTerminal,
    errIsTerminal,
    columns: 200,
    noColor: true,
    now: () => all.now,
    read: () => null,
    write: () => false,
  };
  return { all, io };
}

const SEARCH = { states: 512, transitions: 600, depth: 4, bytes: 1 };

test('without a terminal nothing is shown, or a line now and then where it is asked for', () => {
  for (const asked of [false, true]) {
    const { all, io } = world(false);
    const line = progressLine(io, asked);
    for (; all.now < 12_000; all.now += 100) line.search({ ...SEARCH, states: all.now * 100 });
    line.clear();
    const lines = all.shown.split('\n');
    expect(lines).toHaveLength(asked ? 4 : 1);
    if (asked) expect(lines[1]).toBe('600k states, 100k/s, depth 4, 0 MB');
  }
});

test('what a search had when it went on does not count for its rate', () => {
  const { all, io } = world(true);
  const line = progressLine(io);
  line.search({ ...SEARCH, states: 1_000_000 });
  all.now = 2000;
  line.search({ ...SEARCH, states: 1_100_000 });
  expect(all.shown).toContain('1100k states, 50k/s');
});

test('the progress line: quiet at first, then states, rate, depth, memory, and wiped in the end', () => {
  const { all, io } = world(true);
  const line = progressLine(io);
  const scenario = 'two vCPUs';
  line.show({ features: DEFAULT_FEATURES, scenario, machinesDone: 1, machines: 12 });
  line.search(SEARCH);
  expect(all.shown).toBe('');
  all.now = 2000;
  line.search({ states: 300_000, transitions: 600_000, depth: 88, bytes: 24_000_000 });
  expect(all.shown).toContain('300k states, 150k/s, depth 88, 24 MB: machine 2 of 12');
  all.now = 2100;
  all.shown = '';
  line.search({ states: 400_000, transitions: 800_000, depth: 90, bytes: 30_000_000 });
  expect(all.shown).toBe('');
  line.clear();
  expect(all.shown).toBe('\r\u001b[2K');
});
