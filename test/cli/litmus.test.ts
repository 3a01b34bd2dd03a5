import { describe, expect, it } from 'vitest';
import { conformanceCommand } from '../../src/cli/commands/conformance.ts';
import { litmusCommand, type LitmusOptions } from '../../src/cli/commands/litmus.ts';
import type { LitmusIo } from '../../src/cli/litmus-io.ts';

const MP = `AArch64 MP
{ 0:X1=x; 0:X3=y; 1:X1=x; 1:X3=y; }
 P0          | P1          ;
 MOV W0,#1   | LDR W0,[X3] ;
 STR W0,[X1] | DMB LD      ;
 DMB ST      | LDR W2,[X1] ;
 STR W0,[X3] |             ;
exists (1:X0=1 /\\ 1:X2=0)
`;
const OUTCOMES = ['1:X0=0; 1:X2=0;', '1:X0=0; 1:X2=1;', '1:X0=1; 1:X2=1;'];

/** What `--json` prints for scripts, as the issue has it. */
interface Contract {
  readonly format: number;
  readonly tests: readonly {
    readonly key: string;
    readonly engine: string;
    readonly result: string;
    readonly states: number;
    readonly ms: number;
  }[];
  readonly summary: Readonly<Record<string, number>>;
}

function expected(outcomes: readonly string[], rest: object = {}): string {
  return JSON.stringify({ 'a/MP.litmus': { name: 'MP', herd: { outcomes, flags: [], ...rest } } });
}

function run(
  paths: readonly string[],
  options: Partial<LitmusOptions>,
  files: Readonly<Record<string, string>> = {},
): { readonly code: number; readonly out: string; readonly err: string } {
  const all: Readonly<Record<string, string>> = { 'tests/a/MP.litmus': MP, ...files };
  const written = { out: '', err: '' };
  let clock = 0;
  const io: LitmusIo = {
    out: (text) => void (written.out += text),
    err: (text) => void (written.err += text),
    outIsTerminal: false,
    columns: 80,
    noColor: true,
    now: () => (clock += 2),
    read: (path) => all[path] ?? null,
    filesBelow(folder) {
      const below = Object.keys(all).filter((path) => path.startsWith(`${folder}/`));
      return below.length === 0 ? null : below.map((path) => path.slice(folder.length + 1));
    },
  };
  const code = litmusCommand(paths, { variant: [], ...options }, io);
  return { code, ...written };
}

describe('tlbgate litmus', () => {
  it('prints the outcomes of a file', () => {
    const { code, out } = run(['tests/a/MP.litmus'], {});
    expect(code).toBe(0);
    expect(out).toBe(`MP (tests/a/MP.litmus)
  ${OUTCOMES.join('\n  ')}
  exists: Never; ${/(\d+) states/.exec(out)?.[1]} states, 2.0 ms
`);
  });

  it('compares a folder with expectations, for scripts', () => {
    const files = { 'e.json': expected(OUTCOMES) };
    const { code, out } = run(['tests'], { expected: 'e.json', json: true }, files);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      format: 1,
      tests: [{ key: 'a/MP.litmus', engine: 'herd', result: 'equal', ms: 2 }],
      summary: {
        total: 1,
        equal: 1,
        fewer: 0,
        more: 0,
        different: 0,
        unsupported: 0,
        limit: 0,
      },
    });
  });

  it.each([
    ['more', OUTCOMES.slice(1), {}],
    ['fewer', [...OUTCOMES, '1:X0=1; 1:X2=0;'], {}],
    ['different', [...OUTCOMES.slice(1), '1:X0=1; 1:X2=0;'], {}],
    ['different', OUTCOMES, { flags: ['Warning-BBM-expected'] }],
    ['unsupported', OUTCOMES, { options: '-variant memtag' }],
  ])('says %s and fails', (result, outcomes, rest) => {
    const files = { 'e.json': expected(outcomes, rest) };
    const { code, out } = run(['tests'], { expected: 'e.json', json: true }, files);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ tests: [{ result }], summary: { [result]: 1 } });
  });

  it('keeps the contract for scripts: engines, results, counts and exit codes', () => {
    const e = JSON.stringify({
      'a/MP.litmus': { herd: { outcomes: OUTCOMES }, ets2: { outcomes: OUTCOMES.slice(1) } },
    });
    const system = JSON.stringify({ MP: { paper: 'forbidden' }, other: { paper: null } });
    const files = { 'e.json': e, 's.json': system, 'tests/other.litmus': MP };
    const read = (out: string): Contract => JSON.parse(out) as Contract;

    const herd = run(['tests'], { expected: 'e.json', json: true }, files);
    expect(herd.code).toBe(1);
    expect(herd.err).toBe('');
    expect(herd.out.trim().split('\n')).toHaveLength(1);
    const first = read(herd.out);
    expect(first.format).toBe(1);
    expect(first.tests.map(({ key, engine, result }) => [key, engine, result])).toEqual([
      ['a/MP.litmus', 'herd', 'equal'],
      ['a/MP.litmus', 'ets2', 'more'],
    ]);
    for (const { states, ms } of first.tests) {
      expect(states).toBeGreaterThan(0);
      expect(ms).toBe(2);
    }
    const none = { fewer: 0, different: 0, unsupported: 0, limit: 0 };
    expect(first.summary).toEqual({ total: 2, equal: 1, more: 1, ...none });

    // The keys of verdicts are names; a row without a verdict is no test of anything.
    const second = run(['tests'], { expected: 's.json', json: true }, files);
    expect(second.code).toBe(0);
    const { tests, summary } = read(second.out);
    expect(tests).toMatchObject([{ key: 'MP', engine: 'system', result: 'equal' }]);
    expect(summary).toEqual({ total: 1, equal: 1, more: 0, ...none });

    const allowed = JSON.stringify({ MP: { paper: 'allowed' } });
    const third = run(['tests'], { expected: 's.json', json: true }, { 's.json': allowed });
    expect(third.code).toBe(1);
    expect(read(third.out).tests).toMatchObject([{ engine: 'system', result: 'fewer' }]);
  });

  it('says limit and fails', () => {
    const files = { 'e.json': expected(OUTCOMES) };
    const { code, out } = run(['tests'], { expected: 'e.json', json: true, states: 3 }, files);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ tests: [{ result: 'limit' }] });
  });

  it('prints what differs', () => {
    const files = { 'e.json': expected(OUTCOMES.slice(1)) };
    const { out } = run(['tests'], { expected: 'e.json' }, files);
    expect(out).toBe(`more: a/MP.litmus [herd]: Never
  + 1:X0=0; 1:X2=0;
herd: 0 of 1 equal, 1 more
1 run in 2.0 ms, median 2.0 ms
`);
  });

  it('explains an outcome by a run', () => {
    const { code, out } = run(['tests/a/MP.litmus', '1:X0=1; 1:X2=1'], { explain: true });
    expect(code).toBe(0);
    expect(out).toBe(`outcome[MP]: 1:X0=1; 1:X2=1;
  --> tests/a/MP.litmus

 step | CPU0                    | CPU1                    | changes
------+-------------------------+-------------------------+---------------------
   1  | STR W0,[X1]  line 5     |                         | x: 0 -> 1
      |   writes 1              |                         |
   2  | STR W0,[X3]  line 7     |                         | y: 0 -> 1
      |   writes 1              |                         |
   3  |                         | LDR W0,[X3]  line 4     |
      |                         |   reads 1               |
   4  |                         | LDR W2,[X1]  line 6     |
      |                         |   reads 1               |
------+-------------------------+-------------------------+---------------------

 ends in: 1:X0=1; 1:X2=1;
`);
  });

  it('explains by which translation, and what each step changes', () => {
    const old = `AArch64 old
Variant=vmsa,fatal
{ 0:X0=(oa:PA(x),valid:0); 0:X1=PTE(x); 1:X1=x; }
 P0          | P1             ;
 STR X0,[X1] | L0:            ;
 DSB ISH     | LDR W0,[X1]    ;
exists (~fault(P1:L0,x))
`;
    const { code, out } = run(
      ['old.litmus', '~Fault(P1:L0,x)'],
      { explain: true },
      { 'old.litmus': old },
    );
    expect(code).toBe(0);
    expect(out).toContain('   = start: PTE(x) = (oa:PA(x))\n            cpu0 may hold x -> PA(x)');
    expect(out).toMatch(/^\*  3  \|.*LDR W0,\[X1\]  line 6/m);
    expect(out).toContain('to PA(x) stale, by');
  });

  it('says that an outcome cannot be explained', () => {
    const { code, out } = run(['tests/a/MP.litmus', '1:X0=1; 1:X2=0'], { explain: true });
    expect(code).toBe(1);
    expect(out).toContain('No run ends in "1:X0=1; 1:X2=0".');
  });

  it.each([
    [['nowhere'], {}, 'nowhere is neither a file nor a folder.'],
    [['tests'], { expected: 'none.json' }, 'none.json cannot be read.'],
    [['tests'], { expected: 'bad.json' }, '"x" has neither outcomes ("herd", "ets2") nor'],
    [['tests'], { expected: 'nothing.json' }, 'nothing.json expects nothing of any test.'],
    [['tests'], { expected: 'other.json' }, 'there is no test "b.litmus".'],
    [['tests/a/MP.litmus'], { explain: true }, '--explain needs a file and an outcome'],
  ])('complains about %j %j', (paths, options, sentence) => {
    const files = {
      'nothing.json': '{}',
      'bad.json': '{"x":1}',
      'other.json': '{"b.litmus":{"herd":{"outcomes":[]}}}',
    };
    const { code, err } = run(paths, options, files);
    expect(code).toBe(2);
    expect(err).toContain(sentence);
  });
});

describe('tlbgate conformance', () => {
  const own = {
    'own/MP.litmus': MP,
    'own/expected.json': JSON.stringify({
      'MP.litmus': { herd: { outcomes: OUTCOMES, flags: [] }, why: 'DMBs.' },
    }),
  };

  function page(files: Readonly<Record<string, string>>): {
    readonly code: number;
    readonly out: string;
    readonly err: string;
  } {
    const all: Readonly<Record<string, string>> = { ...own, ...files };
    const written = { out: '', err: '' };
    const code = conformanceCommand(
      { own: 'own', references: 'refs' },
      {
        out: (text) => void (written.out += text),
        err: (text) => void (written.err += text),
        outIsTerminal: false,
        columns: 80,
        noColor: true,
        now: () => 0,
        read: (path) => all[path] ?? null,
        write: () => false,
        filesBelow: (folder) =>
          Object.keys(all)
            .filter((path) => path.startsWith(`${folder}/`))
            .map((path) => path.slice(folder.length + 1)),
      },
    );
    return { code, ...written };
  }

  it('compares every reference and says what is not explained', () => {
    const { code, out } = page({
      'refs/other/a/MP.litmus': MP,
      'refs/other.expected.json': expected(OUTCOMES.slice(1), { cpu_s: 0.5 }),
    });
    expect(code).toBe(0);
    expect(out).toContain('- `a/MP.litmus` (herd): more, we say Never. Unexplained.');
    expect(out.replaceAll(/ +/g, ' ')).toContain(
      '| other/a, herd | 0.0 s | 0.0 ms | 0.5 s | 500 ms |',
    );
    expect(out).toContain('1 of 1 tests in `test/litmus`');
  });

  it('says that there is no reference', () => {
    const { code, err } = page({});
    expect(code).toBe(2);
    expect(err).toBe('tlbgate conformance: there is no NAME.expected.json in refs.\n');
  });
});
