import { HOLDS, refuted, type Candidate } from '../candidate.ts';
import { withHardware } from '../hardware.ts';
import { noEffect } from '../host-code.ts';
import { KERNEL, MMU_C } from '../kvm-v5_8/source-files.ts';
import { V5_8_UNMAP } from '../kvm-v5_8/unmap-v5_8.ts';
import {
  userMemAbort,
  userMemAbortWith,
  V5_8_FAULT,
  V5_8_MAP,
  type FaultPlan,
} from '../kvm-v5_8/user-mem-abort.ts';
import { unmapOperation } from '../operation.ts';

function faultCandidate(form: {
  readonly name: string;
  readonly title: string;
  readonly reference: readonly string[];
  readonly expected: Candidate['expected'];
  readonly why: string;
  readonly plan: FaultPlan;
  /** Whether the v5.8 unmap path runs beside the faults. */
  readonly beside: 'nothing' | 'unmap';
}): Candidate {
  return {
    id: `memory-fault/${form.name}`,
    title: form.title,
    mirrors: [
      { kernel: KERNEL, file: MMU_C, function: 'user_mem_abort' },
      { kernel: KERNEL, file: MMU_C, function: 'stage2_set_pte' },
    ],
    reference: form.reference,
    // The unmap path runs beside it in some scenarios, and frees tables there.
    expected: (features) =>
      withHardware(form.expected(features), features, { repeats: false, freesTables: true }),
    why: form.why,
    operation: form.beside === 'unmap' ? 'unmap' : 'fault',
    host: (kvm, request) =>
      form.beside === 'unmap'
        ? unmapOperation(kvm, () => V5_8_UNMAP, request)
        : noEffect(undefined),
    // That of v5.8 is known by its identity where no other is looked at.
    fault:
      form.plan === V5_8_FAULT
        ? userMemAbort
        : (kvm, fault) => userMemAbortWith(kvm, form.plan, fault),
  };
}

export const skipEqualFault: Candidate = faultCandidate({
  name: 'skip-if-equal',
  title: 'v5.8: two vCPUs fault on one page; the second finds the entry as it wants it',
  reference: ['976d34e2dab1'],
  expected: () => HOLDS,
  why: 'An entry that already has the value is left alone, so the first vCPU keeps what it got.',
  plan: V5_8_FAULT,
  beside: 'nothing',
});

export const unconditionalBreakFault: Candidate = faultCandidate({
  name: 'unconditional-break-before-make',
  title: 'the entry is broken and made again even when nothing changes',
  reference: ['976d34e2dab1 (what it fixed)'],
  expected: () =>
    refuted({
      rule: 'P8',
      condition: 'when two vCPUs want the same page',
      needs: ['two-faulting-vcpus'],
    }),
  why: 'Each vCPU takes away the entry that the other one has just been given; both can fault for ever.',
  plan: { ...V5_8_FAULT, map: { ...V5_8_MAP, skipEqual: false } },
  beside: 'nothing',
});

export const lockedFault: Candidate = faultCandidate({
  name: 'install-under-lock',
  title: 'v5.8: a fault beside an unmap, with the notifier looked at under the lock',
  reference: ['v5.8-rc7'],
  expected: () => HOLDS,
  why:
    'The lock makes the fault path see either the notifier’s count or its new sequence, so no page ' +
    'that was looked up before the unmap is mapped after it.',
  plan: V5_8_FAULT,
  beside: 'unmap',
});

export const unlockedFault: Candidate = faultCandidate({
  name: 'install-without-lock',
  title: 'the fault path maps the page without the lock',
  reference: [],
  expected: () =>
    refuted(
      { rule: 'locks', condition: 'always', needs: ['notified-fault-path'] },
      {
        rule: 'P2',
        condition: 'when the page is given away after the unmap',
        needs: ['notified-fault-path', 'page-reuse'],
      },
    ),
  why: 'The check of the notifier and the store of the entry are no longer one step for the unmap path.',
  plan: { ...V5_8_FAULT, locked: false },
  beside: 'unmap',
});

export const uncleanedFault: Candidate = faultCandidate({
  name: 'without-clean',
  title: 'the fault path maps the page without cleaning it',
  reference: [],
  expected: ({ fwb }) =>
    fwb
      ? HOLDS
      : refuted({
          rule: 'P5',
          condition:
            'without FWB, when a guest that goes past the caches reads what the host has put there',
          needs: ['read-again'],
        }),
  why:
    'The host’s stores are in a dirty line. A guest with its MMU off, or with a non-cacheable mapping, ' +
    'reads memory. With FWB it has no such view, and v5.8 does not clean there either.',
  plan: { ...V5_8_FAULT, cleans: false },
  beside: 'unmap',
});
