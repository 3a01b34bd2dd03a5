import { describe, expect, it } from 'vitest';
import { HERD_HANDLER, HERD_MAKE } from '../fixtures.ts';
import { parseHerd, problemOf, readable, sequentialOutcomes } from '../support.ts';

function outcomes(text: string): readonly string[] {
  return sequentialOutcomes(readable(parseHerd('t.litmus', text)));
}

describe('outcomes in the notation of herd7', () => {
  it('shows registers, variables, entries, array elements, then faults', () => {
    expect(outcomes(HERD_MAKE)).toEqual([
      '1:X0=0; 1:X2=0; [big]=-1; [PTE(x)]=(oa:PA(x), af:0); a[1]=4; Fault(P1:L0,x,D-MMU:Translation);',
      '1:X0=7; 1:X2=0; [big]=-1; [PTE(x)]=(oa:PA(x)); a[1]=4;  ~Fault(P1:L0,x);',
      '1:X0=7; 1:X2=1; [big]=-1; [PTE(x)]=(oa:PA(x)); a[1]=4;  ~Fault(P1:L0,x);',
    ]);
  });

  it('a handler returns to the instruction it came from', () => {
    const test = readable(parseHerd('t', HERD_HANDLER));
    expect(test.quantifier).toBe('forall');
    expect(sequentialOutcomes(test)).toEqual(['0:X0=5; 0:X4=label:"P0:L0"; 0:X9=5;']);
  });

  it.each([
    ['fatal', ['0:X2=0; Fault(P0,x,D-MMU:AccessFlag);']],
    ['faultToNext', ['0:X2=1; Fault(P0,x,D-MMU:AccessFlag);']],
    // The second try faults again, which herd7 does not count as an execution.
    ['handled', []],
  ])('without a handler, %s', (variant, expected) => {
    const text = `AArch64 t
Variant=${variant}
{ [PTE(x)]=(af:0); 0:X1=x; }
 P0 ;
 LDR W0,[X1] ;
 MOV W2,#1 ;
exists (0:X2=1 /\\ fault(P0,x))`;
    expect(outcomes(text)).toEqual(expected);
  });

  it.each([
    ['fault(P0:L0,x,MMU:Permission)', ' Fault(P0:L0,x,MMU:Permission);'],
    ['fault(P0:L0,x,D-MMU:Permission)', ' Fault(P0:L0,x,D-MMU:Permission);'],
    ['fault(P0,x)', ' Fault(P0:L0,x,D-MMU:Permission);'],
    ['fault(P0:L0,y)', '  ~Fault(P0:L0,y);'],
    ['fault(P0,MMU:Translation)', '  ~Fault(P0,MMU:Translation);'],
    ['~fault(P0:L0,x) \\/ fault(P1)', ' Fault(P0:L0,x,D-MMU:Permission); ~Fault(P1);'],
  ])('a condition on %s', (condition, expected) => {
    const text = `AArch64 t
{ [PTE(x)]=(db:0); 0:X1=x; }
 P0 | P1 ;
 L0: STR W0,[X1] | NOP ;
exists (${condition})`;
    expect(outcomes(text)).toEqual([expected]);
  });

  it('SVC and UDF are faults without an address', () => {
    const text = `AArch64 t
Variant=faultToNext
{ 0:X0=0; }
 P0 ;
 A: SVC #0 ;
 B: UDF #0 ;
 ADD W0,W0,#1 ;
forall fault(P0:A) /\\ fault(P0:B,UndefinedInstruction) /\\ 0:X0=1`;
    expect(outcomes(text)).toEqual([
      '0:X0=1; Fault(P0:A,SupervisorCall); Fault(P0:B,UndefinedInstruction);',
    ]);
  });

  it('EL0 cannot reach page tables, its handler can', () => {
    const text = `AArch64 t
EL0=P0
{ 0:X1=PTE(x); }
 P0 | P0.F ;
 LDR X0,[X1] | LDR X2,[X1] ;
forall (0:X0=0 /\\ 0:X2=(oa:PA(x)) /\\ fault(P0,PTE(x)))`;
    expect(outcomes(text)).toEqual(['0:X0=0; 0:X2=(oa:PA(x)); Fault(P0,PTE(x),D-MMU:Permission);']);
  });

  it('entries show what differs from the default, with attributes', () => {
    const text = `AArch64 t
{ 0:X1=PTE(x); 0:X2=(oa:PA(y),db:0,dbm:1,el0:0,x:0,attrs:(Normal,iNC,oNC)); 0:X3=y; }
 P0 ;
 STR X2,[X1] ;
locations [0:X2;0:X3;PTE(x);PTE(y);]`;
    expect(outcomes(text)).toEqual([
      '0:X2=(oa:PA(y), db:0, dbm:1, el0:0, x:0, attrs:(Normal,ISH,iNC,oNC)); 0:X3=y; ' +
        '[PTE(x)]=(oa:PA(y), db:0, dbm:1, el0:0, x:0, attrs:(Normal,ISH,iNC,oNC)); ' +
        '[PTE(y)]=(oa:PA(y));',
    ]);
  });

  it('values have the type of their location', () => {
    const text = `AArch64 t
{ uint32_t u=-1; int8_t c=-1; int64_t 0:X1=-1; 0:X2=0x1ffffffff; uint64_t 0:X3=-1; }
 P0 ;
 NOP ;
locations [u;c;0:X1;0:X2;0:X3;]
exists (0:X2=-1 /\\ u=4294967295)`;
    const test = readable(parseHerd('t', text));
    expect(sequentialOutcomes(test)).toEqual([
      '0:X1=-1; 0:X2=-1; 0:X3=18446744073709551615; [c]=-1; [u]=4294967295;',
    ]);
  });

  it('a filter leaves executions out', () => {
    const text = `AArch64 t
{ 0:X1=x; 1:X1=x; }
 P0 | P1 ;
 MOV W0,#1 | LDR W0,[X1] ;
 STR W0,[X1] | ;
filter 1:X0=1
exists (x=1)`;
    expect(outcomes(text)).toEqual(['[x]=1;']);
  });

  it('`=>` binds tighter than `/\\`, which binds tighter than `\\/`', () => {
    const holding = (condition: string): boolean => {
      const test = readable(parseHerd('t', `AArch64 t\n{}\n P0 ;\n NOP ;\nexists ${condition}`));
      const [thread] = test.threads;
      return test.holds({
        node: () => thread?.root ?? 0,
        resultOf: () => undefined,
        memory: () => 0n,
      });
    };
    expect(holding('(0:X0=1 /\\ 0:X1=1 => 0:X2=1)')).toBe(false);
    expect(holding('(0:X0=0 \\/ 0:X1=1 /\\ 0:X2=1)')).toBe(true);
    expect(holding('(not 0:X0=1)')).toBe(true);
  });

  it.each([
    ['AArch64 t\n{ 0:X1=x }\n P0 ;\n LDR W0,[X1] ;\nexists (0:X0=)', 't:5:14: expected a value'],
    ['AArch64 t\n{ 0:X1=x', 't:2:1: this `{` is not closed.'],
    ['X86 t\n{}\n P0 ;\n', 't:1:1: only AArch64 tests are supported.'],
    ['AArch64 t\nVariant=memtag\n{}\n P0 ;\n NOP ;\n', 't:2:1: the variant `memtag`'],
    ['AArch64 t\n{}\n P0 ;\n NOP ;\nexists (3:X0=1)', 'names P3, which is not there.'],
    ['AArch64 t\n{}\n P0 | Q ;\n NOP | NOP ;\n', 't:3:7: `Q` is not the name of a thread'],
    ['AArch64 t\n{ float x; }\n P0 ;\n NOP ;\n', 't:2:3: the type `float` is not supported.'],
  ])('%j is refused at its place', (text, message) => {
    expect(problemOf(parseHerd('t', text))).toContain(message);
  });
});
