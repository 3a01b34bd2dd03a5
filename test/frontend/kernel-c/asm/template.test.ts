import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AsmLine, readAsmTemplate } from '../../../../src/frontend/kernel-c/asm/template.ts';
import { parseBody, parseUnit } from '../../../../src/frontend/kernel-c/parse/unit.ts';
import {
  openKernelTree,
  preprocessUnit,
} from '../../../../src/frontend/kernel-c/tree/kernel-tree.ts';
import { needing, tree58, tree61, tree612 } from '../trees.ts';

const alternative = (before: string, after: string, cap: string, enabled = 1): string =>
  `.if ${enabled} == 1\n661:\n\t${before}\n662:\n.pushsection .altinstructions,"a"\n .word 661b - .\n .word 663f - .\n .hword ${cap}\n .byte 662b-661b\n .byte 664f-663f\n.popsection\n.subsection 1\n663:\n\t${after}\n664:\n\t.org . - (664b-663b) + (662b-661b)\n\t.previous\n.endif\n`;

const callback = (before: string, name: string, cap: string): string =>
  `.if 1 == 1\n661:\n\t${before}\n662:\n.pushsection .altinstructions,"a"\n .word 661b - .\n .word ${name}- .\n .hword ${cap}\n .byte 662b-661b\n.popsection\n663:\n\t664:\n\t.endif\n`;

function read(template: string, ...capabilities: number[]): string {
  const reading = readAsmTemplate(template, {
    has: (capability) => capabilities.includes(capability),
    operand: (name) => (name === 'cap' ? 7n : null),
  });
  if (reading.kind === 'unknown') return `${reading.line}: ${reading.why}`;
  const show = (line: AsmLine): string => {
    if (line.kind === 'instruction') return line.text;
    if (line.kind === 'label') return `${line.name}:`;
    return `${line.name}{${line.before.map(show).join('; ')}}`;
  };
  return reading.lines.map(show).join('; ');
}

describe('templates', () => {
  test.each<readonly [string, string, readonly number[], string]>([
    ['one instruction', 'dsb ish', [], 'dsb ish'],
    [
      'several, with comments and labels',
      '1:\tldxr\t%w0, %2 // load\n stxr %w1, %w3, %2; cbnz %w1, 1b',
      [],
      '1:; ldxr %w0, %2; stxr %w1, %w3, %2; cbnz %w1, 1b',
    ],
    ['old text without the capability', alternative('nop', 'isb', '5'), [4], 'nop'],
    ['new text with it', alternative('nop', 'isb', '5'), [5], 'isb'],
    ['nothing when the config is off', alternative('nop', 'isb', '5', 0), [5], ''],
    [
      'text before and after',
      `tlbi x\n${alternative('nop', 'dsb ish\n tlbi x', '5')}isb`,
      [5],
      'tlbi x; dsb ish; tlbi x; isb',
    ],
    [
      'a capability that is an operand',
      alternative('nop', 'b %l[yes]', '%[cap]'),
      [7],
      'b %l[yes]',
    ],
    [
      'repeated instructions',
      alternative('a', '.arch_extension lse\n swp\n.rept 3\nnop\n.endr\n', '5'),
      [5],
      'swp; nop; nop; nop',
    ],
    [
      'a callback that makes nops',
      callback('b %l[no]', 'alt_cb_patch_nops', '(1 << 15) | (%[cap])'),
      [7],
      '',
    ],
    [
      'the same without the capability',
      callback('b %l[no]', 'alt_cb_patch_nops', '(1 << 15) | (%[cap])'),
      [],
      'b %l[no]',
    ],
    [
      'any other callback is named',
      callback('and %0, %0, #1', 'kvm_update_va_mask', '70'),
      [70],
      'kvm_update_va_mask{and %0, %0, #1}',
    ],
    [
      'macros for system registers',
      '.irp n,0,1\n.equ .Lx\\n, \\n\n.endr\n.macro mrs_s rt, r\n.inst 1|\\r\n.endm\nmrs_s %0, 5\n.purgem mrs_s',
      [],
      'mrs_s %0, 5',
    ],
    [
      'an alternative inside an alternative',
      alternative(alternative('a', 'b', '5'), 'c', '6'),
      [5],
      'b',
    ],
    [
      'an unknown directive',
      '.frob 3',
      [],
      '.frob 3: this directive is not known; src/frontend/kernel-c/asm/template.ts must learn it',
    ],
    ['an open condition', '.if 1 == 1\nnop', [], '.if 1 == 1: .if without .endif'],
    [
      'a capability that is no number',
      alternative('a', 'b', 'x+y'),
      [],
      '.if 1 == 1: the capability "x+y" of an ALTERNATIVE is not understood',
    ],
  ])('%s', (_name, template, capabilities, want) => {
    expect(read(template, ...capabilities)).toBe(want);
  });

  test('no text makes the reader crash or hang', () => {
    const piece = fc.constantFrom(
      '.if 1 == 1',
      '661:',
      '662:',
      '663:',
      '664:',
      '.endif',
      '.rept 9',
      '.endr',
      '.hword 5',
      'nop',
      '\n',
      ';',
      '1: ',
      ' .word x - .',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        expect(typeof read(pieces.join('\n'), 5)).toBe('string');
      }),
    );
  });
});

describe.each([
  [tree58, 'arch/arm64/kvm/hyp/tlb.c'],
  [tree61, 'arch/arm64/kvm/hyp/vhe/tlb.c'],
  [tree612, 'arch/arm64/kvm/hyp/vhe/tlb.c'],
] as const)('a bare kernel tree', (tree, path) => {
  test.skipIf(tree.root === null)(
    `${needing(tree, 'every template of the TLB unit is read')}`,
    () => {
      const tokens = preprocessUnit(openKernelTree(tree.read), path);
      if (tokens.kind === 'failed') throw new Error(tokens.diagnostic.message);
      const unit = parseUnit(tokens.value.tokens);
      if (unit.kind === 'failed') throw new Error(unit.diagnostic.message);
      const templates = new Set<string>();
      const visit = (node: unknown): void => {
        if (typeof node !== 'object' || node === null) return;
        if ('kind' in node && node.kind === 'typedef') return;
        if ('template' in node && typeof node.template === 'string') templates.add(node.template);
        for (const value of Object.values(node)) visit(value);
      };
      for (const definition of unit.value.functions.values())
        visit(parseBody(unit.value, definition));
      expect(templates.size).toBeGreaterThan(50);
      for (const has of [true, false]) {
        for (const template of templates) {
          const reading = readAsmTemplate(template, { has: () => has, operand: () => 1n });
          expect(reading.kind === 'ok' ? '' : reading.why).toBe('');
        }
      }
    },
  );
});
