import { describe, expect, it } from 'vitest';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { differenceFromHerd, readHerdOutput } from '../../src/explore/herd-check.ts';
import { cycleText } from '../../src/explore/litmus-cycle.ts';
import { litmusCycle } from '../../src/explore/litmus-cycle-arbitrary.ts';

const TEST = `AArch64 SB
{ 0:X1=x; 0:X3=y; 1:X1=y; 1:X3=x; }
 P0          | P1          ;
 MOV W0,#1   | MOV W0,#1   ;
 STR W0,[X1] | STR W0,[X1] ;
 DMB SY      | DMB SY      ;
 LDR W2,[X3] | LDR W2,[X3] ;
exists (0:X2=0 /\\ 1:X2=0)
`;
const OUTPUT = `Test SB Allowed
States 3
0:X2=0; 1:X2=1;
0:X2=1; 1:X2=0;
0:X2=1; 1:X2=1;
No
Witnesses
Positive: 0 Negative: 3
Condition exists (0:X2=0 /\\ 1:X2=0)
Observation SB Never 0 3
`;

describe('the output of herd7', () => {
  const limits = { states: 20_000 };

  it('is compared with ours', () => {
    expect(readHerdOutput(OUTPUT)?.outcomes).toHaveLength(3);
    expect(differenceFromHerd(TEST, OUTPUT, limits)).toBeNull();
  });

  it('differs when an outcome is missing', () => {
    const fewer = OUTPUT.replace('States 3', 'States 2').replace('0:X2=1; 1:X2=1;\n', '');
    expect(differenceFromHerd(TEST, fewer, limits)).toContain('we list');
  });

  it('may be something else', () => {
    expect(differenceFromHerd(TEST, 'Warning: File "x"', limits)).toContain('Warning');
  });
});

function herd7(file: string): string | null {
  try {
    return execFileSync('herd7', ['-variant', 'vmsa,fatal', file], { encoding: 'utf8' });
  } catch {
    return null;
  }
}

const wanted = process.env['TLBGATE_HERD'] !== undefined;

describe.skipIf(!wanted)('generated tests on herd7 (npm run conformance:herd)', () => {
  const folder = wanted ? mkdtempSync(join(tmpdir(), 'tlbgate-herd-')) : '';
  const file = join(folder, 'cycle.litmus');
  if (wanted) writeFileSync(file, TEST);
  const there = wanted && herd7(file) !== null;

  it.skipIf(!there)(
    `come to the same outcomes${there ? '' : ' (skipped: there is no herd7 on this computer)'}`,
    () => {
      fc.assert(
        fc.property(litmusCycle, (cycle) => {
          const text = cycleText(cycle);
          writeFileSync(file, text);
          const output = herd7(file);
          expect([text, output === null ? 'herd7 fails' : null]).toEqual([text, null]);
          const difference = differenceFromHerd(text, output ?? '', { states: 20_000 });
          expect([text, difference]).toEqual([text, null]);
        }),
        { numRuns: 300, seed: Number(process.env['TLBGATE_HERD']) || 1 },
      );
      rmSync(folder, { recursive: true });
    },
    900_000,
  );
});
