import { describe, expect, test } from 'vitest';
import { fuzzCommand, type FuzzOptions } from '../../src/cli/commands/fuzz.ts';
import { fuzzMergeCommand } from '../../src/cli/commands/fuzz-merge.ts';
import { loadCorpus } from '../../src/cli/corpus-folder.ts';
import { nextRun } from '../../src/explore/campaign/corpus.ts';
import { isInputError } from '../../src/scenario/input-error.ts';
import { Killed, memoryCorpus, type Disk } from './memory-corpus.ts';
import { tlbgate } from './run.ts';

const SEED = 'unmap-stage2-range/deferred-range-flush';
const BASELINE = 'unmap-stage2-range/per-page-flush';

const options = (change: Partial<FuzzOptions> = {}): FuzzOptions => ({
  feature: [],
  runs: 20,
  seed: 3,
  corpus: 'c',
  shard: { index: 1, count: 1 },
  ...change,
});

/** A session; null when it was killed. */
async function session(
  disk: Disk,
  change: Partial<FuzzOptions> = {},
  killAt?: number,
  names: readonly string[] = [SEED],
): Promise<{ readonly code: number; readonly out: string; readonly err: string } | null> {
  const io = memoryCorpus(disk, killAt);
  try {
    const code = await fuzzCommand(names, options(change), io);
    if (isInputError(code)) throw new Error(code.message);
    return { code, ...io.written() };
  } catch (problem) {
    if (problem instanceof Killed) return null;
    throw problem;
  }
}

/** Without what nobody reads. */
function whole(disk: Disk): readonly (readonly [string, string])[] {
  return [...disk]
    .filter(([path]) => !path.endsWith('.partial'))
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

describe('a session that is killed', () => {
  const RUNS = 24;
  const change = { runs: RUNS, seed: 1, feature: ['fwb=off'] };

  test('with files that are written in place: the check below does notice', async () => {
    const noticed: number[] = [];
    for (let killAt = 0; killAt < 6; killAt += 1) {
      const disk: Disk = new Map();
      await session(disk, change, killAt);
      // The unfinished file, by the name it was to have.
      for (const [path, text] of disk) {
        if (!path.endsWith('.partial')) continue;
        disk.delete(path);
        disk.set(path.replace('.1.partial', ''), text.slice(0, text.length >> 1));
      }
      noticed.push(loadCorpus('c', memoryCorpus(disk)).skipped.length);
    }
    expect(noticed).toEqual([1, 1, 1, 1, 1, 1]);
  });

  test('at any of its writes: nothing found is lost, nothing is corrupt, and the rest is as it would have been', async () => {
    // What is found by when changes with the library: the first seed that finds something will do.
    let calm: Disk = new Map();
    let seed = 0;
    for (let code: number | undefined = 0; code !== 1 && seed < 20;) {
      seed += 1;
      calm = new Map();
      code = (await session(calm, { ...change, seed }))?.code;
    }
    const killed = { ...change, seed };
    const writes = whole(calm).length;
    expect(writes).toBeGreaterThan(5);
    expect(whole(calm).some(([path]) => path.includes('/found/'))).toBe(true);

    for (let killAt = 0; killAt < writes; killAt += 2) {
      const disk: Disk = new Map();
      expect(await session(disk, killed, killAt)).toBeNull();
      const { corpus, skipped } = loadCorpus('c', memoryCorpus(disk));
      expect(skipped).toEqual([]);
      // What was found before the kill is a file that the uninterrupted session has, too.
      const expected = new Map(calm);
      for (const [path, text] of whole(disk)) {
        if (!path.includes('/progress/')) expect(text).toBe(expected.get(path));
      }
      const rest = RUNS - nextRun(corpus, seed, '1/1');
      if (rest > 0) await session(disk, { ...killed, runs: rest });
      // Killed after its last entry, there is nothing left to do that would write how far it was.
      const kept = (files: Disk): unknown =>
        whole(files).filter(([path]) => rest > 0 || !path.includes('/progress/'));
      expect(kept(disk)).toEqual(kept(calm));
    }
  });
});

describe('tlbgate fuzz', () => {
  test('reports what it finds, where it is, and that it knew it before', async () => {
    const disk: Disk = new Map();
    const first = await session(disk, { runs: 60 });
    expect(first?.code).toBe(1);
    expect(first?.out).toMatch(
      /found {5}contents-after-return: unmap-stage2-range\/deferred-range-flush, \d+\s+events/,
    );
    const [, path = ''] = /tlbgate replay (\S+)/.exec(first?.out ?? '') ?? [];
    const replayed = await tlbgate(['replay', path], Object.fromEntries(disk));
    expect(replayed.code).toBe(1);
    expect(replayed.out).toContain('refuted   contents-after-return');
    const second = await session(disk, { runs: 1 });
    expect(second?.code).toBe(1);
    expect(second?.out).toContain('numbers 60 to 60');
    expect(second?.out.replaceAll(/\s+/g, ' ')).toContain('events, known before');
  });

  test('finds nothing in right code, says that this is no proof, and exits with 0', async () => {
    const ran = await session(new Map(), {}, Infinity, [BASELINE]);
    expect(ran?.code).toBe(0);
    expect(ran?.out).toContain('nothing found in 20 runs; that is no proof');
    expect(ran?.out).not.toContain('verified');
  });

  test('a finding that the code does not show any more is no finding', async () => {
    const disk: Disk = new Map();
    await session(disk, { runs: 60 });
    // As if the candidate had been mended: the run now names the baseline, which does something else.
    for (const [path, text] of disk) {
      if (/found|findings/.test(path)) disk.set(path, text.replace(SEED, BASELINE));
    }
    const ran = await session(disk, { runs: 1, seed: 9 }, Infinity, [BASELINE]);
    expect(ran?.code).toBe(0);
    expect(ran?.out.replaceAll(/\s+/g, ' ')).toContain('breaks its rule no more');
  });

  test('files that cannot be read are named and left out', async () => {
    const disk: Disk = new Map();
    await session(disk, { runs: 10 });
    const { corpus } = loadCorpus('c', memoryCorpus(disk));
    disk.set('c/entries/cut.json', '{"format": 1, "ki');
    disk.set('c/entries/other.json', '{"format": 2}');
    disk.set('c/findings/note.txt', 'hello');
    disk.set('c/progress/x.json', '{"format": 1, "kind": "fuzz-progress", "seed": -1}');
    disk.set('c/entries/abc.json.77.partial', '{');
    const again = loadCorpus('c', memoryCorpus(disk));
    expect(again.corpus).toEqual(corpus);
    expect(again.skipped).toHaveLength(4);
    const ran = await session(disk, { runs: 1 });
    expect(ran?.out.replaceAll(/\s+/g, ' ')).toContain(
      'skipped c/entries/cut.json is not valid JSON',
    );
  });

  test('a disk that takes nothing ends the campaign with a sentence', async () => {
    const io = { ...memoryCorpus(new Map()), replace: () => false };
    const ended = await fuzzCommand([SEED], options(), io);
    expect(isInputError(ended) ? ended.message : '').toMatch(/cannot be written: check that/);
  });

  test('--json is one object', async () => {
    const ran = await session(new Map(), { json: true, runs: 3 });
    expect(JSON.parse(ran?.out ?? '')).toMatchObject({ format: 1, runs: 3, first: 0, next: 3 });
  });

  test('no time: nothing run, exit 3', async () => {
    const { runs: _, ...rest } = options();
    const io = memoryCorpus(new Map());
    expect(await fuzzCommand([SEED], { ...rest, time: 0.5 }, io)).toBe(3);
    expect(io.written().out).toContain('nothing run');
  });

  test.each([
    [['fuzz', '--shard', '0/3'], /It must be a part of a number of parts/],
    [['fuzz', '--shard', '4/3'], /It must be a part of a number of parts/],
    [['fuzz', '--time', 'long'], /It must be a time such as/],
    [['fuzz', '--runs', '0'], /whole number, 1 or more/],
    [['fuzz', '--seed', '4294967296'], /whole number, from 0 to 4294967295/],
    [['fuzz', 'per-page-flush'], /Did you mean "unmap-stage2-range\/per-page-flush"/],
    [['fuzz', SEED, '--feature', 'fbw=on'], /There is no feature "fbw"/],
    [['fuzz', SEED, '--rule', 'contents'], /There is no rule "contents"/],
    [['fuzz', 'merge', 'out', '/nowhere/corpus'], /"\/nowhere\/corpus" cannot be read/],
    [
      ['fuzz', 'merge', 'out', 'src'],
      /"src" cannot be read: it must be a folder that `tlbgate fuzz/,
    ],
    [['fuzz', 'merge', 'out'], /missing required argument/],
  ])('bad input: %j', async (args, sentence) => {
    const { code, out, err } = await tlbgate(args);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).toMatch(sentence);
    expect(err.trim().split('\n')).toHaveLength(1);
  });
});

describe('tlbgate fuzz merge', () => {
  const shards = async (): Promise<Disk> => {
    const disk: Disk = new Map();
    for (const index of [1, 2]) {
      await session(disk, { runs: 30, corpus: `s${index}`, shard: { index, count: 2 } });
    }
    return disk;
  };
  const part = (disk: Disk, corpus: string): readonly (readonly [string, string])[] =>
    whole(disk)
      .filter(([path]) => path.startsWith(`${corpus}/`))
      .map(([path, text]) => [path.slice(corpus.length), text] as const);

  test('is the same in either order, and again', async () => {
    const disk = await shards();
    const merge = (out: string, ...from: readonly string[]): void => {
      expect(fuzzMergeCommand(out, from, {}, memoryCorpus(disk))).toBe(0);
    };
    merge('a', 's1', 's2');
    merge('b', 's2', 's1');
    expect(part(disk, 'b')).toEqual(part(disk, 'a'));
    merge('a', 's1', 's2');
    merge('a', 'b');
    expect(part(disk, 'a')).toEqual(part(disk, 'b'));
    // One by one into a folder that has something already.
    merge('s1', 's2');
    expect(part(disk, 's1')).toEqual(part(disk, 'a'));
    const { corpus } = loadCorpus('a', memoryCorpus(disk));
    expect([...corpus.progress.values()]).toEqual([30, 30]);
    expect(corpus.findings.size).toBeGreaterThan(0);
  });

  test('that is killed leaves a corpus with all it had, and ends when it is called again', async () => {
    const calm = await shards();
    fuzzMergeCommand('s1', ['s2'], {}, memoryCorpus(calm));
    for (let killAt = 0; killAt < 30; killAt += 4) {
      const disk: Disk = new Map(whole(await sharded()));
      const before = loadCorpus('s1', memoryCorpus(disk)).corpus;
      try {
        fuzzMergeCommand('s1', ['s2'], {}, memoryCorpus(disk, killAt));
      } catch (problem) {
        expect(problem).toBeInstanceOf(Killed);
      }
      const { corpus, skipped } = loadCorpus('s1', memoryCorpus(disk));
      expect(skipped).toEqual([]);
      for (const key of before.findings.keys()) expect(corpus.findings.has(key)).toBe(true);
      fuzzMergeCommand('s1', ['s2'], {}, memoryCorpus(disk));
      expect(part(disk, 's1')).toEqual(part(calm, 's1'));
    }
  });

  let kept: Disk | null = null;
  async function sharded(): Promise<Disk> {
    kept ??= await shards();
    return kept;
  }
});
