import type { Fault } from '../../../program/effect.ts';
import type { Code } from '../assembly/code.ts';
import type { ExprTable } from '../expr-table.ts';
import { codeAddressOf } from '../thread/code-address.ts';
import type { ExceptionCause, ThreadProgram } from '../thread/thread-program.ts';
import type { ThreadState } from '../thread/thread-state.ts';

/** Exception classes (ESR_ELx.EC). */
const EC = { unknown: 0x00n, svc: 0x15n, hvc: 0x16n, dataLower: 0x24n, dataSame: 0x25n } as const;

/** ESR_ELx.IL: a 32-bit instruction. */
const IL = 1n << 25n;

/** SPSR_ELx.M for the exception levels, without the stack pointer bit. */
const MODES: Readonly<Record<0 | 1 | 2, bigint>> = { 0: 0b0000n, 1: 0b0100n, 2: 0b1000n };

/**
 * Exceptions by the architecture: to the vectors of VBAR_ELx, with ELR, SPSR, ESR, FAR and HPFAR. A
 * stage-1 fault and SVC go to EL1, a stage-2 fault and HVC to EL2; from EL2 all go to EL2. Where the
 * vector has no code the run is dropped: the thread would take exceptions for ever.
 *
 * `collapsed`: the test runs at EL2 only, and its EL2 regime is shown to the machine as a stage-1
 * EL1&0 regime, so entries and returns are to EL1 there.
 */
export function islaExceptions(
  code: Code,
  table: ExprTable,
  collapsed: boolean,
): Pick<ThreadProgram, 'takeException' | 'returnFromException'> {
  return {
    takeException(state, cause) {
      const slot = code.slots[state.pc];
      if (slot === undefined) throw new Error('exception outside of code');
      const target = targetLevel(state, cause);
      const link = slot.address + (cause.kind === 'svc' || cause.kind === 'hvc' ? 4n : 0n);
      const base = state.system.get(`VBAR_EL${target}`);
      const offset = target > state.el ? 0x400n : state.spsel === 1 ? 0x200n : 0n;
      const pc = base?.kind === 'const' ? code.slotAt(base.value + offset) : undefined;
      const system = new Map(state.system);
      const write = (name: string, value: bigint): void =>
        void system.set(name, table.constant(value));
      write(`ELR_EL${target}`, link);
      write(`SPSR_EL${target}`, MODES[state.el] | (state.el === 0 ? 0n : BigInt(state.spsel)));
      write(`ESR_EL${target}`, syndrome(state, cause, target));
      if (cause.kind === 'fault') {
        if (cause.fault.stage === 1) write(`FAR_EL${target}`, cause.fault.address);
        else write('HPFAR_EL2', (cause.fault.address >> 12n) << 4n);
      }
      return {
        ...state,
        system,
        pc: pc ?? state.pc,
        el: target,
        spsel: 1,
        status: pc === undefined ? 'stuck' : 'runs',
        phase: { kind: 'enter', toEl: collapsed ? 1 : target, after: 'handler' },
      };
    },
    returnFromException(state) {
      const link = state.system.get(`ELR_EL${state.el}`);
      const saved = state.system.get(`SPSR_EL${state.el}`);
      const pc = link === undefined ? undefined : code.slotAt(codeAddressOf(code, state.pc, link));
      if (state.el === 0 || pc === undefined) return { ...state, status: 'ended' };
      const mode = saved?.kind === 'const' ? saved.value : 0n;
      const level = Number((mode >> 2n) & 3n);
      if (level > state.el) return { ...state, status: 'ended' };
      const el = level === 2 ? 2 : level === 1 ? 1 : 0;
      const spsel = el !== 0 && (mode & 1n) !== 0n ? 1 : 0;
      if (el === 2 && !collapsed) return { ...state, status: 'stuck' };
      const toEl = collapsed ? 1 : el === 0 ? 0 : 1;
      return { ...state, pc, el, spsel, phase: { kind: 'return', toEl } };
    },
  };
}

function targetLevel(state: ThreadState, cause: ExceptionCause): 1 | 2 {
  if (state.el === 2 || cause.kind === 'hvc') return 2;
  return cause.kind === 'fault' && cause.fault.stage === 2 ? 2 : 1;
}

function syndrome(state: ThreadState, cause: ExceptionCause, target: 1 | 2): bigint {
  const make = (ec: bigint, iss: bigint): bigint => (ec << 26n) | IL | iss;
  switch (cause.kind) {
    case 'fault':
      return make(target > state.el ? EC.dataLower : EC.dataSame, faultStatus(cause.fault));
    case 'svc':
      return make(EC.svc, cause.immediate & 0xffffn);
    case 'hvc':
      return make(EC.hvc, cause.immediate & 0xffffn);
    case 'undefined':
      return make(EC.unknown, 0n);
  }
}

const STATUS: Readonly<Record<Fault['cause'], bigint>> = {
  'address-size': 0b000000n,
  translation: 0b000100n,
  'access-flag': 0b001000n,
  permission: 0b001100n,
};

/** ISS of a data abort: DFSC, WnR, S1PTW. */
function faultStatus(fault: Fault): bigint {
  const level = BigInt(Math.max(0, fault.level));
  return (
    STATUS[fault.cause] |
    level |
    (fault.access === 'write' ? 1n << 6n : 0n) |
    (fault.onWalk ? 1n << 7n : 0n)
  );
}
