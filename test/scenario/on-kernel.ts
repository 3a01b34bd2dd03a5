import type { HostCode } from '../../src/candidates/host-code.ts';
import { runAlone, type SequentialRun } from '../../src/candidates/run-alone.ts';
import { perPageFlush } from '../../src/candidates/unmap-stage2-range/per-page-flush.ts';
import { findViolation, type Found } from '../../src/explore/check.ts';
import type { Outcome } from '../../src/frontend/kernel-c/diagnostic.ts';
import type { Kernel } from '../../src/frontend/kernel-c/profile/kernel.ts';
import { createMachine } from '../../src/machine/machine.ts';
import type { Effect } from '../../src/program/effect.ts';
import type { ThreadTree } from '../../src/program/thread-tree.ts';
import { ALL_RULES } from '../../src/rules/all-rules.ts';
import type { Rule } from '../../src/rules/rule.ts';
import { worldOf } from '../../src/scenario/build.ts';
import { kernelUnmapSetup, kernelUnmapThread } from '../../src/scenario/kernel-unmap.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';

/** The value of an outcome that the test relies on. */
export function ok<T>(outcome: Outcome<T>): T {
  if (outcome.kind === 'ok') return outcome.value;
  const { file, line, message } = outcome.diagnostic;
  throw new Error(`${file}:${line}: ${message}`);
}

/** Searches all states of a scenario in which the host runs C. */
export function searchKernel(kernel: Kernel, scenario: Scenario): Found {
  const machine = createMachine(ok(kernelUnmapSetup(kernel, scenario)));
  return findViolation(machine, ALL_RULES, { states: 1_000_000 }, true);
}

/** `verified`, or the families of all rules that are broken. */
export function verdictOfKernel(kernel: Kernel, scenario: Scenario): string {
  const machine = createMachine(ok(kernelUnmapSetup(kernel, scenario)));
  const broken: Rule[] = [];
  for (;;) {
    const left = ALL_RULES.filter((rule) => !broken.includes(rule));
    const found = findViolation(machine, left, { states: 1_000_000 }, true);
    if (found.kind === 'limit') return 'inconclusive';
    if (found.kind !== 'violation') break;
    broken.push(found.rule);
  }
  if (broken.length === 0) return 'verified';
  return `refuted ${ALL_RULES.filter((rule) => broken.includes(rule))
    .map(({ family }) => family)
    .join(' ')}`;
}

/** Runs the C of a scenario alone on plain memory. */
export function runKernel(
  kernel: Kernel,
  scenario: Scenario,
  choices: readonly number[] = [],
): SequentialRun<void> {
  const tree = ok(kernelUnmapThread(kernel, scenario));
  return runAlone(codeOf(tree), worldOf(scenario, perPageFlush), choices);
}

/** A thread tree as host code. */
function* codeOf(tree: ThreadTree): HostCode {
  for (let node = tree.root; ;) {
    const effect = tree.effectAt(node);
    if (effect === null) return;
    node = tree.next(node, yield effect);
  }
}

/** What others can see of an effect, with its operands; `null` for a load, which changes nothing. */
export function visible(effect: Effect): string | null {
  if (effect.kind === 'load') return null;
  const known: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(effect)) {
    if (key !== 'location') known[key] = value;
  }
  return JSON.stringify(known, (_key, value: unknown) => {
    if (typeof value === 'bigint') return `0x${value.toString(16)}`;
    return value;
  });
}

/** The visible effects of a run, in order. */
export function visibles(effects: readonly Effect[]): readonly string[] {
  return effects.flatMap((effect) => visible(effect) ?? []);
}
