import { describe, expect, test } from 'vitest';
import { readSmallPgtable } from '../scenario/small-pgtable/tree.ts';
import { type Ran, tlbgateReading } from './run.ts';

/** A scenario of the user's around the text of `host()`. */
function scenario(host: string): string {
  return `/*
 * name: mine
 * why: a test
 * profile: kvm-pgtable
 */
void setup(void)
{
	map(0x40000000UL, 0x80000000UL, PAGE_SIZE, READ_WRITE);
	guest_page(0x40000000UL, 0x80000000UL);
}

void host(void)
{
${host}}
`;
}

const UNMAP = `	operation_begins("unmap");
	unmap_range(0x40000000UL, PAGE_SIZE);
	operation_returns("unmap", 0x40000000UL, PAGE_SIZE);
`;

/** Runs `tree` with a scenario file on a small tree of the pgtable family. */
function onOwn(text: string, options: readonly string[] = []): Promise<Ran> {
  const args = ['tree', '--tree', 'tree', '--scenario', 'mine.c'];
  const machine = ['vhe=on', 'fwb=off', 'tlbi-range=off'].flatMap((word) => ['--feature', word]);
  return tlbgateReading([...args, ...machine, ...options], (path) => {
    if (path === 'mine.c') return text;
    return path.startsWith('tree/') ? readSmallPgtable(path.slice('tree/'.length)) : null;
  });
}

describe('--scenario file.c', () => {
  test('is the only scenario that is run', async () => {
    const { code, out } = await onOwn(scenario(UNMAP));
    expect(out).toMatch(/ scenarios\n {3}ok mine\n/);
    expect(code).toBe(0);
  });

  test('a name that the tree does not know, at the very beginning or later', async () => {
    for (const text of [`\tnobody_knows(1);\n${UNMAP}`, `${UNMAP}\tnobody_knows(1);\n`]) {
      const { code, out } = await onOwn(scenario(text));
      expect(out).toMatch(/ stopped {3}mine\.c:\d+: "?nobody_knows/);
      expect(code).toBe(3);
    }
  });

  test('says whether the instructions in flight were a bound', async () => {
    for (const window of [31, 1]) {
      const text = scenario(UNMAP).replace('why:', `window: ${window}\n * why:`);
      const { out } = await onOwn(text, ['--json']);
      expect(JSON.parse(out)).toMatchObject({
        bounds: { windowReached: window === 1, outstandingTlbisReached: false },
      });
      const told = (await onOwn(text)).out;
      expect(told).toContain(`reached: ${window} instructions in flight`);
      expect(told.includes('not reached: 31')).toBe(window === 31);
    }
  });

  test('with the name of another is an error, for one of the two would not be run', async () => {
    const name = 'unmap two pages of one table that is freed';
    const { code, out, err } = await onOwn(scenario(UNMAP).replace('mine', name));
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(`mine.c:1: there is a scenario with the name "${name}" already`);
  });

  test('what is no C, or no scenario file, is one sentence', async () => {
    for (const [text, sentence] of [
      [scenario('\tif (\n'), /^error: mine\.c:\d+: /],
      ['void host(void) {}', /^error: mine\.c:1: a scenario file begins with a comment/],
    ] as const) {
      const { code, out, err } = await onOwn(text);
      expect(err).toMatch(sentence);
      expect(err.trim().split('\n')).toHaveLength(1);
      expect([code, out]).toEqual([2, '']);
    }
  });
});
