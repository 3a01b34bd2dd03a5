import { HOLDS, refuted, type Candidate, type Refutation } from '../candidate.ts';
import { mapEffects } from '../map-effects.ts';
import { REUSE_PATTERN } from '../operation.ts';
import { store } from '../host-code.ts';
import { outputOf } from '../kvm-v5_8/pgtable.ts';
import {
  clearLeaf,
  flushLeaf,
  leafLocation,
  maintainLeaf,
  putLeaf,
} from '../kvm-v5_8/unmap-steps.ts';
import { V5_8_UNMAP } from '../kvm-v5_8/unmap-v5_8.ts';
import { STALE_LINE } from './deferred-range-flush.ts';
import { unmapCandidate } from './unmap-candidate.ts';

/**
 * Broken forms of v5.8, one per safety rule, so that a rule that never fires is noticed.
 *
 * | id | rule it breaks first |
 * | --- | --- |
 * | without-leaf-flush | P1: access through a removed translation |
 * | reuse-before-flush | P2: a page has a new owner under a live translation |
 * | free-table-before-flush | P3: walk of a freed table |
 * | map-stage2/make-before-break | P4: two live translations |
 * | replace-table-by-block/direct | P4: two live translations of different size |
 * | without-cache-maintenance | P5: the host does not read the last guest store |
 * | without-icache-step | P5 on the instruction side: the guest executes old instructions |
 * | memory-fault/without-clean | P5 on the way in: the guest does not read what the host stored |
 * | wrong-vmid | P6: maintenance for another VMID |
 * | write-protect/without-flush | P7: a write with a permission that was taken away |
 * | memory-fault/unconditional-break-before-make | P8: endless fault loop |
 * | without-unlock | P8: deadlock |
 * | per-page-flush, on cores with an erratum it does not know | P10: accesses not complete at the DSB |
 * | without-last-dsb | P1 with FWB, P5 otherwise: the TLBI is not complete |
 * | without-hyp-call | undefined: stage-2 maintenance at EL1 |
 * | without-dc-dsb | P5 on another PE: the cache maintenance is not complete |
 * | without-lock | locks: tables changed without the lock |
 */

export const withoutLeafFlush: Candidate = unmapCandidate({
  name: 'without-leaf-flush',
  title: 'v5.8 without the flush after a cleared entry',
  reference: [],
  expected: () =>
    refuted({ rule: 'P1', condition: 'when a PE has the entry cached', needs: ['kept-tables'] }),
  why: 'A cleared descriptor says nothing about what a TLB holds already.',
  plan: () => ({
    ...V5_8_UNMAP,
    *leaf(kvm, leaf) {
      yield* clearLeaf(kvm, leaf);
      yield* maintainLeaf(kvm, leaf);
      yield* putLeaf(kvm, leaf);
    },
  }),
});

export const reuseBeforeFlush: Candidate = unmapCandidate({
  name: 'reuse-before-flush',
  title: 'v5.8, but the guest page is given away before the flush',
  reference: [],
  expected: () =>
    refuted({ rule: 'P2', condition: 'when a vCPU uses the page before the flush', needs: [] }),
  why: 'The window between clear and flush is harmless only as long as the page stays what it was.',
  plan: () => ({
    ...V5_8_UNMAP,
    *leaf(kvm, leaf) {
      yield* clearLeaf(kvm, leaf);
      const page = outputOf(kvm, leaf.bits, leaf.level);
      const location = leafLocation(leaf, 'put', 'the guest page gets a new owner');
      yield { kind: 'announce', fact: { kind: 'page-reused', page }, location };
      yield store(page, REUSE_PATTERN, location);
      yield* flushLeaf(kvm, leaf);
      yield* putLeaf(kvm, leaf);
    },
  }),
});

export const withoutCacheMaintenance: Candidate = unmapCandidate({
  name: 'without-cache-maintenance',
  title: 'v5.8 without the cache maintenance after the flush',
  reference: ['363ef89f8e9bcedc28b976d0fe2d858fe139c122 (the fix of 2015)'],
  expected: ({ fwb }) =>
    fwb
      ? { verdict: 'holds' }
      : refuted({
          rule: 'P5',
          condition: 'without FWB, when the guest reaches the page past the caches',
          needs: ['non-cacheable-guest'],
        }),
  why: 'A clean line filled before a non-cacheable guest store stays and hides the store.',
  plan: () => ({
    ...V5_8_UNMAP,
    *leaf(kvm, leaf) {
      yield* clearLeaf(kvm, leaf);
      yield* flushLeaf(kvm, leaf);
      yield* putLeaf(kvm, leaf);
    },
  }),
});

const INCOMPLETE: Refutation = {
  rule: 'P1',
  condition: 'with FWB, when a PE has the entry cached',
  needs: ['kept-tables'],
};

/** v5.8 with its effects changed on the way out. */
function changed(
  form: Omit<Parameters<typeof unmapCandidate>[0], 'plan' | 'reference'>,
  replace: Parameters<typeof mapEffects>[1],
): Candidate {
  const base = unmapCandidate({ ...form, reference: [], plan: () => V5_8_UNMAP });
  return { ...base, host: (kvm, request) => mapEffects(base.host(kvm, request), replace) };
}

export const wrongVmid: Candidate = changed(
  {
    name: 'wrong-vmid',
    title: 'v5.8, but the flush loads the VMID of another VM',
    expected: () =>
      refuted(
        { rule: 'P6', condition: 'always', needs: [] },
        {
          rule: 'P1',
          condition: 'when a PE has the entry cached',
          needs: [],
        },
      ),
    why: 'TLBIs of the EL1&0 regime act on the VMID in force; entries of the VM stay.',
  },
  (effect) =>
    effect.kind === 'context' && effect.change.vmid !== undefined && effect.change.vmid !== 0
      ? [{ ...effect, change: { ...effect.change, vmid: effect.change.vmid + 100 } }]
      : [effect],
);

export const withoutIcacheStep: Candidate = changed(
  {
    name: 'without-icache-step',
    title: 'v5.8 without the I-cache step at the end of the flush',
    expected: ({ icache, vhe, dic }) =>
      icache === 'vpipt' && !vhe && !dic
        ? refuted({
            rule: 'P5',
            condition:
              'with a VPIPT I-cache and the host at EL1, when the page is filled anew and executed',
            needs: ['executed-again'],
          })
        : HOLDS,
    why:
      'Lines of a VPIPT I-cache are found by VMID. What the host invalidates at EL1 when it maps the ' +
      'page again are lines of its own VMID; the lines of the guest go only with the step at EL2.',
  },
  (effect) =>
    effect.kind === 'ic' && effect.location.function === '__flush_icache_all' ? [] : [effect],
);

export const withoutLastDsb: Candidate = changed(
  {
    name: 'without-last-dsb',
    title: 'v5.8 without the DSB after the stage-1 invalidation',
    expected: ({ fwb }) => refuted(fwb ? INCOMPLETE : STALE_LINE),
    why:
      'A TLBI takes effect at other PEs some time before the end of a following DSB of the same PE. ' +
      'Without FWB the DSB of the cache maintenance completes it, but the maintenance itself is too early.',
  },
  (effect) =>
    effect.kind === 'dsb' &&
    effect.location.line === 164 &&
    effect.location.function === '__kvm_tlb_flush_vmid_ipa'
      ? []
      : [effect],
);

export const withoutHypCall: Candidate = changed(
  {
    name: 'without-hyp-call',
    title: 'v5.8, but the flush runs where the host runs',
    expected: ({ vhe }) =>
      vhe ? HOLDS : refuted({ rule: 'undefined', condition: 'without VHE', needs: [] }),
    why: 'A host at EL1 has neither VTTBR_EL2 nor stage-2 maintenance; with VHE it runs at EL2.',
  },
  (effect) =>
    effect.location.function === '__kvm_call_hyp' &&
    (effect.kind === 'exception-entry' || effect.kind === 'exception-return')
      ? []
      : [effect],
);

export const withoutDcDsb: Candidate = changed(
  {
    name: 'without-dc-dsb',
    title: 'v5.8 without the DSB after the cache maintenance',
    expected: ({ fwb }) =>
      fwb
        ? HOLDS
        : refuted({
            rule: 'P5',
            condition: 'without FWB, when another PE reads the page',
            needs: ['kept-tables', 'read-elsewhere'],
          }),
    why:
      'DC operations are complete only after a DSB, and a store-release does not order them. ' +
      'The PE that issued them reads its own lines in order; another PE may still hit the old line.',
  },
  (effect) =>
    effect.kind === 'dsb' && effect.location.function === '__flush_dcache_area' ? [] : [effect],
);

export const withoutLock: Candidate = changed(
  {
    name: 'without-lock',
    title: 'v5.8 without the lock',
    expected: () => refuted({ rule: 'locks', condition: 'always', needs: [] }),
    why: 'Every other thread that changes the tables relies on the lock.',
  },
  (effect) => (effect.kind === 'lock' || effect.kind === 'unlock' ? [] : [effect]),
);

export const withoutUnlock: Candidate = changed(
  {
    name: 'without-unlock',
    title: 'v5.8, but the lock is never released',
    expected: () =>
      refuted({
        rule: 'P8',
        condition: 'when a second unmap wants the lock',
        needs: ['second-unmap'],
      }),
    why: 'The next thread that takes the lock waits for ever.',
  },
  (effect) => (effect.kind === 'unlock' ? [] : [effect]),
);
