import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readLitmus } from '../../src/explore/litmus-case.ts';
import { cycleText } from '../../src/explore/litmus-cycle.ts';
import { litmusCycle } from '../../src/explore/litmus-cycle-arbitrary.ts';
import { runLitmusNaive } from '../../src/explore/litmus-naive.ts';
import { runLitmus } from '../../src/explore/litmus-run.ts';
import type { LitmusTest } from '../../src/frontend/litmus/litmus-test.ts';

const scale = process.env['TLBGATE_PROVE'] === undefined ? 1 : 20;

function read(text: string): LitmusTest {
  const parsed = readLitmus('cycle.litmus', text, { variants: [] });
  if (parsed.kind === 'problem') throw new Error(`${parsed.problem.message}\n${text}`);
  return parsed.test;
}

describe('generated litmus tests', () => {
  it('look like this', () => {
    const text = cycleText({
      threads: [
        { first: 'write', between: 'tlbi', second: 'write' },
        { first: 'read', between: 'dsb-isb', second: 'walk' },
      ],
      page: 1,
      startsValid: true,
      ets2: false,
    });
    expect(text).toBe(`AArch64 cycle
Variant=vmsa,fatal
{
  w0=0;
  0:X1=PTE(x);
  0:X0=(oa:PA(x),valid:0);
  0:X12=x;
  0:X3=w0;
  1:X1=w0;
  1:X3=x;
}
 P0              | P1          ;
 STR X0,[X1]     | LDR W0,[X1] ;
 DSB ISH         | DSB ISH     ;
 LSR X9,X12,#12  | ISB         ;
 TLBI VAAE1IS,X9 | L2:         ;
 DSB ISH         | LDR W2,[X3] ;
 MOV W2,#1       |             ;
 STR W2,[X3]     |             ;
locations [1:X0;]
exists (fault(P1:L2,x))
`);
    expect(runLitmus(read(text), { states: 10_000 }).outcomes.map((o) => o.trim())).toEqual([
      '1:X0=0;  ~Fault(P1:L2,x);',
      '1:X0=0; Fault(P1:L2,x,D-MMU:Translation);',
      '1:X0=1; Fault(P1:L2,x,D-MMU:Translation);',
    ]);
  });

  it('come to the same outcomes with and without the reduction, and on the naive machine', () => {
    let compared = 0;
    fc.assert(
      fc.property(litmusCycle, (cycle) => {
        const text = cycleText(cycle);
        const test = read(text);
        const reduced = runLitmus(test, { states: 1500 });
        if (reduced.limited) return;
        const plain = runLitmus(test, { states: 5000 }, false);
        if (!plain.limited) expect([text, ...plain.outcomes]).toEqual([text, ...reduced.outcomes]);
        const naive = runLitmusNaive(test, { states: 150 * scale });
        if (!naive.complete) return;
        compared += 1;
        expect([text, ...naive.outcomes]).toEqual([text, ...reduced.outcomes]);
      }),
      { numRuns: 60 * scale, seed: 1 },
    );
    expect(compared).toBeGreaterThan(20 * scale);
  });
});
