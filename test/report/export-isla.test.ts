import { describe, expect, it } from 'vitest';
import { exportIsla } from '../../src/report/export-isla.ts';
import { refuting, textOf, verdict } from './refuting.ts';

const FILE = 'export.litmus.toml';

describe('a counterexample as a test of isla', () => {
  const id = 'unmap-stage2-range/range-without-middle-dsb';

  it('is allowed by our own reading of the test, and forbidden with the missing barrier', () => {
    const { machine, steps } = refuting(id, 'no-access-after-return');
    const text = textOf(exportIsla(machine, steps, id));
    expect(text).toContain('    TLBI IPAS2E1IS,X3\n    TLBI VMALLE1IS\n    DSB ISH\n');
    expect(verdict(FILE, text)).toBe('allowed');
    const mended = text.replace('    TLBI VMALLE1IS', '    DSB ISH\n    TLBI VMALLE1IS');
    expect(verdict(FILE, mended)).toBe('forbidden');
  });

  it('says what cannot be expressed', () => {
    const { machine, steps } = refuting(id, 'no-access-after-return');
    expect(exportIsla(machine, steps.slice(0, -1), id)).toEqual({
      kind: 'no',
      why: 'only accesses through a removed translation can be expressed: the reference has neither caches nor owners of pages.',
    });
  });
});
