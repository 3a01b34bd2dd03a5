import { describe, expect, test } from 'vitest';
import { DEFAULT_FEATURES } from '../../../src/arm64/features.ts';
import { findViolation } from '../../../src/explore/check.ts';
import { createMachine } from '../../../src/machine/machine.ts';
import { ALL_RULES } from '../../../src/rules/all-rules.ts';
import { openTree } from '../../../src/scenario/kernel/open-tree.ts';
import { ok } from '../on-kernel.ts';
import { changed, readSmallTree } from '../small-tree/tree.ts';

const MMU = 'arch/arm64/kvm/mmu.c';

describe('a family of kernels', () => {
  test('a tree is recognised, and each scenario of its library can be built', () => {
    const tree = ok(openTree(readSmallTree, new Map()));
    expect(tree.profile).toBe('kvm-s2-legacy');
    for (const scenario of tree.scenarios) {
      expect(tree.prepare(scenario, DEFAULT_FEATURES)).toMatchObject({ kind: 'ready' });
    }
    const [scenario] = tree.scenarios;
    const lpa2 = { ...DEFAULT_FEATURES, granule: '64k' } as const;
    expect(scenario && tree.prepare(scenario, lpa2)).toMatchObject({ kind: 'impossible' });
  });

  test('what was read of the environment is assumed, and what was not is not', () => {
    const tree = ok(openTree(readSmallTree, new Map()));
    const scenario = tree.scenarios.find(({ name }) => name.includes('cacheable'));
    const made = scenario && tree.prepare(scenario, DEFAULT_FEATURES);
    if (made?.kind !== 'ready') throw new Error('not ready');
    findViolation(createMachine(made.setup), ALL_RULES, { states: 100_000 }, true);
    const words = tree.assumed().map(({ kind, name, value }) => `${kind} ${name} ${value}`);
    expect(words).toContain('capability ARM64_HAS_STAGE2_FWB absent');
    expect(words.some((word) => word.startsWith('global kvm->arch.vmid '))).toBe(true);
    expect(words.filter((word) => word.includes('icache'))).toEqual([]);
    expect(words.some((word) => word.startsWith('intercept put_page '))).toBe(true);
  });

  test('what is no kernel tree, or of no family, is said in one sentence', () => {
    const failures: readonly (readonly [ReturnType<typeof openTree>, RegExp])[] = [
      [openTree(() => null, new Map()), /not the root of a kernel tree/],
      [
        openTree(readSmallTree, changed(MMU, 'void unmap_stage2_range(', 'void other(')),
        /no profile fits this kernel tree; there are kvm-s2-legacy/,
      ],
      [
        openTree(readSmallTree, new Map(), { profile: 'kvm-legacy' }),
        /there is no profile "kvm-legacy". Did you mean "kvm-s2-legacy"\?/,
      ],
    ];
    for (const [outcome, sentence] of failures) {
      expect(outcome.kind === 'failed' ? outcome.diagnostic.message : '').toMatch(sentence);
    }
  });
});
