import type { Hafdbs } from '../../../arm64/features.ts';
import type { Done } from './instruction.ts';
import type { Operands } from './operands.ts';
import { type RuntimeState, withRegister } from './state.ts';

/** VTTBR_EL2.BADDR and VTCR_EL2.HA, HD (Arm ARM D17.2). */
const BADDR = 0xffff_ffff_fffen;
const VMID_SHIFT = 48n;
const HARDWARE_ACCESS_FLAG = 1n << 21n;
const HARDWARE_DIRTY = 1n << 22n;

/** Registers whose value only the code itself sees, or that the machine takes with VTTBR_EL2. */
const PRIVATE: ReadonlySet<string> = new Set(['daif', 'hcr_el2']);

/** `msr register, value`. */
export function writeSystemRegister(
  name: string,
  value: bigint,
  operands: Operands,
  state: RuntimeState,
  supported: Hafdbs,
): Done {
  const silent = (next: RuntimeState): Done => ({ kind: 'silent', operands, state: next });
  const stop = (message: string): Done => ({ kind: 'stop', message });
  if (name.endsWith('_el2') && !state.atEl2) return stop(`${name} is written at EL1`);
  if (PRIVATE.has(name)) return silent(withRegister(state, name, value));
  switch (name) {
    case 'daifset':
    case 'daifclr': {
      // Interrupts are not modelled; the mask is kept because the code reads it back.
      const mask = state.registers.get('daif');
      if (mask === undefined) return stop('the interrupt mask is changed before it has a value');
      const bits = value << 6n;
      return silent(withRegister(state, 'daif', name === 'daifset' ? mask | bits : mask & ~bits));
    }
    case 'vtcr_el2': {
      const stage2 = state.registers.get('vttbr_el2');
      return stage2 !== undefined && stage2 !== 0n && state.registers.get(name) !== value
        ? stop('VTCR_EL2 changes while VTTBR_EL2 points to tables, which is not modelled')
        : silent(withRegister(state, name, value));
    }
    case 'vttbr_el2':
      return loadStage2(value, withRegister(state, name, value), supported);
    default:
      return stop(
        `the code writes the system register ${name}, which is not modelled; src/frontend/kernel-c/runtime/system-registers.ts must learn it`,
      );
  }
}

/** VTTBR_EL2: the VMID and the tables in force. All zero is what KVM loads for the host. */
function loadStage2(value: bigint, state: RuntimeState, supported: Hafdbs): Done {
  const control = state.registers.get('vtcr_el2');
  if (value !== 0n && control === undefined) {
    return { kind: 'stop', message: 'VTTBR_EL2 is loaded before VTCR_EL2 has a value' };
  }
  const vmid = Number(value >> VMID_SHIFT);
  const flags = control ?? 0n;
  // Where the hardware has no such updates the bits are RES0, so setting them is harmless.
  const hardwareUpdate =
    supported === 'none' || (flags & HARDWARE_ACCESS_FLAG) === 0n
      ? 'none'
      : supported === 'af' || (flags & HARDWARE_DIRTY) === 0n
        ? 'af'
        : 'af+dbm';
  const stage2 = value === 0n ? null : ({ root: value & BADDR, hardwareUpdate } as const);
  return {
    kind: 'effect',
    effect: { kind: 'context', change: { vmid, stage2 } },
    text: `VTTBR_EL2 := VMID ${vmid}${stage2 === null ? ', no tables' : ''}`,
    state,
  };
}
