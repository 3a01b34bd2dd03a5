import { describe, expect, it } from 'vitest';
import {
  assemble,
  type CodeBlock,
  type CodeLine,
} from '../../../../src/frontend/litmus/assembly/code.ts';
import { livenessOf } from '../../../../src/frontend/litmus/thread/liveness.ts';

function block(name: string, address: bigint, texts: readonly string[]): CodeBlock {
  const lines = texts.map((line, index): CodeLine => {
    const [, label, text = ''] = /^(?:(\w+): )?(.*)$/.exec(line) ?? [];
    const at = { file: 't', line: index + 1, column: 1 };
    return { labels: label === undefined ? [] : [label], text, at };
  });
  return { name, owner: 0, address, lines };
}

const MAIN = block('P0', 0n, ['LDR X0,[X1]', 'MOV X2,X0', 'MOV X2,#1', 'STR X2,[X3]']);

describe('what is in a register may be forgotten', () => {
  it('once nobody reads it, unless it is observed at the end', () => {
    const code = assemble([MAIN]);
    const alone = livenessOf(code, new Set());
    expect(alone.general(1, 0)).toBe(true);
    expect(alone.general(2, 0)).toBe(false);
    expect(alone.general(1, 2)).toBe(false);
    expect(alone.general(1, 3)).toBe(true);
    expect(alone.general(4, 3)).toBe(false);
    expect(livenessOf(code, new Set([0])).general(4, 0)).toBe(true);
  });

  it('but not what the handler of an access reads, or the code it returns to', () => {
    const handler = block('H', 0x1000n, ['MRS X9,ESR_EL2', 'ADD X8,X8,X9', 'ERET']);
    const live = livenessOf(assemble([MAIN, handler]), new Set());
    const [entry, returns] = [5, 7];
    expect(live.general(0, 8)).toBe(true);
    expect(live.general(returns, 3)).toBe(true);
    expect(live.general(returns, 9)).toBe(false);
    // The entry writes the syndrome: an old one is dead outside of the handler.
    expect(live.system(entry, 'ESR_EL2')).toBe(true);
    expect(live.system(0, 'ESR_EL2')).toBe(false);
    expect(live.system(0, 'VBAR_EL2')).toBe(true);
  });

  it('flags live from the compare to the branch', () => {
    const code = assemble([block('P0', 0n, ['CMP X0,#1', 'NOP', 'B.EQ L', 'NOP', 'L: NOP'])]);
    const live = livenessOf(code, new Set());
    expect([0, 1, 2, 3].map((pc) => live.flags(pc))).toEqual([false, true, true, false]);
  });

  it('a loop keeps what its next round reads', () => {
    const code = assemble([block('P0', 0n, ['L: ADD X0,X0,X1', 'SUB X2,X2,#1', 'CBNZ X2,L'])]);
    const live = livenessOf(code, new Set());
    expect(live.general(2, 1)).toBe(true);
    expect(live.general(3, 1)).toBe(false);
  });
});
