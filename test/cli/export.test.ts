import { describe, expect, it } from 'vitest';
import { tlbgate } from './run.ts';

/** A replay of no steps: enough to read, and nothing to export. */
const REPLAY = JSON.stringify({
  format: 1,
  kind: 'replay',
  rule: null,
  scenario: { format: 1, candidate: 'unmap-stage2-range/per-page-flush' },
  labels: [],
});

describe('tlbgate export', () => {
  it.each([
    ['herd', /^r\.json cannot be written as a test of herd: only accesses through a removed/],
    ['isla', /^r\.json cannot be written as a test of isla: only accesses through a removed/],
  ])('says what %s cannot express', async (format, sentence) => {
    const { code, out, err } = await tlbgate(['export', 'r.json', '--format', format], {
      'r.json': REPLAY,
    });
    expect(code).toBe(3);
    expect(out).toBe('');
    expect(err).toMatch(sentence);
  });

  it.each([
    [['export', 'r.json', '--format', 'cat'], '--format must be "herd" or "isla"'],
    [['export', 'r.json'], '--format'],
    [['export', 'none.json', '--format', 'isla'], 'cannot be read'],
  ])('complains about %j', async (args, words) => {
    const { code, err } = await tlbgate(args, { 'r.json': REPLAY });
    expect(code).toBe(2);
    expect(err).toContain(words);
  });
});
