import { describe, expect, test } from 'vitest';
import { DEFAULT_FEATURES } from '../../src/arm64/features.ts';
import { writeScenario } from '../../src/scenario/codec.ts';
import { defaultScenario } from '../../src/scenario/scenario.ts';
import { tlbgate } from './run.ts';

const SEED = 'unmap-stage2-range/deferred-range-flush';
const BASELINE = 'unmap-stage2-range/per-page-flush';

interface JsonRun {
  readonly features: Readonly<Record<string, string>>;
  readonly rule: string;
  readonly verdict: string;
  readonly bounds: Readonly<Record<string, unknown>>;
  readonly states: number;
  readonly trace: readonly unknown[];
}

interface JsonVerdict {
  readonly format: number;
  readonly candidate: string;
  readonly verdict: string;
  readonly runs: readonly JsonRun[];
}

describe('tlbgate verify', () => {
  test('the seed without FWB: refuted, exit 1, the contract for scripts', async () => {
    const { code, out, err } = await tlbgate(['verify', SEED, '--feature', 'fwb=off', '--json']);
    expect(code).toBe(1);
    expect(err).toBe('');
    const json = JSON.parse(out) as JsonVerdict;
    expect(json).toMatchObject({ format: 1, candidate: SEED, verdict: 'refuted' });
    const refuted = json.runs.filter(({ verdict }) => verdict === 'refuted');
    expect(refuted.map(({ rule }) => rule)).toEqual(['contents-after-return']);
    expect(refuted[0]?.trace.length).toBeGreaterThan(5);
    for (const run of json.runs) {
      expect(run.features['fwb']).toBe('off');
      expect(run.states).toBeGreaterThan(0);
      expect(run.bounds).toHaveProperty('pes');
    }
  });

  test('a bound on preemptions that cuts runs off is never a pass', async () => {
    const small = ['--feature', 'fwb=off', '--pages', '1', '--rule', 'contents-after-return'];
    const bug = ['verify', 'unmap-stage2-range/without-dc-dsb', ...small];
    const with1 = await tlbgate([...bug, '--switches', '1', '--json']);
    const { verdict, runs } = JSON.parse(with1.out) as JsonVerdict;
    expect([with1.code, verdict]).toEqual([3, 'inconclusive']);
    expect(runs[0]?.bounds).toMatchObject({ switches: 1, switchesReached: true });
    const told = await tlbgate([...bug, '--switches', '1']);
    expect(told.out.replaceAll(/\s+/g, ' ')).toContain('at most 1 preemption a run: all of these');
    const all = await tlbgate(['verify', BASELINE, ...small, '--switches', '99', '--json']);
    expect(all.code).toBe(0);
    const { runs: whole } = JSON.parse(all.out) as JsonVerdict;
    expect(whole[0]?.bounds).toMatchObject({ switches: 99, switchesReached: false });
  });

  test('whether the machine reached its own bounds', async () => {
    for (const window of [31, 4]) {
      const scenario = { ...defaultScenario(BASELINE, DEFAULT_FEATURES), pages: 1, window };
      const files = { 'few.json': writeScenario(scenario) };
      const args = ['verify', 'few.json', '--rule', 'right-vmid'];
      const json = await tlbgate([...args, '--json'], files);
      expect((JSON.parse(json.out) as JsonVerdict).runs[0]?.bounds).toMatchObject({
        window,
        windowReached: window === 4,
        windowReachedIn: window === 4 ? ['the scenario given'] : [],
        outstandingTlbisReached: false,
      });
      const { out } = await tlbgate(args, files);
      expect(out).toContain(
        window === 4
          ? 'reached: 4 instructions in flight, in "the scenario given";'
          : 'not reached: 31 instructions in flight, 24 outstanding TLBIs;',
      );
    }
  });

  test('the seed with FWB: verified, exit 0', async () => {
    const { code, out } = await tlbgate(['verify', SEED, '--feature', 'fwb=on', '--json']);
    expect(code).toBe(0);
    expect((JSON.parse(out) as JsonVerdict).verdict).toBe('verified');
  });

  test('the baseline without FWB: verified', async () => {
    const { code } = await tlbgate(['verify', BASELINE, '--feature', 'fwb=off']);
    expect(code).toBe(0);
  });

  test('no time left: inconclusive, exit 3, and no tick', async () => {
    const { code, out } = await tlbgate([
      'verify',
      BASELINE,
      '--feature',
      'fwb=off',
      '--budget',
      '0.001',
    ]);
    expect(code).toBe(3);
    expect(out).not.toMatch(/^ {2}ok /m);
    expect(out).toContain('verdict   inconclusive');
  });

  test('the replay file: exact, repeatable, strict', async () => {
    const args = ['verify', SEED, '--feature', 'fwb=off', '--rule', 'contents-after-return'];
    const { written } = await tlbgate([...args, '--out', 'runs']);
    const again = await tlbgate([...args, '--out', 'runs']);
    expect([...again.written]).toEqual([...written]);
    const [[path, text] = ['', '']] = [...written];
    const replayed = await tlbgate(['replay', path], { [path]: text });
    expect(replayed.code).toBe(1);
    expect(replayed.out).toContain('refuted   contents-after-return');
    const part = await tlbgate(['replay', path, '--until', '11', '--show', 'tlb,cache,memory'], {
      [path]: text,
    });
    expect(part.code).toBe(0);
    expect(part.out).toContain('STALE');
    expect(part.out).toContain('0 or 1  clean, or empty');
    const changed = text.replace('"DSB sy"', '"DSB ish"');
    const misfit = await tlbgate(['replay', path], { [path]: changed });
    expect(misfit.code).toBe(2);
    expect(misfit.err).toMatch(/^error: Step \d+ of .* is not possible there/);
  });

  test('a scenario file', async () => {
    const file = JSON.stringify({ format: 1, candidate: SEED, pages: 1, view: 'cacheable' });
    const { code, out } = await tlbgate(['verify', 's.json', '--json'], { 's.json': file });
    expect(code).toBe(0);
    expect((JSON.parse(out) as JsonVerdict).candidate).toBe(SEED);
  });

  test('a guest trace: one store is enough', async () => {
    const { code } = await tlbgate([
      'verify',
      SEED,
      '--guest',
      'w0',
      '--pages',
      '1',
      '--feature',
      'fwb=off',
    ]);
    expect(code).toBe(1);
  });
});

describe('tlbgate list, explain', () => {
  test('list --json has candidates with expected verdicts, and rules', async () => {
    const { code, out } = await tlbgate(['list', '--json']);
    expect(code).toBe(0);
    const json = JSON.parse(out) as {
      readonly candidates: readonly {
        readonly id: string;
        readonly expected: { readonly verdict: string };
      }[];
      readonly rules: readonly { readonly id: string }[];
    };
    const expected = new Map(json.candidates.map(({ id, expected: e }) => [id, e.verdict]));
    expect(expected.get(SEED)).toBe('refuted');
    expect(expected.get(BASELINE)).toBe('verified');
    expect(json.rules.map(({ id }) => id)).toContain('contents-after-return');
  });

  test('explain', async () => {
    const { code, out } = await tlbgate(['explain', 'break-before-make']);
    expect(code).toBe(0);
    expect(out).toContain('R_WHZWS');
  });
});

describe('bad input: one sentence, exit 2, nothing else', () => {
  const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['a command nobody knows', ['verfy', 'x'], /Did you mean verify/],
    ['no command', [], /name a command/],
    [
      'a candidate nobody knows',
      ['verify', `${SEED.slice(0, -1)}`],
      new RegExp(`Did you mean "${SEED}"`),
    ],
    [
      'half of an id',
      ['verify', 'per-page-flush'],
      /Did you mean "unmap-stage2-range\/per-page-flush"/,
    ],
    [
      'a feature nobody knows',
      ['verify', SEED, '--feature', 'fbw=on'],
      /There is no feature "fbw"/,
    ],
    ['a value nobody knows', ['verify', SEED, '--feature', 'fwb=1'], /allowed values are off, on/],
    ['no value', ['verify', SEED, '--feature', 'fwb'], /name=value/],
    [
      'features that exclude each other',
      ['verify', SEED, '--feature', 'ipa-bits=52'],
      /needs lpa2=on/,
    ],
    ['a flag nobody knows', ['verify', SEED, '--featur', 'fwb=on'], /Did you mean --feature/],
    ['a number that is none', ['verify', SEED, '--vcpus', 'two'], /whole number/],
    ['a guest nobody understands', ['verify', SEED, '--guest', 'w'], /--guest cannot be "w"/],
    ['a guest too large to build', ['verify', SEED, '--guest', 'w99999999'], /pages are 0 to 7/],
    ['more vCPUs than PEs', ['verify', SEED, '--guest', 'w0;w0;w0;w0;w0;w0;w0'], /at most 6 vCPUs/],
    ['a page that is not there', ['verify', SEED, '--guest', 'w5', '--pages', '1'], /no page 5/],
    ['a rule nobody knows', ['explain', 'contents'], /Did you mean "contents-after-return"/],
    ['a file that is not there', ['verify', 'nowhere.json'], /"nowhere.json" cannot be read/],
    ['a module that is not there', ['verify', './mine.mjs'], /"\.\/mine\.mjs" cannot be read/],
    ['a replay that is not there', ['replay', 'nowhere.json'], /cannot be read/],
    ['a damaged scenario', ['verify', 'cut.json'], /cut\.json is not valid JSON/],
    ['a damaged replay', ['replay', 'cut.json'], /cut\.json is not valid JSON/],
    [
      'a replay of a rule nobody knows',
      ['replay', 'rule.json'],
      /^error: rule\.json: There is no rule "nope"/,
    ],
    ['a scenario as a replay', ['replay', 'scenario.json'], /not a replay file/],
    [
      'a view of a state nobody knows',
      ['replay', 'empty.json', '--show', 'tbl'],
      /--show cannot be "tbl"/,
    ],
    ['too many arguments', ['list', 'x'], /too many arguments/],
  ];
  const files = {
    'cut.json': '{"format": 1, "candi',
    'scenario.json': `{"format": 1, "candidate": "${SEED}"}`,
    'rule.json': `{"format": 1, "kind": "replay", "rule": "nope", "scenario": {"format": 1, "candidate": "${SEED}"}, "labels": []}`,
    'empty.json': `{"format": 1, "kind": "replay", "rule": null, "scenario": {"format": 1, "candidate": "${SEED}"}, "labels": []}`,
  };
  test.each(cases)('%s', async (_name, args, sentence) => {
    const { code, out, err } = await tlbgate(args, files);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).toMatch(sentence);
    expect(err.trim().split('\n')).toHaveLength(1);
  });
});
