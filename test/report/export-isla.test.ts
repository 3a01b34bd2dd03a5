import { describe, expect, it } from 'vitest';
import { DEFAULT_FEATURES } from '../../src/arm64/features.ts';
import { findCandidate } from '../../src/candidates/catalogue.ts';
import { machineOf } from '../../src/explore/check.ts';
import { readLitmus } from '../../src/explore/litmus-case.ts';
import { runLitmus } from '../../src/explore/litmus-run.ts';
import { search } from '../../src/explore/search.ts';
import type { Machine } from '../../src/machine/machine.ts';
import type { Transition } from '../../src/machine/transition.ts';
import { exportIsla, type Exported } from '../../src/report/export-isla.ts';
import { ruleById } from '../../src/rules/all-rules.ts';
import { defaultScenario, type Scenario } from '../../src/scenario/scenario.ts';

/** A shortest run of a candidate that breaks a rule, with one page and one vCPU. */
function refuting(
  id: string,
  ruleId: string,
  change: Partial<Scenario> = {},
): { readonly machine: Machine; readonly steps: readonly Transition[] } {
  const candidate = findCandidate(id);
  const rule = ruleById(ruleId);
  if (candidate === null || rule === null) throw new Error(`${id} or ${ruleId} is gone`);
  const features = { ...DEFAULT_FEATURES, fwb: true };
  const scenario = {
    ...defaultScenario(id, features),
    pages: 1,
    keepTables: true,
    layout: 'adjacent' as const,
    afterwards: 'nothing' as const,
    window: 2,
    ...change,
  };
  const machine = machineOf(scenario, candidate);
  if ('kind' in machine) throw new Error(machine.message);
  const found = search(
    machine,
    { states: 50_000 },
    {
      reduced: true,
      violation: (facts) => facts.map((fact) => rule.check(fact)).find((m) => m !== null) ?? null,
    },
  );
  if (found.kind !== 'violation') throw new Error(`${id} is not refuted: ${found.kind}`);
  return { machine, steps: found.trace };
}

function verdict(text: string): string {
  const parsed = readLitmus('export.litmus.toml', text, { variants: [] });
  if (parsed.kind === 'problem') throw new Error(parsed.problem.message);
  return runLitmus(parsed.test, { states: 50_000 }).holding > 0 ? 'allowed' : 'forbidden';
}

function textOf(exported: Exported): string {
  if (exported.kind === 'no') throw new Error(exported.why);
  return exported.text;
}

describe('a counterexample as a test of isla', () => {
  const id = 'unmap-stage2-range/range-without-middle-dsb';

  it('is allowed by our own reading of the test, and forbidden with the missing barrier', () => {
    const { machine, steps } = refuting(id, 'no-access-after-return');
    const text = textOf(exportIsla(machine, steps, id));
    expect(text).toContain('    TLBI IPAS2E1IS,X3\n    TLBI VMALLE1IS\n    DSB ISH\n');
    expect(verdict(text)).toBe('allowed');
    const mended = text.replace('    TLBI VMALLE1IS', '    DSB ISH\n    TLBI VMALLE1IS');
    expect(verdict(mended)).toBe('forbidden');
  });

  it('says what cannot be expressed', () => {
    const { machine, steps } = refuting(id, 'no-access-after-return');
    expect(exportIsla(machine, steps.slice(0, -1), id)).toEqual({
      kind: 'no',
      why: 'only accesses through a removed translation can be expressed: the reference has neither caches nor owners of pages.',
    });
  });
});
