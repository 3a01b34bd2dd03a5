import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DEFAULT_FEATURES } from '../../src/arm64/features.ts';
import type { Candidate } from '../../src/candidates/candidate.ts';
import { makeLeaf, makeTable } from '../../src/candidates/kvm-v5_8/pgtable.ts';
import { runAlone } from '../../src/candidates/run-alone.ts';
import { deferredRangeFlush } from '../../src/candidates/unmap-stage2-range/deferred-range-flush.ts';
import { perPageFlush } from '../../src/candidates/unmap-stage2-range/per-page-flush.ts';
import { openVm, unmapRequest } from '../../src/candidates/world/open-vm.ts';
import { applyPatch } from '../../src/frontend/kernel-c/patch/apply-patch.ts';
import { parsePatch } from '../../src/frontend/kernel-c/patch/parse-patch.ts';
import { type Kernel, loadKernel } from '../../src/frontend/kernel-c/profile/kernel.ts';
import {
  KVM_V5_8,
  KVM_V5_8_NVHE,
  kvmEnvironment,
} from '../../src/frontend/kernel-c/profile/kvm-v5_8.ts';
import { react } from '../../src/frontend/kernel-c/runtime/react.ts';
import { initialState } from '../../src/frontend/kernel-c/runtime/state.ts';
import { advance, startThread } from '../../src/frontend/kernel-c/vm/advance.ts';
import { worldOf } from '../../src/scenario/build.ts';
import { defaultScenario, type Scenario } from '../../src/scenario/scenario.ts';
import { needing, tree58 } from '../frontend/kernel-c/trees.ts';
import { ok, runKernel, searchKernel, visibles } from './on-kernel.ts';

const SEED = process.env['TLBGATE_SEED'] ?? '../shared/seed/343304b125a2bcfd.txt';
const ready = tree58.root !== null && existsSync(SEED);

/** Functions of the kernel that make descriptors, as values the test can ask for. */
const ENCODERS = `
u64 tlbgate_page(u64 pfn)
{
	return pte_val(kvm_s2pte_mkexec(kvm_s2pte_mkwrite(kvm_pfn_pte(pfn, PAGE_S2))));
}
u64 tlbgate_block(u64 pfn)
{
	return pmd_val(kvm_s2pmd_mkexec(kvm_s2pmd_mkwrite(kvm_pmd_mkhuge(kvm_pfn_pmd(pfn, PAGE_S2)))));
}
u64 tlbgate_device(u64 pfn)
{
	return pte_val(kvm_s2pte_mkwrite(kvm_pfn_pte(pfn, PAGE_S2_DEVICE)));
}
u64 tlbgate_table(u64 pa)
{
	return pmd_val(kvm_mk_pmd((pte_t *)__va(pa)));
}
`;

const loaded = new Map<string, Kernel>();

function kernel(patched: boolean, vhe = true): Kernel {
  const key = `${patched} ${vhe}`;
  const known = loaded.get(key);
  if (known !== undefined) return known;
  const patch = parsePatch(readFileSync(SEED, 'utf8'));
  const overlay = patched ? applyPatch(patch, tree58.read).overlay : new Map<string, string>();
  const profile = {
    ...(vhe ? KVM_V5_8 : KVM_V5_8_NVHE),
    appended: [...KVM_V5_8.appended, { path: '<test>', text: ENCODERS }],
  };
  const made = ok(loadKernel(profile, tree58.read, overlay));
  loaded.set(key, made);
  return made;
}

function scenario(change: Partial<Scenario>, fwb = false): Scenario {
  const features = { ...DEFAULT_FEATURES, fwb };
  return { ...defaultScenario(perPageFlush.id, features), ...change };
}

/** What the TypeScript candidate does in the same world. */
function candidateEffects(
  candidate: Candidate,
  of: Scenario,
  choices: readonly number[],
): readonly string[] {
  const world = worldOf(of, candidate);
  const vm = world.vms[0];
  if (vm === undefined) throw new Error('no VM');
  const request = unmapRequest(world, vm, of.afterwards);
  return visibles(runAlone(candidate.host(openVm(world, vm), request), world, choices).effects);
}

/** Asks a function of the kernel for a value; it must do nothing that others can see. */
function ask(of: Kernel, fwb: boolean, name: string, argument: bigint): bigint {
  const features = { ...DEFAULT_FEATURES, fwb };
  const environment = ok(
    kvmEnvironment(of, {
      features,
      vmid: 1,
      ipaBits: 40,
      levels: 3,
      root: 0n,
      tables: new Map(),
      words: new Set(),
      hasStructPage: () => null,
      watchedLines: () => [],
      lock: 0,
      reschedule: 'never',
    }),
  );
  let at = startThread(of.program, 0, name, [argument]);
  while (at.kind === 'event') {
    const reaction = react(of.program, at.event, environment, initialState(environment));
    if (reaction.kind === 'stop') throw new Error(`${name}: ${reaction.message}`);
    if (reaction.kind === 'ask') throw new Error(`${name} asks for ${reaction.text}`);
    at = advance(of.program, at.state, reaction.answer);
  }
  if (at.kind === 'stopped') throw new Error(at.diagnostic.message);
  return at.value ?? 0n;
}

const SHAPES: readonly (readonly [string, Partial<Scenario>, readonly number[]])[] = [
  ['two pages across a border, lock kept', { layout: 'across' }, [0]],
  ['two pages across a border, lock dropped', { layout: 'across' }, [1]],
  ['two pages in one table that stays', { layout: 'adjacent', keepTables: true }, []],
  ['one page whose tables are freed', { layout: 'adjacent', pages: 1 }, []],
  ['a block', { mapping: 'block', layout: 'adjacent', pages: 1 }, []],
  ['a page and a block', { mapping: 'mixed', layout: 'adjacent' }, []],
  ['512 pages, two of them mapped', { layout: 'adjacent', range: 'wide' }, []],
  ['pages with a guest that has its own tables', { view: 'non-cacheable' }, [0]],
];

describe('unmap_stage2_range of v5.8 as C on the machine', { timeout: 120_000 }, () => {
  test.skipIf(!ready)(
    `${needing(tree58, 'the descriptors of our worlds are those of v5.8')}`,
    () => {
      for (const fwb of [false, true]) {
        const { features } = scenario({}, fwb);
        const vm = worldOf(scenario({}, fwb), perPageFlush).vms[0];
        if (vm === undefined) throw new Error('no VM');
        const leaf = { write: true, execute: true, device: false };
        const output = 0x8040_0000n;
        const asked = (name: string, argument: bigint): bigint =>
          ask(kernel(false), fwb, name, argument);
        const { geometry } = vm;
        expect(asked('tlbgate_page', output >> 12n)).toBe(
          makeLeaf(geometry, features, 3, output, leaf),
        );
        expect(asked('tlbgate_block', output >> 12n)).toBe(
          makeLeaf(geometry, features, 2, output, leaf),
        );
        expect(asked('tlbgate_device', output >> 12n)).toBe(
          makeLeaf(geometry, features, 3, output, { write: true, execute: false, device: true }),
        );
        expect(asked('tlbgate_table', output)).toBe(makeTable(geometry, features, 2, output));
      }
    },
  );

  for (const patched of [false, true]) {
    const candidate = patched ? deferredRangeFlush : perPageFlush;
    const side = patched ? 'after the seed' : 'before the seed';
    for (const [name, change, choices] of SHAPES) {
      test.skipIf(!ready)(
        `${needing(tree58, `${side}, C and ${candidate.id} do the same: ${name}`)}`,
        () => {
          for (const fwb of [false, true]) {
            const of = scenario(change, fwb);
            const run = runKernel(kernel(patched), of, choices);
            expect(visibles(run.effects)).toEqual(candidateEffects(candidate, of, choices));
          }
        },
      );
    }
  }

  test.skipIf(!ready)(
    `${needing(tree58, 'without VHE, C and candidates do the same, and it is safe before the seed')}`,
    () => {
      for (const patched of [false, true]) {
        const candidate = patched ? deferredRangeFlush : perPageFlush;
        for (const icache of ['pipt', 'vpipt'] as const) {
          const features = { ...DEFAULT_FEATURES, vhe: false, e2h: false, icache };
          const of = scenario({ features });
          const run = runKernel(kernel(patched, false), of, [1]);
          expect(visibles(run.effects)).toEqual(candidateEffects(candidate, of, [1]));
          expect(searchKernel(kernel(patched, false), of).kind).toBe(
            patched ? 'violation' : 'exhausted',
          );
        }
      }
    },
  );

  test.skipIf(!ready)(
    `${needing(tree58, 'before the seed it is safe, with and without FWB')}`,
    () => {
      for (const fwb of [false, true]) {
        expect(searchKernel(kernel(false), scenario({}, fwb))).toMatchObject({ kind: 'exhausted' });
      }
    },
  );

  test.skipIf(!ready)(
    `${needing(tree58, 'after the seed the host reads stale data without FWB')}`,
    () => {
      const found = searchKernel(kernel(true), scenario({}));
      expect(found).toMatchObject({ kind: 'violation', rule: { id: 'contents-after-return' } });
    },
  );

  test.skipIf(!ready)(`${needing(tree58, 'after the seed it is safe with FWB')}`, () => {
    expect(searchKernel(kernel(true), scenario({}, true))).toMatchObject({ kind: 'exhausted' });
  });

  test.skipIf(!ready)(`${needing(tree58, 'effects name the lines of the patched files')}`, () => {
    const { effects } = runKernel(kernel(true), scenario({ layout: 'adjacent' }));
    const clean = effects.find(({ kind }) => kind === 'dc')?.location;
    const invalidations = effects.filter(({ kind }) => kind === 'tlbi');
    expect(clean?.caller?.caller).toMatchObject({
      file: 'arch/arm64/kvm/mmu.c',
      function: 'unmap_stage2_ptes',
    });
    expect(invalidations.at(-1)?.location).toMatchObject({
      file: 'arch/arm64/kvm/hyp/tlb.c',
      function: '__kvm_tlb_flush_vmid_range',
    });
  });
});
