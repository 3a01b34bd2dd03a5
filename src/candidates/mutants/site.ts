import type { Effect } from '../../program/effect.ts';
import type { SourceLocation } from '../../program/source-location.ts';

/**
 * Where in the source an effect comes from, so that all its dynamic occurrences are mutated together:
 * `function:line`, then the calls that distinguish one use of a routine from another.
 */
export type Site = string;

/** Calls that every use goes through and that tell nothing apart. */
const TRANSPARENT: ReadonlySet<string> = new Set([
  'kvm_call_hyp',
  '__kvm_call_hyp',
  'kvm_tlb_flush_vmid_ipa',
  'kvm_tlb_flush_vmid_range',
  'kvm_flush_remote_tlbs',
  '__kvm_flush_dcache_pte',
  '__kvm_flush_dcache_pmd',
  '__kvm_flush_dcache_pud',
  '__clean_dcache_guest_page',
  'kvm_unmap_hva_handler',
]);

/** The site of an effect. */
export function siteOf(effect: Effect): Site {
  const parts: string[] = [];
  let at: SourceLocation | undefined = effect.location;
  for (let first = true; at !== undefined; at = at.caller, first = false) {
    if (first || !TRANSPARENT.has(at.function)) parts.push(`${at.function}:${at.line}`);
  }
  // Two effects of one line differ in what they are.
  return `${nameOf(effect)} at ${parts.join(' < ')}`;
}

function nameOf(effect: Effect): string {
  switch (effect.kind) {
    case 'tlbi':
      return effect.op;
    case 'dc':
    case 'ic':
      return `${effect.kind} ${effect.op}`;
    default:
      return effect.kind;
  }
}
