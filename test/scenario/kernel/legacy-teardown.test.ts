import { describe, expect, test } from 'vitest';
import { needing, tree58 } from '../../frontend/kernel-c/trees.ts';
import { baseOf, type Edit, opened, verdictOf } from './on-tree.ts';

const REUSED = 'the VM ends, its tables are unmapped and freed, and its VMID goes to another one';
const RUNNING = "the VM's stage 2 is taken down while a vCPU may still be entered";

const NO_FLUSH: Edit = {
  file: 'arch/arm64/kvm/mmu.c',
  what: /(static void kvm_tlb_flush_vmid_ipa[^{]*\{)[^}]*\}/,
  by: '$1}',
};
const NO_END: Edit = {
  file: 'arch/arm64/kvm/arm.c',
  what: /kvm_call_hyp\(__kvm_flush_vm_context\);/,
  by: '',
};

/** Either of the two invalidations is enough for a VM that has ended; a vCPU needs the first. */
const CASES: readonly (readonly [string, readonly Edit[], string, string])[] = [
  ['as it is', [], REUSED, 'verified'],
  ['as it is', [], RUNNING, 'verified'],
  ['no invalidation at the end of a generation', [NO_END], REUSED, 'verified'],
  ['no invalidation of entries', [NO_FLUSH], REUSED, 'verified'],
  ['neither of them', [NO_FLUSH, NO_END], REUSED, 'break-before-make'],
  ['no invalidation of entries', [NO_FLUSH], RUNNING, 'no-walk-of-freed-table'],
];

describe('the end of a VM in the C of 5.8', { timeout: 60_000 }, () => {
  for (const [name, edits, scenario, expected] of CASES) {
    test.skipIf(tree58.root === null)(
      `${needing(tree58, `${name}, ${scenario}: ${expected}`)}`,
      () => {
        const tree =
          edits.length === 0 ? baseOf(tree58) : opened(tree58, edits, undefined, baseOf(tree58));
        for (const machine of [{ fwb: true }, { fwb: true, vhe: false, e2h: false }]) {
          expect(verdictOf(tree, scenario, machine)).toBe(expected);
        }
      },
    );
  }
});
