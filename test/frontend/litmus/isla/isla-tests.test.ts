import { describe, expect, it } from 'vitest';
import { DONE } from '../../../../src/program/effect.ts';
import type { LitmusTest } from '../../../../src/frontend/litmus/litmus-test.ts';
import { ISLA_TABLES, ISLA_TWO_STAGES } from '../fixtures.ts';
import { parseIsla, problemOf, readable, sequentialOutcomes } from '../support.ts';

function wordAt(test: LitmusTest, address: bigint): bigint {
  return test.setup.memory.find((word) => word.address === address)?.value ?? 0n;
}

/** A one-threaded test with registers, code and an assertion. */
function single(reset: string, code: string, assertion: string, more = ''): string {
  return `arch = "AArch64"
name = "single"
symbolic = ["x", "y"]
page_table_setup = """
  physical pa1 pa2;
  x |-> pa1;
  x ?-> invalid;
  y |-> pa2 with [AP = 0b11] and default;
  *pa1 = 5;
"""
[thread.0]
code = """
${code}
"""
[thread.0.reset]
${reset}
${more}
[final]
assertion = "${assertion}"
`;
}

function holdsSequentially(text: string): boolean {
  return sequentialOutcomes(readable(parseIsla('t', text)), 5).includes('true');
}

describe('isla tests', () => {
  it('two stages: tables are real, and only the changing page is watched', () => {
    const test = readable(parseIsla('t', ISLA_TWO_STAGES));
    const { context } = test.setup.threads[1] ?? { context: null };
    expect(context).toMatchObject({
      el: 1,
      vmid: 0,
      stage1: { root: 0x30_0000n },
      stage2: { root: 0x20_0000n },
    });
    // x is the first symbolic address; its stage-1 leaf names ipa1.
    expect(test.setup.watchedVas).toEqual([0x70_0000n]);
    expect(wordAt(test, 0x30_0000n)).toBe(0x30_1000n | 3n);
    // The host stores to the stage-2 leaf by its physical address.
    const [host] = test.threads;
    const store = host?.effectAt(host.root);
    expect(store).toMatchObject({ kind: 'store', at: { kind: 'physical' } });
    // Once the flag is seen, the read faults to EL2 and the handler answers.
    expect(sequentialOutcomes(test)).toEqual(['false', 'true']);
  });

  it('own tables: a switch changes ASID and root, addresses satisfy the assertions', () => {
    const test = readable(parseIsla('t', ISLA_TABLES));
    const [setup] = test.setup.threads;
    expect(setup?.context).toMatchObject({ asid: 1, stage1: { root: 0x20_0000n }, stage2: null });
    expect(setup?.previousContexts).toMatchObject([{ asid: 2, stage1: { root: 0x28_0000n } }]);
    expect(sequentialOutcomes(test)).toEqual(['true']);
  });

  it.each<[string, string, string, boolean]>([
    ['R0 = "x"', '  LDR X1,[X0]', '0:X1=5', true],
    ['R0 = "pte3(x, page_table_base)"', '  LDR X1,[X0]', '0:X1=desc3(x, page_table_base)', true],
    ['R0 = "mkdesc3(oa=pa1)"', '  NOP', '0:X0=desc3(x, page_table_base)', true],
    ['R0 = "mkdesc3(oa=pa2, AP=0b11)"', '  NOP', '0:X0=desc3(y, page_table_base)', true],
    ['R0 = "mkdesc2(table=extz(0x283000, 64))"', '  NOP', '0:X0=0x283003', true],
    ['R0 = "bvor(asid(0x2), extz(page(x), 64))"', '  LSR X1,X0,#48', '0:X1=2', true],
    ['R0 = "exts(0b10, 64)"', '  ADD X0,X0,#2', '0:X0=0', true],
    ['R0 = "offset(level=3, va=x)"', '  NOP', '0:X0=0x800', true],
    ['R0 = "ttbr(vmid=0x3, base=page_table_base)"', '  NOP', '0:X0=0x3000000300000', true],
    ['R0 = "L:"', '  BR X0\n  MOV X1,#1\nL:\n  NOP', '0:X1=0', true],
    ['R0 = "x"\nR1 = "extz(0x7, 64)"', '  STR X1,[X0]', '*x=7 & *pa1=7', true],
    ['R0 = "x"', '  NOP', '0:X0=x & ~(0:X0=y | false) & (0:X0=0 -> true)', true],
  ])('%s and %j give %s', (reset, code, assertion, expected) => {
    expect(holdsSequentially(single(reset, code, assertion))).toBe(expected);
  });

  it.each([
    // EL0 by default; EL1 with SP_EL0; EL1 with its own SP.
    ['', '0x1400'],
    ['"PSTATE.EL" = "0b01"', '0x1000'],
    ['"PSTATE.EL" = "0b01"\n"PSTATE.SP" = "0b1"', '0x1200'],
  ])('a fault with %j goes to the vector at %s, with its syndrome', (state, vector) => {
    const text = single(
      `R0 = "y"\nVBAR_EL1 = "extz(0x1000, 64)"\n${state}`,
      '  STR X1,[X0]\n  MOV X2,#1',
      '0:X2=1 & 0:X3=0b1111 & 0:X4=y & 0:X5=1',
      `[section.handler]
address = "${vector}"
code = """
  MRS X3,ESR_EL1
  UBFX X5,X3,#6,#1
  AND X3,X3,#0b111111
  MRS X4,FAR_EL1
  MRS X13,ELR_EL1
  ADD X13,X13,#4
  MSR ELR_EL1,X13
  ERET
"""`,
    );
    expect(holdsSequentially(text)).toBe(true);
  });

  it('a test that never leaves EL2 has the EL2 regime under test', () => {
    const text = single(
      'R0 = "pte3(x, page_table_base)"\nR1 = "x"\n"PSTATE.EL" = "0b10"',
      '  STR X2,[X0]\n  TLBI VAE2IS,X3\n  LDR X4,[X1]',
      'true',
    );
    const test = readable(parseIsla('t', text));
    expect(test.setup.threads[0]?.context).toMatchObject({ el: 1, stage2: null });
    const [thread] = test.threads;
    const tlbi = thread?.next(thread.root, DONE) ?? -1;
    expect(thread?.effectAt(tlbi)).toMatchObject({ kind: 'tlbi', op: 'VAE1IS' });
    const load = thread?.next(tlbi, DONE) ?? -1;
    expect(thread?.effectAt(load)).toMatchObject({ kind: 'load', at: { kind: 'virtual' } });
  });

  it('a vector without code drops the run', () => {
    const test = readable(parseIsla('t', single('R0 = "y"', '  STR X1,[X0]', 'true')));
    expect(sequentialOutcomes(test)).toEqual([]);
  });

  it('calls go to EL1 and EL2 and come back behind the call', () => {
    const text = single(
      'VBAR_EL1 = "extz(0x1000, 64)"\nVBAR_EL2 = "extz(0x2000, 64)"',
      '  SVC #0\n  ADD X0,X0,#1',
      '0:X0=1 & 0:X1=0x15 & 0:X2=0x16',
      `[section.el1]
address = "0x1400"
code = """
  MRS X1,ESR_EL1
  LSR X1,X1,#26
  HVC #1
  ERET
"""
[section.el2]
address = "0x2400"
code = """
  MRS X2,ESR_EL2
  LSR X2,X2,#26
  ERET
"""`,
    );
    expect(holdsSequentially(text)).toBe(true);
  });

  it.each([
    [single('R0 = "nothing"', '  NOP', 'true'), 't:16:7: there is no address `nothing`.'],
    [single('R0 = "frob(x)"', '  NOP', 'true'), 'the function `frob` is unknown.'],
    [single('SCTLR_EL1 = "x"', '  NOP', 'true'), 'the register `SCTLR_EL1` is not supported.'],
    [single('', '  MSR SCTLR_EL1,X0', 'true'), 't:13:3: the system register `SCTLR_EL1`'],
    [single('', '  FROB', 'true'), 't:13:3: the instruction `FROB` is not supported.'],
    [single('', '  NOP', '0:X0=1 &'), 'expected a thread or `*`'],
    [single('', '  NOP', '7:X0=1'), 'there is no thread 7.'],
    [single('', '  NOP', 'true').replace('x ?-> invalid;', 'x ?->'), 't:8:5: expected `;`'],
    [single('', '  NOP', 'true').replace('x ?-> invalid;', 'assert x == y;'), 'no addresses'],
    [single('', '  NOP', 'true').replace('AP = 0b11', 'XY = 0b1'), 'has no attribute `XY`.'],
  ])('a mistake is shown where it is (%#)', (text, message) => {
    expect(problemOf(parseIsla('t', text))).toContain(message);
  });
});
