import type { Features } from '../../arm64/features.ts';
import { refuted, type Candidate, type Expectation, type Mirror } from '../candidate.ts';
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

/**
 * What v5.8 itself relies on, and every form with it: completion of a TLBI at its DSB, and that one
 * IPA drops the cached table descriptor above it.
 */
function withHardware(form: UnmapForm, features: Features): Expectation {
  const expected = form.expected(features);
  if (expected.verdict === 'refuted') return expected;
  if (features.erratumRepeatTlbi && form.repeats !== true) {
    return refuted({
      rule: 'P10',
      condition: 'on a core with the repeat-TLBI erratum that v5.8 does not know',
      needs: ['kept-tables'],
    });
  }
  if (!features.readingTableDropByAnyIpa) {
    return refuted({
      rule: 'P3',
      condition: 'if one IPA need not drop the cached table descriptor above it',
      needs: ['freed-tables'],
    });
  }
  return expected;
}

/** A form of the unmap path as a candidate. */
export function unmapCandidate(form: UnmapForm): Candidate {
  return {
    id: `unmap-stage2-range/${form.name}`,
    title: form.title,
    mirrors: UNMAP_MIRRORS,
    reference: form.reference,
    expected: (features) => withHardware(form, features),
    why: form.why,
    operation: 'unmap',
    host: (kvm, request) => unmapOperation(kvm, form.plan, request),
    fault: userMemAbort,
  };
}
