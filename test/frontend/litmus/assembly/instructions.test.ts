import { describe, expect, it } from 'vitest';
import { parseHerd, problemOf, registersAfter } from '../support.ts';

const ALL = (1n << 64n) - 1n;

describe('instructions compute what the architecture says', () => {
  it.each<[string, readonly string[], string, bigint]>([
    ['a W register write clears the upper half', ['MOV X0,#-1', 'MOV W0,W0'], '', 0xffff_ffffn],
    ['add wraps', ['ADD X0,X1,#2'], 'int64_t 0:X1=-1;', 1n],
    ['add with a shifted register', ['ADD X0,X1,X2,LSL #3'], '0:X1=1; 0:X2=2;', 17n],
    [
      'add with an extended register',
      ['ADD X0,X1,W2,SXTW'],
      '0:X1=8; int64_t 0:X2=0xffffffff;',
      7n,
    ],
    ['subtract from XZR', ['SUB W0,WZR,#1'], '', 0xffff_ffffn],
    ['clear bits of a shifted register', ['MOV X1,#15', 'BIC X0,X1,X1,LSL #2'], '', 3n],
    ['arithmetic shift', ['ASR W0,W1,#4'], '0:X1=0x80000000;', 0xf800_0000n],
    ['rotate', ['ROR X0,X1,#4'], '0:X1=0x1;', 1n << 60n],
    ['move, keep and invert', ['MOVZ X0,#1,LSL #16', 'MOVK X0,#2'], '', 0x1_0002n],
    ['move negated', ['MOVN X0,#0'], '', ALL],
    ['multiply and add', ['MADD X0,X1,X2,X3'], '0:X1=3; 0:X2=4; 0:X3=5;', 17n],
    ['divide by zero gives zero', ['UDIV X0,X1,X2'], '0:X1=3;', 0n],
    ['signed bit field', ['SBFX X0,X1,#4,#4'], '0:X1=0xf0;', ALL],
    ['unsigned bit field', ['UBFX X0,X1,#26,#5'], '0:X1=0x5800_0000;'.replace('_', ''), 22n],
    ['count leading zeros', ['CLZ W0,W1'], '0:X1=1;', 31n],
    ['select increments', ['CMP X1,#1', 'CSINC X0,X1,X1,EQ'], '0:X1=2;', 3n],
    ['set on carry', ['CMP X1,#2', 'CSET X0,CS'], '0:X1=2;', 1n],
    ['set on signed less', ['CMP W1,#0', 'CSET X0,LT'], '0:X1=0x80000000;', 1n],
    ['conditional compare', ['CMP X1,#1', 'CCMP X1,#5,#4,NE', 'CSET X0,EQ'], '0:X1=1;', 1n],
    ['negate a product', ['MNEG W0,W1,W2'], '0:X1=-3; 0:X2=2;', 6n],
    ['long product, signed', ['SMULL X0,W1,W2'], '0:X1=-3; 0:X2=2;', ALL - 5n],
    ['long product, unsigned', ['UMULL X0,W1,W2'], '0:X1=-1; 0:X2=2;', 0x1_ffff_fffen],
    ['long product from a sum', ['UMSUBL X0,W1,W2,X3'], '0:X1=2; 0:X2=3; 0:X3=7;', 1n],
    ['upper half of a product', ['UMULH X0,X1,X1'], 'int64_t 0:X1=-1;', ALL - 1n],
    ['upper half, signed', ['SMULH X0,X1,X1'], 'int64_t 0:X1=-1;', 0n],
    ['extract from a pair', ['EXTR W0,W1,W2,#8'], '0:X1=0x12; 0:X2=0x3456;', 0x1200_0034n],
    ['count leading sign bits', ['CLS W0,W1'], '0:X1=-1;', 31n],
    ['sign bits of a positive number', ['CLS W0,W1'], '0:X1=1;', 30n],
    ['shift by a register', ['ASRV X0,X1,X2'], 'int64_t 0:X1=-8; 0:X2=1;', ALL - 3n],
    ['test bits', ['TST X1,#2', 'CSET X0,NE'], '0:X1=3;', 1n],
  ])('%s', (_, code, initial, expected) => {
    expect(registersAfter(code, initial, [0])).toEqual([expected]);
  });

  it.each<[string, readonly string[], readonly bigint[]]>([
    ['byte store and load', ['MOV W0,#0x1ff', 'STRB W0,[X9]', 'LDR W1,[X9]'], [0x1ffn, 0xffn]],
    [
      'signed half',
      ['MOV W0,#0x8000', 'STRH W0,[X9,#2]', 'LDRSH X1,[X9,#2]'],
      [0x8000n, ALL - 0x7fffn],
    ],
    ['post index', ['MOV X0,X9', 'LDR W1,[X0],#8', 'SUB X0,X0,X9'], [8n, 0n]],
    [
      'pre index',
      ['MOV X0,X9', 'MOV W2,#3', 'STR W2,[X0,#4]!', 'LDR W1,[X0]', 'SUB X0,X0,X9'],
      [4n, 3n],
    ],
    ['swap', ['MOV W0,#6', 'SWP W0,W1,[X9]', 'LDR W0,[X9]'], [6n, 0n]],
    [
      'atomic clear',
      ['MOV W0,#7', 'STR W0,[X9]', 'MOV W1,#2', 'LDCLR W1,W1,[X9]', 'LDR W0,[X9]'],
      [5n, 7n],
    ],
    ['signed minimum', ['MOV W0,#-1', 'LDSMIN W0,W1,[X9]', 'LDR W0,[X9]'], [0xffff_ffffn, 0n]],
    [
      'compare and swap, failing',
      ['MOV W0,#4', 'MOV W1,#1', 'CAS W1,W0,[X9]', 'LDR W0,[X9]'],
      [0n, 0n],
    ],
    ['compare and swap', ['MOV W0,#4', 'MOV W1,#0', 'CAS W1,W0,[X9]', 'LDR W0,[X9]'], [4n, 0n]],
    ['exclusives', ['MOV W2,#4', 'LDXR W0,[X9]', 'STXR W1,W2,[X9]', 'LDR W0,[X9]'], [4n, 0n]],
    [
      'misaligned, over the end of a word',
      ['LDR X2,[X9,#8]', 'MOV W0,#0x304', 'STRH W0,[X9,#7]', 'LDRB W0,[X9,#8]', 'LDRH W1,[X9,#7]'],
      [3n, 0x304n],
    ],
    [
      'misaligned with sign and write-back',
      ['MOV W2,#0x8000', 'ADD X3,X9,#3', 'STRH W2,[X3]', 'LDRSH W0,[X3],#2', 'SUB X1,X3,X9'],
      [0xffff_8000n, 5n],
    ],
    ['pairs', ['MOV W2,#4', 'MOV W3,#5', 'STP W2,W3,[X9]', 'LDP W1,W0,[X9]'], [5n, 4n]],
  ])('%s', (_, code, expected) => {
    expect(registersAfter(code, '0:X9=x;', [0, 1])).toEqual(expected);
  });

  it.each<[string, readonly string[], bigint]>([
    ['branch over', ['MOV X0,#1', 'B L', 'MOV X0,#2', 'L: NOP'], 1n],
    ['branch on a bit', ['MOV X0,#4', 'TBNZ X0,#2,L', 'MOV X0,#2', 'L: NOP'], 4n],
    ['call and return', ['BL F', 'B E', 'F: MOV X0,#3', 'RET', 'E: NOP'], 3n],
    ['branch to an address', ['ADR X1,L', 'BR X1', 'MOV X0,#2', 'L: NOP'], 0n],
    ['loop', ['MOV X0,#2', 'L: SUB X0,X0,#1', 'CBNZ X0,L'], 0n],
  ])('%s', (_, code, expected) => {
    expect(registersAfter(code, '', [0])).toEqual([expected]);
  });

  it.each([
    ['FROB X0,X1', 'the instruction `FROB X0,X1` is not supported'],
    ['ADD X0', 'cannot read the operands of `ADD X0`'],
    ['LDR W0,[X1', 'cannot read the operands'],
    ['TLBI NONSENSE', 'is not a TLBI that we know'],
    ['B nowhere', 'there is no label `nowhere`'],
    ['CASP X0,X1,X2,X3,[X4]', 'is not supported'],
    ['LDAPUR X0,[X1,#3]', 'misaligned'],
  ])('%s is refused', (line, message) => {
    const text = `AArch64 t\n{0:X1=x;}\n P0 ;\n NOP ;\n ${line} ;\n`;
    const problem = problemOf(parseHerd('t.litmus', text));
    expect(problem).toContain(message);
    expect(problem).toMatch(/^t\.litmus:5:/);
  });
});
