import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_FEATURES } from '../src/arm64/features.ts';
import { scenarioLibrary } from '../src/cli/scenario-library.ts';
import { findViolation } from '../src/explore/check.ts';
import type { Outcome } from '../src/frontend/kernel-c/diagnostic.ts';
import { createMachine } from '../src/machine/machine.ts';
import { ALL_RULES } from '../src/rules/all-rules.ts';
import type { LoadedTree } from '../src/scenario/kernel/family.ts';
import { openTree } from '../src/scenario/kernel/open-tree.ts';

/** What loading a kernel tree takes. */
export interface LoadRow {
  readonly tree: string;
  readonly profile: string;
  /** The tree as it is, from nothing. */
  readonly loadMs: number;
  /** The same with a changed `tlb.c`, after it. */
  readonly againMs: number;
  /** Memory of the process after both. */
  readonly megabytes: number;
}

/** What one scenario of a tree takes, with FWB. */
export interface ScenarioRow {
  readonly tree: string;
  readonly scenario: string;
  /** The kernel's own code makes the first tables. */
  readonly setupMs: number;
  readonly result: string;
  readonly states: number;
  readonly searchMs: number;
}

const TLB = ['arch/arm64/kvm/hyp/tlb.c', 'arch/arm64/kvm/hyp/vhe/tlb.c'];

/** Rows for each kernel tree that a `TLBGATE_TREE_*` variable names. */
export function kernelRows(
  now: () => number,
  states: number,
): { readonly loads: readonly LoadRow[]; readonly scenarios: readonly ScenarioRow[] } {
  const loads: LoadRow[] = [];
  const scenarios: ScenarioRow[] = [];
  for (const version of ['5_8', '6_1', '6_12']) {
    const root = process.env[`TLBGATE_TREE_${version}`];
    if (root === undefined) continue;
    const tree = version.replace('_', '.');
    const read = (path: string): string | null => {
      const full = join(root, path);
      return existsSync(full) && statSync(full).isFile() ? readFileSync(full, 'utf8') : null;
    };
    const files = scenarioLibrary('scenarios');
    const start = now();
    const base = opened(openTree(read, new Map(), { files }));
    const loaded = now();
    const path = TLB.find((each) => read(each) !== null) ?? '';
    const overlay = new Map([[path, `${read(path) ?? ''}\n/* changed */\n`]]);
    opened(openTree(read, overlay, { files, base }));
    loads.push({
      tree,
      profile: base.profile,
      loadMs: loaded - start,
      againMs: now() - loaded,
      megabytes: process.memoryUsage().rss / 1e6,
    });
    for (const scenario of base.scenarios) {
      const before = now();
      const prepared = base.prepare(scenario, { ...DEFAULT_FEATURES, fwb: true });
      if (prepared.kind !== 'ready') continue;
      const ready = now();
      const found = findViolation(createMachine(prepared.setup), ALL_RULES, { states }, true);
      scenarios.push({
        tree,
        scenario: scenario.name,
        setupMs: ready - before,
        result: { exhausted: 'verified', violation: 'refuted', limit: 'limit' }[found.kind],
        states: found.states,
        searchMs: now() - ready,
      });
    }
  }
  return { loads, scenarios };
}

function opened(outcome: Outcome<LoadedTree>): LoadedTree {
  if (outcome.kind === 'ok') return outcome.value;
  const { file, line, message } = outcome.diagnostic;
  throw new Error(`${file}:${line}: ${message}`);
}
