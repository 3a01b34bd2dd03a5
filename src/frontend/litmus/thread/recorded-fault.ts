import type { Fault } from '../../../program/effect.ts';

/** A fault or call that a thread took, for conditions such as `fault(P0:L0,x)`. */
export interface RecordedFault {
  readonly kind: Fault['cause'] | 'supervisor-call' | 'undefined-instruction';
  /** Labels of the instruction. */
  readonly labels: readonly string[];
  /** Faulting address (VA of stage 1, IPA of stage 2); null where there is none. */
  readonly address: bigint | null;
  readonly stage: 1 | 2 | null;
  readonly key: string;
}

/** The record of a fault or call at an instruction with the labels. */
export function recordFault(
  kind: RecordedFault['kind'],
  labels: readonly string[],
  fault: Fault | null,
): RecordedFault {
  const address = fault?.address ?? null;
  const stage = fault?.stage ?? null;
  return { kind, labels, address, stage, key: `${kind},${labels.join('+')},${address},${stage}` };
}

/** The set with one more element, in canonical order. */
export function addFault(
  faults: readonly RecordedFault[],
  fault: RecordedFault,
): readonly RecordedFault[] {
  if (faults.some((known) => known.key === fault.key)) return faults;
  return [...faults, fault].sort((a, b) => (a.key < b.key ? -1 : 1));
}
