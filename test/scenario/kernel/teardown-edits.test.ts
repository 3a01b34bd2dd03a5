import { describe, expect, test } from 'vitest';
import type { Features } from '../../../src/arm64/features.ts';
import { needing, tree61, tree612 } from '../../frontend/kernel-c/trees.ts';
import { baseOf, type Edit, opened, verdictOf } from './on-tree.ts';

const VHE = 'arch/arm64/kvm/hyp/vhe/tlb.c';
const NVHE = 'arch/arm64/kvm/hyp/nvhe/tlb.c';
const VMIDS = 'arch/arm64/kvm/vmid.c';

const REUSED = 'the VM ends, and its VMID goes to another one';
const FRESH = 'the VM ends, and another one gets a VMID of its own';
const NO_VHE: Partial<Features> = { vhe: false, e2h: false };

/** A change of what stands between two lives of a VMID. */
interface Case {
  readonly name: string;
  readonly edit: Edit;
  readonly scenario: string;
  readonly machine: Partial<Features>;
  readonly expected: string;
}

const FLUSH: Edit = { file: VMIDS, what: /kvm_call_hyp\(__kvm_flush_vm_context\);/, by: '' };

const CASES: readonly Case[] = [
  {
    name: 'no invalidation when VMIDs are used up',
    edit: FLUSH,
    scenario: REUSED,
    machine: {},
    expected: 'break-before-make',
  },
  {
    name: 'no invalidation when VMIDs are used up: harmless while each is new',
    edit: FLUSH,
    scenario: FRESH,
    machine: {},
    expected: 'verified',
  },
  {
    name: 'an invalidation of one PE',
    edit: { file: VHE, what: /__tlbi\(alle1is\);/, by: '__tlbi(alle1);' },
    scenario: REUSED,
    machine: {},
    expected: 'break-before-make',
  },
  {
    name: 'an invalidation of one PE without VHE',
    edit: { file: NVHE, what: /__tlbi\(alle1is\);/, by: '__tlbi(alle1);' },
    scenario: REUSED,
    machine: NO_VHE,
    expected: 'break-before-make',
  },
  {
    name: 'nobody waits for the invalidation',
    edit: { file: VHE, what: /(__tlbi\(alle1is\);\s*)__tlbi_sync_s1ish_hyp\(\);/, by: '$1' },
    scenario: REUSED,
    machine: {},
    expected: 'break-before-make',
  },
  {
    name: 'no DSB before the invalidation: harmless, for no entry has changed that it is for',
    edit: {
      file: VHE,
      what: /(__kvm_flush_vm_context\(void\)\s*\{\s*)dsb\(ishst\);/,
      by: '$1',
    },
    scenario: REUSED,
    machine: {},
    expected: 'verified',
  },
  {
    name: 'a VMID is given twice',
    edit: { file: VMIDS, what: /__set_bit\(vmid, vmid_map\);/, by: '' },
    scenario: FRESH,
    machine: {},
    expected: 'break-before-make',
  },
];

describe.each([
  { version: '6.1', tree: tree61 },
  { version: '6.12', tree: tree612 },
])('changes of the end of a VM in the C of $version', { timeout: 60_000 }, ({ tree }) => {
  for (const { name, edit, scenario, machine, expected } of CASES) {
    test.skipIf(tree.root === null)(`${needing(tree, `${name}: ${expected}`)}`, () => {
      expect(verdictOf(baseOf(tree), scenario, machine)).toBe('verified');
      const edited = opened(tree, [edit], undefined, baseOf(tree));
      expect(verdictOf(edited, scenario, machine)).toBe(expected);
    });
  }
});
