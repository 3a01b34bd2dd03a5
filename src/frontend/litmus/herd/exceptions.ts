import type { Code } from '../assembly/code.ts';
import type { ExprTable } from '../expr-table.ts';
import { codeAddressOf } from '../thread/code-address.ts';
import type { ThreadProgram } from '../thread/thread-program.ts';
import { addFault, recordFault, type RecordedFault } from '../thread/recorded-fault.ts';
import { withSystem, type ThreadState } from '../thread/thread-state.ts';

/**
 * What herd7 does with a fault for which the thread has no handler (option `-variant`):
 *
 * - `fatal` (`precise`): the thread ends;
 * - `handled` (`imprecise`): the instruction runs again, and a further fault is not an execution;
 * - `skip` (`faultToNext`): the next instruction runs. After SVC the last two are the same.
 */
export type FaultHandling = 'fatal' | 'handled' | 'skip';

/** herd7's exceptions (herd/mem.ml, `add_fault`; AArch64Sem.ml, I_ERET). */
export function herdExceptions(
  code: Code,
  table: ExprTable,
  handler: number | null,
  handling: FaultHandling,
  user: boolean,
): Pick<ThreadProgram, 'takeException' | 'returnFromException'> {
  return {
    takeException(state, cause) {
      const slot = code.slots[state.pc];
      if (slot === undefined) throw new Error('exception outside of code');
      const kind = kindOf(cause);
      const fault = cause.kind === 'fault' ? cause.fault : null;
      const faults = addFault(state.faults, recordFault(kind, slot.labels, fault));
      const isCall = cause.kind === 'svc' || cause.kind === 'hvc';
      const recorded: ThreadState = { ...state, faults };
      // "Fault inside a fault handler": herd7 drops the execution.
      if (state.inHandler) return { ...recorded, status: 'stuck' };
      const link = table.constant(slot.address + (isCall ? 4n : 0n));
      const entered = withSystem(recorded, 'ELR_EL1', link);
      const enter = (
        after: 'handler' | 'return' | 'end',
        to: Partial<ThreadState>,
      ): ThreadState => ({
        ...entered,
        phase: { kind: 'enter', toEl: 1, after },
        ...to,
      });
      if (handler !== null) return enter('handler', { pc: handler, el: 1, inHandler: true });
      if (handling === 'fatal') {
        return isCall ? enter('end', {}) : { ...recorded, status: 'ended' };
      }
      if (handling === 'handled' && !isCall) return enter('handler', { el: 1, inHandler: true });
      return enter(user ? 'return' : 'handler', { pc: state.pc + 1 });
    },
    returnFromException(state) {
      const link = state.system.get('ELR_EL1');
      const pc = link === undefined ? undefined : code.slotAt(codeAddressOf(code, state.pc, link));
      if (pc === undefined) return { ...state, status: 'stuck' };
      const el = user ? 0 : 1;
      return { ...state, pc, el, inHandler: false, phase: { kind: 'return', toEl: el } };
    },
  };
}

function kindOf(cause: Parameters<ThreadProgram['takeException']>[1]): RecordedFault['kind'] {
  switch (cause.kind) {
    case 'fault':
      return cause.fault.cause;
    case 'svc':
    case 'hvc':
      return 'supervisor-call';
    case 'undefined':
      return 'undefined-instruction';
  }
}
