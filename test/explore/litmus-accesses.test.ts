import { describe, expect, it } from 'vitest';
import { answerLitmus } from '../../src/explore/litmus-case.ts';

const LIMITS = { states: 20_000 };

/** The outcomes of a test, or why it has none. */
function answer(text: string): readonly string[] | string {
  const found = answerLitmus('t.litmus', text, { variants: [] }, LIMITS);
  if (found.kind === 'unsupported') return `${found.problem.line}: ${found.problem.message}`;
  return found.outcomes.outcomes.map((outcome) => outcome.trim());
}

describe('what shows only when a test runs', () => {
  it('two halves of a word are two locations', () => {
    const text = `AArch64 halves
{ int t[2]; 0:X1=t; 1:X1=t; }
 P0             | P1          ;
 MOV W0,#1      | MOV W0,#2   ;
 STR W0,[X1,#4] | STR W0,[X1] ;
locations [t;]
`;
    expect(answer(text)).toEqual(['t={2,1};']);
  });

  it('accesses of different sizes that overlap are refused, whatever their timing', () => {
    const text = `AArch64 mixed
{ uint64_t x; 0:X1=x; 1:X1=x; }
 P0          | P1             ;
 MOV X0,#1   | LDR W0,[X1,#4] ;
 STR X0,[X1] |                ;
exists (1:X0=0)
`;
    expect(answer(text)).toMatch(/^[45]: this access and the one in line [45] overlap/);
  });

  it('instructions as data are refused', () => {
    const text = `AArch64 code
{ 0:X1=P0:L; }
 P0          ;
 LDR W0,[X1] ;
L: NOP       ;
exists (0:X0=0)
`;
    expect(answer(text)).toBe('4: instructions as data are not supported.');
  });

  it('a misaligned address that comes out of memory is refused', () => {
    const text = `AArch64 misaligned
{ int x=2; 0:X1=x; }
 P0          ;
 LDR W2,[X1] ;
 LDR X3,[X1,X2] ;
exists (0:X3=0)
`;
    expect(answer(text)).toMatch(/misaligned/);
  });

  it('a branch to an address that comes out of memory is refused, not left out', () => {
    const text = `AArch64 jump
{ x=P0:L; 0:X1=x; }
 P0          ;
 LDR X2,[X1] ;
 BR X2       ;
 MOV W0,#1   ;
L: NOP       ;
exists (0:X0=0)
`;
    expect(answer(text)).toBe('5: going on at an address that was loaded is not supported.');
  });

  it('a thread runs the code of another one that it has a pointer to', () => {
    const text = `AArch64 shared
{ 0:X1=P1:F; 1:X0=3; }
 P0        | P1           ;
 MOV W0,#1 | B E          ;
 BLR X1    | F:           ;
 BLR X1    | ADD W0,W0,#1 ;
           | RET          ;
           | E:           ;
forall (0:X0=3 /\\ 1:X0=3)
`;
    expect(answer(text)).toEqual(['0:X0=3; 1:X0=3;']);
  });

  it('the halves of a release pair are ordered, downwards when the base moves down', () => {
    const pair = (address: string): string => `AArch64 pair
{ int x[2]; 0:X2=${address}; 1:X2=x; }
 P0          | P1             ;
 MOV W0,#1   | LDR W0,[X2,#${address === 'x' ? 4 : 0}] ;
 MOV W1,#1   | DMB LD         ;
 STILP W0,W1,[X2${address === 'x' ? '' : ',#-8]!'}${address === 'x' ? ']' : ''} | LDR W1,[X2,#${address === 'x' ? 0 : 4}] ;
exists (1:X0=1 /\\ 1:X1=0)
`;
    const forbidden = ['1:X0=0; 1:X1=0;', '1:X0=0; 1:X1=1;', '1:X0=1; 1:X1=1;'];
    expect(answer(pair('x'))).toEqual(forbidden);
    expect(answer(pair('x[2]'))).toEqual(forbidden);
  });
});
