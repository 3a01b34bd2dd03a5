import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ownConformance, type OwnConformance } from '../../src/explore/conformance.ts';
import { isLitmusFile } from '../../src/explore/litmus-case.ts';
import type { MachineFault } from '../../src/machine/fault.ts';
import { ownText } from '../../src/report/conformance-text.ts';
import { ownFolder } from '../litmus/own-tests.ts';

/** What litmus tests have no words for: see test/machine/fault.test.ts. */
const OTHERWISE: readonly MachineFault[] = ['bypass-ignored', 'fetch-sees-memory'];

function run(): OwnConformance {
  const own = ownConformance(ownFolder, { states: 100_000 });
  if ('problem' in own) throw new Error(own.problem);
  return own;
}

describe("the project's own litmus tests", () => {
  const own = run();

  it('allow exactly what their reasoning allows', () => {
    const wrong = own.comparisons.filter(({ result }) => result !== 'equal');
    expect(wrong.map(({ key, missing, extra, note }) => [key, missing, extra, note])).toEqual([]);
    expect(own.comparisons.length).toBe(ownFolder.files.filter(isLitmusFile).length);
  });

  it('all come with their reasoning', () => {
    for (const { key } of own.comparisons) expect(own.reasons.get(key)).toMatch(/[\w)]\.$/);
  });

  it.each([...own.noticedBy])('notice the fault %s', (fault, by) => {
    if (OTHERWISE.includes(fault)) expect(by).toEqual([]);
    else expect(by).not.toEqual([]);
  });

  it('are described in docs/conformance.md as they are', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/conformance.md'), 'utf8');
    expect(page.includes(ownText(own)), 'run `npm run conformance`').toBe(true);
  });
});
