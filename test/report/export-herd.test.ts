import { describe, expect, it } from 'vitest';
import { exportHerd } from '../../src/report/export-herd.ts';
import { refuting, textOf, verdict } from './refuting.ts';

const FILE = 'export.litmus';

describe('a counterexample as a test of herd7', () => {
  it('shows its outcome, and no longer when the invalidation reaches the guest', () => {
    const id = 'unmap-stage2-range/range-local';
    const { machine, steps } = refuting(id, 'no-access-after-return');
    const text = textOf(exportHerd(machine, steps, id));
    expect(text).toContain('stage 2 of the guest is written as stage 1 of herd7');
    expect(text).toContain('Left out: TLBI IPAS2E1; it is complete before');
    expect(verdict(FILE, text)).toBe('allowed');
    expect(verdict(FILE, text.replace(/VMALLE1 +\|/, 'VMALLE1IS |'))).toBe('forbidden');
  });

  it('says a store of the guest by what is left in memory', () => {
    const id = 'unmap-stage2-range/without-leaf-flush';
    const { machine, steps } = refuting(id, 'no-access-after-return', {
      guest: { kind: 'general', kinds: ['write'] },
    });
    const text = textOf(exportHerd(machine, steps, id));
    expect(text).toContain('exists ([x]=7)');
    expect(text).toContain('No invalidation is left out.');
    expect(verdict(FILE, text)).toBe('allowed');
    const flushed = text.replace(
      / STR W2,\[X3\] *\|/,
      ' TLBI VMALLE1IS | ;\n DSB ISH | ;\n STR W2,[X3] |',
    );
    expect(verdict(FILE, flushed)).toBe('forbidden');
  });

  it.each([
    ['range-without-middle-dsb', 'without a complete invalidation of stage 2 before it'],
    ['range-stage1-first', 'without a complete invalidation of stage 2 before it'],
  ])('%s turns on the difference between the stages', (name, words) => {
    const id = `unmap-stage2-range/${name}`;
    const { machine, steps } = refuting(id, 'no-access-after-return');
    const exported = exportHerd(machine, steps, id);
    expect(exported).toMatchObject({ kind: 'no', why: expect.stringContaining(words) as string });
  });
});
