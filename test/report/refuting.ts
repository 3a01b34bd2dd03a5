import { DEFAULT_FEATURES } from '../../src/arm64/features.ts';
import { findCandidate } from '../../src/candidates/catalogue.ts';
import { machineOf } from '../../src/explore/check.ts';
import { readLitmus } from '../../src/explore/litmus-case.ts';
import { runLitmus } from '../../src/explore/litmus-run.ts';
import { search } from '../../src/explore/search.ts';
import type { Machine } from '../../src/machine/machine.ts';
import type { Transition } from '../../src/machine/transition.ts';
import type { Exported } from '../../src/report/export-run.ts';
import { ruleById } from '../../src/rules/all-rules.ts';
import { defaultScenario, type Scenario } from '../../src/scenario/scenario.ts';

/** A shortest run of a candidate that breaks a rule, with one page and one vCPU. */
export function refuting(
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

/** Our own reading of an exported test; the file name says in which format it is. */
export function verdict(file: string, text: string): 'allowed' | 'forbidden' {
  const parsed = readLitmus(file, text, { variants: [] });
  if (parsed.kind === 'problem') throw new Error(parsed.problem.message);
  return runLitmus(parsed.test, { states: 50_000 }).holding > 0 ? 'allowed' : 'forbidden';
}

/** The text of a test that has to be there. */
export function textOf(exported: Exported): string {
  if (exported.kind === 'no') throw new Error(exported.why);
  return exported.text;
}
