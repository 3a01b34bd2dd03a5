import type { Granule } from '../../arm64/granule.ts';
import { loopStep, loopThreshold, vaddrOperand } from '../../arm64/tlbi-loop.ts';
import { within } from '../../program/source-location.ts';
import { call, dsb, isb, tlbi, type HostCode } from '../host-code.ts';
import { flushIcacheAll } from './flush.ts';
import { kvmCallHyp } from './hyp-call.ts';
import type { Kvm } from './kvm.ts';
import { MMU_C, TLB_C } from './source-files.ts';
import { tlbSwitchToGuest, tlbSwitchToHost } from './tlb-context.ts';
import type { IpaRange } from './unmap-plan.ts';

/** What can be different in a range flush. Numbers are in operand units, 4 KiB for every granule. */
export interface RangeFlushForm {
  /** Removes stage-2 information of one IPA. */
  readonly stage2Op: string;
  /** Removes stage-1 and combined information of the VMID. */
  readonly stage1Op: string;
  /** What the large branch uses instead of both. */
  readonly wholeOp: string;
  readonly order: 'stage2-first' | 'stage1-first';
  /** A DSB between the two stages. */
  readonly middleDsb: boolean;
  /** What is added to the operand for the next page. */
  readonly step: (granule: Granule) => bigint;
  /** From this difference on the large branch is taken; null: never. */
  readonly threshold: (granule: Granule) => bigint | null;
  /** The end of the range before it becomes an operand. */
  readonly roundEnd: (end: bigint, granule: Granule) => bigint;
}

/** `__kvm_tlb_flush_vmid_range` as the seed has it. */
export const SEED_RANGE_FLUSH: RangeFlushForm = {
  stage2Op: 'IPAS2E1IS',
  stage1Op: 'VMALLE1IS',
  wholeOp: 'VMALLS12E1IS',
  order: 'stage2-first',
  middleDsb: true,
  step: loopStep,
  threshold: loopThreshold,
  roundEnd: (end) => end,
};

/**
 * `kvm_tlb_flush_vmid_range`: one flush for a whole part of the IPA space. Lines are those of the
 * patched files (blobs bcc719c32921 and 4f4737a7e588).
 */
export function* kvmTlbFlushVmidRange(
  kvm: Kvm,
  range: IpaRange,
  form: RangeFlushForm = SEED_RANGE_FLUSH,
): HostCode {
  yield* call(
    within(MMU_C, 'kvm_tlb_flush_vmid_range')(69, '__kvm_tlb_flush_vmid_range at EL2'),
    kvmCallHyp(kvm, '__kvm_tlb_flush_vmid_range', hypFlushVmidRange(kvm, range, form)),
  );
}

function* hypFlushVmidRange(kvm: Kvm, range: IpaRange, form: RangeFlushForm): HostCode {
  const at = within(TLB_C, '__kvm_tlb_flush_vmid_range');
  const { granule } = kvm.features;
  const first = vaddrOperand(range.start, 0);
  const last = vaddrOperand(form.roundEnd(range.end, granule), 0);
  yield dsb('st', 'ish', at(201, 'dsb(ishst)'));
  yield* call(at(205, 'switch to the VM'), tlbSwitchToGuest(kvm));
  const threshold = form.threshold(granule);
  if (threshold !== null && BigInt.asUintN(64, last - first) >= threshold) {
    yield tlbi(form.wholeOp, 0n, kvm.vmid, at(208, `__tlbi(${form.wholeOp.toLowerCase()})`));
  } else {
    const stage1 = tlbi(
      form.stage1Op,
      0n,
      kvm.vmid,
      at(215, `__tlbi(${form.stage1Op.toLowerCase()})`),
    );
    const middle = dsb('full', 'ish', at(214, 'dsb(ish)'));
    if (form.order === 'stage1-first') {
      yield stage1;
      if (form.middleDsb) yield middle;
    }
    for (let operand = first; operand < last; operand += form.step(granule)) {
      const text = `__tlbi(${form.stage2Op.toLowerCase()}, addr)`;
      yield tlbi(form.stage2Op, operand, kvm.vmid, at(213, text));
    }
    if (form.order === 'stage2-first') {
      if (form.middleDsb) yield middle;
      yield stage1;
    }
  }
  yield dsb('full', 'ish', at(219, 'dsb(ish)'));
  yield isb(at(220, 'isb()'));
  if (!kvm.features.vhe && kvm.features.icache === 'vpipt') {
    yield* call(at(223, 'VPIPT: whole I-cache'), flushIcacheAll(kvm));
  }
  yield* call(at(225, 'switch back'), tlbSwitchToHost(kvm));
}
