import { describe, expect, test } from 'vitest';
import { DEFAULT_FEATURES } from '../../src/arm64/features.ts';
import { applyPatch } from '../../src/frontend/kernel-c/patch/apply-patch.ts';
import { parsePatch } from '../../src/frontend/kernel-c/patch/parse-patch.ts';
import { type Kernel, loadKernel } from '../../src/frontend/kernel-c/profile/kernel.ts';
import { KVM_V5_8, KVM_V5_8_NVHE } from '../../src/frontend/kernel-c/profile/kvm-v5_8.ts';
import type { Overlay } from '../../src/frontend/kernel-c/read-file.ts';
import { defaultScenario, type Scenario } from '../../src/scenario/scenario.ts';
import { kernelUnmapThread } from '../../src/scenario/kernel-unmap.ts';
import { ok, runKernel, searchKernel } from './on-kernel.ts';
import { changed, readSmallTree } from './small-tree/tree.ts';

const MMU = 'arch/arm64/kvm/mmu.c';
const SMALL_H = 'arch/arm64/include/asm/small.h';
const TLB = 'arch/arm64/kvm/hyp/tlb.c';

function kernel(overlay: Overlay = new Map()): Kernel {
  return ok(loadKernel(KVM_V5_8, readSmallTree, overlay));
}

function scenario(change: Partial<Scenario> = {}, fwb = false): Scenario {
  const features = { ...DEFAULT_FEATURES, fwb };
  return { ...defaultScenario('unmap-stage2-range/per-page-flush', features), ...change };
}

/** The patch of an author who wants the flush after the cache maintenance. */
const FLUSH_LATE = `--- a/${MMU}
+++ b/${MMU}
@@ -28,4 +28,4 @@
 	WRITE_ONCE(*slot, 0);
-	flush_ops.one(kvm, ipa);
 	clean_page(old & OUTPUT, 1UL << shift);
+	flush_ops.one(kvm, ipa);
 	put_page(virt_to_page(slot));
`;

function late(): Overlay {
  return applyPatch(parsePatch(FLUSH_LATE), readSmallTree).overlay;
}

/** The sentence with which the C stops. */
function stopOf(overlay: Overlay): string {
  try {
    runKernel(kernel(overlay), scenario({ pages: 1, layout: 'adjacent' }));
  } catch (problem) {
    return problem instanceof Error ? problem.message : '';
  }
  return 'it ran';
}

describe('a small unmap in C on the machine', () => {
  test('its effects come in the order of the C, with the lines they come from', () => {
    const { effects } = runKernel(kernel(), scenario({ pages: 1, layout: 'adjacent' }));
    const kinds = effects.map(({ kind }) => kind).filter((kind) => kind !== 'load');
    const flush = ['dsb', 'context', 'isb', 'tlbi', 'dsb', 'tlbi', 'dsb', 'context', 'isb'];
    const table = ['store', ...flush, 'free-page'];
    const around = ['announce', 'announce', 'announce', 'store'];
    expect(kinds).toEqual(
      ['announce', 'lock', 'store', ...flush, 'dc', 'dsb'].concat(table, table, 'unlock', around),
    );
    expect(effects.find(({ kind }) => kind === 'dc')?.location).toMatchObject({
      file: MMU,
      line: 21,
      function: 'clean_page',
      caller: { file: MMU, line: 30, function: 'unmap_leaf' },
    });
  });

  test('the flush before the cache maintenance is safe', () => {
    expect(searchKernel(kernel(), scenario())).toMatchObject({ kind: 'exhausted' });
  });

  test('the flush after the cache maintenance loses a store of the guest without FWB', () => {
    expect(searchKernel(kernel(late()), scenario())).toMatchObject({
      kind: 'violation',
      rule: { id: 'contents-after-return' },
    });
  });

  test('the flush after the cache maintenance is safe with FWB', () => {
    expect(searchKernel(kernel(late()), scenario({}, true))).toMatchObject({ kind: 'exhausted' });
  });

  test('a missing flush and a forgotten wait are found', () => {
    const broken: readonly (readonly [Overlay, string])[] = [
      [changed(MMU, '\tflush_ops.one(kvm, ipa);\n\tclean', '\tclean'), 'no-access-after-return'],
      [
        changed(TLB, '\ttlbi(vmalle1is);\n\tdsb(ish);\n', '\ttlbi(vmalle1is);\n'),
        'no-access-after-return',
      ],
    ];
    for (const [overlay, rule] of broken) {
      // With FWB no DSB of the cache maintenance comes after the flush.
      const of = scenario({ keepTables: true, view: 'cacheable' }, true);
      expect(searchKernel(kernel(overlay), of)).toMatchObject({
        kind: 'violation',
        rule: { id: rule },
      });
    }
  });

  test('without VHE a hyp call is an exception and a return, and EL2 is nowhere else', () => {
    const features = { ...DEFAULT_FEATURES, vhe: false, e2h: false };
    const of = scenario({ features, pages: 1, layout: 'adjacent', keepTables: true });
    const load = (overlay: Overlay): Kernel =>
      ok(loadKernel(KVM_V5_8_NVHE, readSmallTree, overlay));
    const kinds = runKernel(load(new Map()), of).effects.map(({ kind }) => kind);
    expect(kinds.slice(kinds.indexOf('exception-entry'), kinds.indexOf('dc'))).toEqual([
      'exception-entry',
      'dsb',
      'context',
      'isb',
      'tlbi',
      'dsb',
      'tlbi',
      'dsb',
      'context',
      'isb',
      'exception-return',
    ]);
    const notCalled = changed(MMU, '\t.one = flush_one,', '\t.one = flush_ipa,');
    expect(() => runKernel(load(notCalled), of)).toThrow('vtcr_el2 is written at EL1');
    expect(() => runKernel(kernel(), of)).toThrow(RangeError);
  });

  test('a run is one line of nodes, and the same answer leads to the same node', () => {
    const tree = ok(kernelUnmapThread(kernel(), scenario({ reschedule: 'choose' })));
    const done = { kind: 'done' } as const;
    const lock = tree.next(tree.root, done);
    expect(tree.effectAt(lock)?.kind).toBe('lock');
    expect(tree.next(tree.root, done)).toBe(lock);
    const first = tree.next(lock, done);
    const none = tree.next(first, { kind: 'value', value: 0n });
    expect(tree.next(first, { kind: 'value', value: 0n })).toBe(none);
  });

  test('what nobody gave a meaning stops with one sentence', () => {
    const line = '\tdsb(ishst);\n';
    const stops: readonly (readonly [string, string])[] = [
      ['\tread_sysreg(sctlr_el1);\n', 'system register sctlr_el1, whose value nobody gave'],
      ['\twrite_sysreg(0, tcr_el1);\n', 'system register tcr_el1, which is not modelled'],
      [
        '\tasm volatile("at s12e1r, %0" : : "r"(ipa));\n',
        'instruction "at s12e1r, %0" is not known',
      ],
      ['\tasm volatile("dsb everywhere");\n', 'instruction "dsb everywhere" is not known'],
      ['\ttlbi(everything);\n', 'There is no TLBI "everything"'],
      ['\ttlbi(vmalle1is);\n', 'while HCR_EL2.TGE is set'],
      ['\tkvm->arch.vmid.generation++;\n', 'nobody said what the 8 bytes at tlbgate_kvm+8 hold'],
      ['\tkvm->arch.vtcr = 0;\n', 'which the profile of this kernel takes for constant'],
      ['\tcpus_have_const_cap(99);\n', 'whether CPU capability 99 of this tree is present'],
      ['\t*(u64 *)16 = 1;\n', 'lies neither in the linear map nor in an object'],
      ['\textern u64 some_global; dsb(ish); if (some_global) isb();\n', 'at some_global+0 hold'],
      ['\textern void some_function(void); some_function();\n', 'some_function() has no body'],
      ['\tasm goto("nop" : : : : out);\nout:\n', 'an asm goto is reached'],
      ['\t_raw_spin_lock(&kvm->mmu_lock);\n', 'a lock is taken that this thread holds already'],
    ];
    for (const [text, sentence] of stops) {
      expect(stopOf(changed(TLB, line, text))).toContain(sentence);
    }
  });

  test('a patch that edits what is not run is not judged', () => {
    const edits: readonly (readonly [Overlay, string])[] = [
      [changed(SMALL_H, 'return READ_ONCE(page->count);', 'return 1;'), 'edits page_count'],
      [changed(SMALL_H, '\twarn(#x, x)', '\t(x)'), 'edits WARN_ON'],
      [new Map([['arch/arm64/mm/cache.S', 'ret\n']]), 'edits assembly'],
      [new Map([[TLB, null]]), 'needs this file'],
    ];
    for (const [overlay, sentence] of edits) {
      const outcome = loadKernel(KVM_V5_8, readSmallTree, overlay);
      expect(outcome.kind === 'failed' ? outcome.diagnostic.message : '').toContain(sentence);
    }
    const other = changed(SMALL_H, '#define isb()', '#define unused 1\n#define isb()');
    expect(loadKernel(KVM_V5_8, readSmallTree, other).kind).toBe('ok');
  });

  test('scenarios that the profile cannot have are refused', () => {
    for (const change of [
      { hosts: 2 },
      { range: 'unaligned-end' },
      { afterwards: 'refill' },
    ] as const) {
      expect(() => kernelUnmapThread(kernel(), scenario(change))).toThrow(RangeError);
    }
  });
});
