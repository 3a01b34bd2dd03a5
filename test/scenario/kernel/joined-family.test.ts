import { describe, expect, test } from 'vitest';
import { DEFAULT_FEATURES } from '../../../src/arm64/features.ts';
import { scenarioLibrary } from '../../../src/cli/scenario-library.ts';
import type { ReadFile } from '../../../src/frontend/kernel-c/read-file.ts';
import { familyOf, openTree } from '../../../src/scenario/kernel/open-tree.ts';
import { ok } from '../on-kernel.ts';
import { readSmallPgtable } from '../small-pgtable/tree.ts';
import { readSmallStage1 } from '../small-stage1/tree.ts';

/** A tree that has both KVM and processes. */
const read: ReadFile = (path) => readSmallStage1(path) ?? readSmallPgtable(path);

const FLUSH = 'arch/arm64/include/asm/tlbflush.h';
const CONTPTE = 'arch/arm64/mm/contpte.c';
const KVM = 'arch/arm64/kvm/mmu.c';
const BOTH = 'kvm-pgtable+stage1-flush';

function chosen(changed: readonly string[], wanted: string | null = null): string {
  const overlay = new Map(changed.map((path) => [path, read(path) ?? '']));
  return ok(familyOf(read, overlay, wanted)).name;
}

describe('a tree of several families', () => {
  test('is of the first, and of those that a patch concerns', () => {
    expect(chosen([])).toBe('kvm-pgtable');
    expect(chosen([KVM])).toBe('kvm-pgtable');
    expect(chosen([FLUSH])).toBe(BOTH);
    expect(chosen([KVM, CONTPTE])).toBe(BOTH);
    expect(chosen([CONTPTE])).toBe('stage1-flush');
    expect(chosen(['mm/pgtable-generic.c', CONTPTE])).toBe('stage1-flush');
    expect(chosen([CONTPTE], 'kvm-pgtable')).toBe('kvm-pgtable');
    expect(chosen([], BOTH)).toBe(BOTH);
    expect(chosen([], 'stage1-flush+stage1-flush')).toBe('stage1-flush');
  });

  test('an unknown name among several is named', () => {
    const outcome = familyOf(read, new Map(), 'kvm-pgtable+stage1-flus');
    expect(outcome.kind === 'failed' ? outcome.diagnostic.message : '').toMatch(
      /there is no profile "stage1-flus". Did you mean "stage1-flush"\?/,
    );
  });

  test('joined, it has the scenarios of each, on one set of machines', () => {
    const files = scenarioLibrary();
    const tree = ok(openTree(read, new Map(), { files, profile: BOTH }));
    const single = (profile: string): readonly string[] =>
      ok(openTree(read, new Map(), { files, profile })).scenarios.map(({ name }) => name);
    const names = tree.scenarios.map(({ name }) => name);
    expect(names).toEqual([...single('kvm-pgtable'), ...single('stage1-flush')]);
    expect(new Set(names).size).toBe(names.length);
    for (const scenario of [tree.scenarios[0], tree.scenarios.at(-1)]) {
      expect(scenario && tree.prepare(scenario, DEFAULT_FEATURES)).toMatchObject({ kind: 'ready' });
    }
    expect(tree.kernels().length).toBeGreaterThanOrEqual(2);
    const family = ok(familyOf(read, new Map(), BOTH));
    expect(family.fits(read)).toBe(true);
    expect(family.concerned(FLUSH)).toBe('shared');
    expect(family.matrix).toEqual(['fwb', 'vhe', 'tlbi-range']);
    expect(new Set(family.extraMachines.map(String)).size).toBe(family.extraMachines.length);
    const assumed = tree.assumed().map(({ kind, name }) => `${kind} ${name}`);
    expect(assumed).toContain('intercept __tlbgate_vm');
    expect(assumed).toEqual([...new Set(assumed)]);
  });
});
