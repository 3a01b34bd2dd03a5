import type { Instruction, RmwOp } from '../assembly/instruction.ts';
import { ZR } from '../assembly/instruction.ts';
import { aluFunction, ones, signed } from '../assembly/alu.ts';
import { advance, ask, type Step, type StepInput } from './step-basics.ts';
import { stepPieces } from './step-pieces.ts';
import { NO_PHASE, withRegister, type ThreadState } from './thread-state.ts';
import { cut, readAddress, readRegister } from './values.ts';

type Access = Extract<Instruction, { kind: 'load' | 'store' | 'rmw' }>;

/** A load, store or atomic: one effect, which may fault. */
export function stepAccess(input: StepInput, instruction: Access): Step {
  const { program, state } = input;
  const { table } = program;
  const { address, base } = readAddress(table, state, instruction.address);
  const pieces = instruction.kind === 'rmw' ? null : stepPieces(input, instruction, address, base);
  if (pieces !== null) return pieces;
  const unprivileged = instruction.kind !== 'rmw' && instruction.unprivileged;
  const at = program.place(address, state.el, unprivileged);
  const { bytes } = instruction;
  const seq = state.count;
  const finish = (after: (state: ThreadState) => ThreadState) => (next: ThreadState) =>
    after(base === null ? next : withRegister(next, instruction.address.base, base));
  const orFault =
    (after: (state: ThreadState) => ThreadState): Parameters<typeof ask>[2] =>
    (next, answer) =>
      answer.kind === 'fault'
        ? program.takeException(next, { kind: 'fault', fault: answer.fault })
        : finish(after)(next);

  switch (instruction.kind) {
    case 'load': {
      const { order, exclusive, dest, signExtendTo } = instruction;
      const result = table.result(seq);
      const value =
        signExtendTo === null
          ? result
          : table.apply(`sign${signExtendTo},${bytes}`, aluFunction('sign', signExtendTo), [
              result,
              table.constant(BigInt(bytes * 8)),
            ]);
      return ask(
        input,
        { kind: 'load', at, bytes, order, exclusive, wanted: false },
        orFault((next) => advance(withRegister(next, dest, value))),
      );
    }
    case 'store': {
      const { order, status } = instruction;
      const data = cut(table, readRegister(table, state, instruction.source), bytes * 8);
      return ask(
        input,
        { kind: 'store', at, bytes, data, order, exclusive: status !== null, wanted: false },
        orFault((next) =>
          advance(status === null ? next : withRegister(next, status, table.result(seq))),
        ),
      );
    }
    case 'rmw': {
      const { op, source, dest, acquire, release } = instruction;
      const noReturn = dest === ZR;
      const value = cut(table, readRegister(table, state, source), bytes * 8);
      const compared =
        op === 'cas' ? [cut(table, readRegister(table, state, dest), bytes * 8)] : [];
      const body = {
        kind: 'rmw',
        at,
        bytes,
        update: updateOf(op, bytes),
        operands: [value, ...compared],
        ...(op === 'cas' || op === 'swp' ? { written: value } : {}),
        ...(compared[0] === undefined ? {} : { compare: compared[0] }),
        // herd7 reads without acquire when the old value is dropped (AArch64Sem.ml, `noret`).
        acquire: acquire && !noReturn,
        release,
        noReturn,
        wanted: false,
      } as const;
      return ask(
        input,
        body,
        orFault((next) =>
          op === 'cas' && !noReturn && program.code.readElsewhere(dest, state.pc)
            ? { ...next, phase: { kind: 'compare', access: seq } }
            : advance(withRegister({ ...next, phase: NO_PHASE }, dest, table.result(seq))),
        ),
      );
    }
  }
}

type Update = (old: bigint, operands: readonly bigint[]) => bigint | null;

const UPDATES = new Map<string, Update>();

/** The update function of an operation at a size: one function object per operation and size. */
function updateOf(op: RmwOp, bytes: number): Update {
  const key = `${op}${bytes}`;
  const known = UPDATES.get(key);
  if (known !== undefined) return known;
  const made = makeUpdate(op, bytes * 8);
  UPDATES.set(key, made);
  return made;
}

function makeUpdate(op: RmwOp, width: number): Update {
  const mask = ones(width);
  const less = (a: bigint, b: bigint): boolean => signed(a, width) < signed(b, width);
  return (old, [value = 0n, compared = 0n]) => {
    switch (op) {
      case 'add':
        return (old + value) & mask;
      case 'clr':
        return old & ~value & mask;
      case 'eor':
        return old ^ value;
      case 'set':
        return old | value;
      case 'smax':
        return less(old, value) ? value : old;
      case 'smin':
        return less(old, value) ? old : value;
      case 'umax':
        return old < value ? value : old;
      case 'umin':
        return old < value ? old : value;
      case 'swp':
        return value;
      case 'cas':
        return old === compared ? value : null;
    }
  };
}
