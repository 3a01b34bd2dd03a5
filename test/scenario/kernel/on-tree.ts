import { scenarioLibrary } from '../../../src/cli/scenario-library.ts';
import { DEFAULT_FEATURES, type Features } from '../../../src/arm64/features.ts';
import { findViolation } from '../../../src/explore/check.ts';
import type { ReadFile } from '../../../src/frontend/kernel-c/read-file.ts';
import { createMachine } from '../../../src/machine/machine.ts';
import { ALL_RULES } from '../../../src/rules/all-rules.ts';
import type { Rule } from '../../../src/rules/rule.ts';
import type { LoadedTree } from '../../../src/scenario/kernel/family.ts';
import { openTree } from '../../../src/scenario/kernel/open-tree.ts';
import type { ScenarioSource } from '../../../src/scenario/kernel/scenario-file.ts';
import type { Tree } from '../../frontend/kernel-c/trees.ts';
import { ok } from '../on-kernel.ts';

/** A step taken out of the C of a tree or changed, by a pattern that the user's tree must have. */
export interface Edit {
  readonly file: string;
  readonly what: RegExp;
  readonly by: string;
}

/** Opens a tree with the library, or the files given, after the edits; `base` is the tree without them. */
export function opened(
  { read }: Pick<Tree, 'read'>,
  edits: readonly Edit[] = [],
  files: readonly ScenarioSource[] = scenarioLibrary(),
  base: LoadedTree | null = null,
  profile: string | null = null,
): LoadedTree {
  const overlay = new Map<string, string>();
  for (const { file, what, by } of edits) {
    const before = overlay.get(file) ?? read(file) ?? '';
    const after = before.replace(what, by);
    if (after === before) throw new Error(`${file} does not hold ${what.source}`);
    overlay.set(file, after);
  }
  const named = profile === null ? {} : { profile };
  return ok(
    openTree(read, overlay, base === null ? { files, ...named } : { files, base, ...named }),
  );
}

const unchanged = new Map<ReadFile, LoadedTree>();

/** A tree with the library as it is, opened once for all tests of a file. */
export function baseOf(tree: Pick<Tree, 'read'>): LoadedTree {
  const known = unchanged.get(tree.read) ?? opened(tree);
  unchanged.set(tree.read, known);
  return known;
}

/** `verified`, the id of the first rule that is broken, or why the scenario cannot be run. */
export function verdictOf(
  tree: LoadedTree,
  name: string,
  change: Partial<Features> = {},
  rules: readonly Rule[] = ALL_RULES,
): string {
  const scenario = tree.scenarios.find((each) => each.name === name);
  if (scenario === undefined) return 'no such scenario';
  const prepared = tree.prepare(scenario, { ...DEFAULT_FEATURES, ...change });
  switch (prepared.kind) {
    case 'impossible':
      return `impossible: ${prepared.reason}`;
    case 'failed':
      return `stopped: ${prepared.diagnostic.file}:${prepared.diagnostic.line}: ${prepared.diagnostic.message}`;
    case 'ready': {
      const machine = createMachine(prepared.setup);
      const found = findViolation(machine, rules, { states: 1_000_000 }, true);
      if (found.kind === 'violation') return found.rule.id;
      return found.kind === 'exhausted' ? 'verified' : 'inconclusive';
    }
  }
}

/**
 * Scenario files in which a CPU of the host runs into a WARN_ON at its end: each breaks `checks-hold`, or else
 * its host stops somewhere before, and a search that finds nothing says nothing.
 */
export function warningAtEnd(
  files: readonly ScenarioSource[],
  host: 'host' | 'host1',
): readonly ScenarioSource[] {
  const body = new RegExp(String.raw`(void ${host}\(void\)\n\{[^]*?)\n\}`);
  return files
    .filter(({ text }) => body.test(text))
    .map((file) => ({ ...file, text: file.text.replace(body, '$1\n\tWARN_ON(1);\n}') }));
}

const NO_VHE = { vhe: false, e2h: false };
const RANGE = { tlbiOs: true, tlbiRange: true };

/** FWB, VHE and range TLBIs, each off and on. */
export const MACHINES: readonly Partial<Features>[] = [{}, NO_VHE].flatMap((level) =>
  [{}, RANGE].flatMap((range) =>
    [{}, { fwb: true }].map((fwb): Partial<Features> => ({ ...level, ...range, ...fwb })),
  ),
);
