import type { Features } from '../../arm64/features.ts';
import type { Candidate, Expectation, Mirror } from '../candidate.ts';
import { withHardware } from '../hardware.ts';
import { userMemAbort } from '../kvm-v5_8/user-mem-abort.ts';
import { KERNEL, KVM_MAIN_C, MMU_C, TLB_C } from '../kvm-v5_8/source-files.ts';
import type { PlanMaker } from '../kvm-v5_8/unmap-plan.ts';
import { unmapOperation } from '../operation.ts';

/** Functions of v5.8 that every form of the unmap path stands for. */
const UNMAP_MIRRORS: readonly Mirror[] = [
  ...[
    'unmap_stage2_range',
    'unmap_stage2_p4ds',
    'unmap_stage2_puds',
    'unmap_stage2_pmds',
    'unmap_stage2_ptes',
    'clear_stage2_p4d_entry',
    'clear_stage2_pud_entry',
    'clear_stage2_pmd_entry',
  ].map((name) => ({ kernel: KERNEL, file: MMU_C, function: name })),
  { kernel: KERNEL, file: TLB_C, function: '__kvm_tlb_flush_vmid_ipa' },
  { kernel: KERNEL, file: KVM_MAIN_C, function: 'kvm_mmu_notifier_invalidate_range_start' },
];

/** What is particular to one form. */
export interface UnmapForm {
  /** Second part of the id. */
  readonly name: string;
  readonly title: string;
  readonly reference: readonly string[];
  readonly expected: (features: Features) => Expectation;
  readonly why: string;
  readonly plan: PlanMaker;
  /** Each TLBI is done twice, as a workaround; false in v5.8 for cores it does not know. */
  readonly repeats?: boolean;
}

/** A form of the unmap path as a candidate. */
export function unmapCandidate(form: UnmapForm): Candidate {
  return {
    id: `unmap-stage2-range/${form.name}`,
    title: form.title,
    mirrors: UNMAP_MIRRORS,
    reference: form.reference,
    expected: (features) =>
      withHardware(form.expected(features), features, {
        repeats: form.repeats ?? false,
        freesTables: true,
      }),
    why: form.why,
    operation: 'unmap',
    host: (kvm, request) => unmapOperation(kvm, form.plan, request),
    fault: userMemAbort,
  };
}
