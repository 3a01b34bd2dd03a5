import type { Mutant } from './mutate.ts';

/** Mutants that no run can tell from the original, and why. */
interface HarmlessMutants {
  /** Matches the id after the `#`. */
  readonly pattern: RegExp;
  /** The only candidate it is said of; all when not given. */
  readonly candidate?: string;
  readonly why: string;
}

/**
 * Arguments for mutants of the v5.8 unmap path and of its right deferrals that survive. A survivor without an argument is a hole
 * in the rules or the scenarios; an argument for a mutant that is refuted is out of date. Each
 * redundant step is a finding about v5.8, or about what this model can tell apart.
 */
const HARMLESS: readonly HarmlessMutants[] = [
  {
    pattern: /^(drop|narrow-scope|swap)@.*kvm_set_pte:200 < unmap_stage2_ptes:269/,
    why: 'The flush that follows begins with the same store barrier (tlb.c:142); the one of kvm_set_pte is needed where a mapping is made.',
  },
  {
    pattern: /^drop@dsb at __kvm_tlb_flush_vmid_ipa:142 < unmap_stage2_ptes:270$/,
    why: 'kvm_set_pte has just ended with the same store barrier (mmu.c:200). For blocks and tables there is no such barrier, and the mutant is refuted.',
  },
  {
    pattern: /^narrow-scope@dsb at __kvm_tlb_flush_vmid_(ipa:142|range:201) /,
    why: 'Limit of the model: a store becomes visible to all PEs at once, so a store barrier for the own PE is as good as one for the domain.',
  },
  {
    pattern: /^leaf-only@IPAS2E1IS at __kvm_tlb_flush_vmid_ipa:154 < unmap_stage2_/,
    why: 'What was cleared is a leaf; nothing refers to a table through it.',
  },
  {
    pattern: /^level-hint@IPAS2E1IS at __kvm_tlb_flush_vmid_ipa:154 < unmap_stage2_pmds:298$/,
    why: 'The hint is right: the entry is a leaf at level 2 (4K; with other granules the TTL does not fit).',
  },
  {
    pattern:
      /^drop@isb at (__kvm_tlb_flush_vmid_ipa:165|__kvm_tlb_flush_vmid_range:220|__tlb_switch_to_host_vhe:105|kvm_call_hyp:460) /,
    why: 'The host PE itself uses none of the removed translations, and each later use of its context is synchronised by an ISB or exception of its own.',
  },
  {
    pattern: /^drop@context at __tlb_switch_to_host_vhe:103 /,
    why: 'Every user of VTTBR_EL2 loads it first, and at EL2 the VMID concerns no translation of the host. What may be filled in the meantime belongs to the VM and is still removed by its later flushes.',
  },
  {
    pattern: /^narrow-scope@dsb at __flush_dcache_area:109 /,
    why: 'Limit of the model: cache maintenance takes effect for all observers in one event, so the DSB has only to wait for the own PE.',
  },
  {
    pattern: /^swap@dsb at __flush_dcache_area:109 < \w+:\d+ and (unlock|store|dc civac) at /,
    why: 'A DSB still comes before the operation returns (its own, or that of the next page), and nobody relies on the page before that.',
  },
  {
    pattern: /(VMALLE1IS|dsb) at __kvm_tlb_flush_vmid_ipa:(162|163|164) < clear_stage2_/,
    why: 'A table is found only through entries of stage 2 alone: IPAS2E1IS removes them, and each of the two DSBs after it completes that. VMALLE1IS is for combined entries, which name no stage-2 table. (Limit of the model: one stage-2 walk is one event, so no walk is under way while it waits.)',
  },
  {
    pattern: /^swap@free-page at clear_stage2_\w+:\d+ and (store|unlock|dsb) /,
    why: 'The page is out of the tables and of every cache when it is freed; what the host does next does not concern it.',
  },
  {
    pattern: /^leaf-only@IPAS2E1IS at __kvm_tlb_flush_vmid_range:213 /,
    why: 'Tables have had a flush of their own before the range flush; what is left are leaves. A deferral could use the leaf-only form.',
  },
  {
    pattern: /^swap@store at unmap_stage2_pmds:297 and store at clear_stage2_pud_entry:181$/,
    why: 'Both entries are cleared before the flush of the table begins, and nothing relies on which was first.',
  },
  {
    pattern: /^(drop|narrow-scope|swap)@.*dsb at kvm_set_pmd:206 < unmap_stage2_pmds:297/,
    why: 'Second walk over entries that are invalid already: no PE uses them, so when the zero becomes visible does not matter.',
  },
  {
    pattern: /^drop@dmb at kvm_mmu_notifier_invalidate_range_end:454$/,
    why: 'Sequence and count are written under mmu_lock, and the fault path looks at both under the same lock (mmu_notifier_retry); before the lock it reads the sequence only. The lock orders what the barrier orders.',
  },
  {
    pattern: /^narrow-scope@dsb at __flush_icache_all:136 /,
    why: 'Limit of the model: an I-cache operation takes effect on all PEs it reaches in one event, so the DSB has only to wait for the own PE.',
  },
  {
    candidate: 'unmap-stage2-range/range-without-threshold',
    pattern:
      /^(drop@dsb at|swap@store at unmap_stage2_pmds:297 and dsb at) __kvm_tlb_flush_vmid_range:201 /,
    why: 'Limit of the bounds: what lacks the store barrier is a block, which takes 512 TLBIs here; the store leaves a window of 31 instructions before the last of them. With one TLBI for the block (all other forms) the mutant is refuted.',
  },
  {
    candidate: 'unmap-stage2-range/range-without-threshold',
    pattern: /^(drop@dsb|swap@dc civac) at __flush_dcache_area:109 < unmap_stage2_pmds:300\b/,
    why: 'Limit of the bounds: what would show it is a block, which takes 512 TLBIs here, beside a reader on another PE. With one TLBI for the block (all other forms) the mutant is refuted.',
  },
  {
    candidate: 'unmap-stage2-range/per-page-flush-repeat-tlbi',
    pattern: /^(drop|narrow-scope|swap)@.*\bdsb at __kvm_tlb_flush_vmid_ipa:(142|154|162|163) /,
    why: 'Each TLBI is done twice with a DSB in between, so each of these DSBs has a twin: the one in between completes the clear (142) and orders stage 2 before the second stage-1 TLBI (162), and 162 and 164 complete what 154 and 163 do. One of them can go, both cannot.',
  },
];

/** Why a mutant is expected to survive; null: it must be refuted. */
export function harmlessReason(mutant: Pick<Mutant, 'id'>): string | null {
  const [candidate, mutation = ''] = mutant.id.split('#');
  const found = HARMLESS.find(
    (each) =>
      (each.candidate === undefined || each.candidate === candidate) && each.pattern.test(mutation),
  );
  return found?.why ?? null;
}
