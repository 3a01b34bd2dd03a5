import type { Expr } from '../../../program/expr.ts';
import { aluFunction } from '../assembly/alu.ts';
import type { Bytes, Instruction } from '../assembly/instruction.ts';
import { advance, ask, type Step, type StepInput } from './step-basics.ts';
import { NO_PHASE, withRegister, type ThreadState } from './thread-state.ts';
import { cut, readRegister } from './values.ts';

type Plain = Extract<Instruction, { kind: 'load' | 'store' }>;

/**
 * A misaligned load or store: it is not single-copy atomic, so it is asked for in aligned pieces from
 * the lowest address on, each with a translation of its own (it may cross a page). A piece that
 * faults ends the instruction; what was stored before it stays, which the architecture allows but
 * does not demand of the other page: a stated under-approximation. Null when the access is aligned,
 * its address is not known, or it is one that has to be aligned.
 */
export function stepPieces(
  input: StepInput,
  instruction: Plain,
  address: Expr,
  base: Expr | null,
): Step | null {
  const { program, state } = input;
  const { table } = program;
  const { bytes, order } = instruction;
  const mustBeAligned =
    order !== 'plain' ||
    (instruction.kind === 'load' ? instruction.exclusive : instruction.status !== null);
  if (address.kind !== 'const' || address.value % BigInt(bytes) === 0n || mustBeAligned)
    return null;
  const { done, value } =
    state.phase.kind === 'pieces' ? state.phase : { done: 0, value: table.constant(0n) };
  const from = address.value + BigInt(done);
  const size = pieceAt(from, bytes - done);
  const at = program.place(table.constant(from), state.el, instruction.unprivileged);
  const shift = table.constant(BigInt(done * 8));
  const shared = { at, bytes: size, order, exclusive: false, wanted: false } as const;
  const resume =
    (after: Expr) =>
    (next: ThreadState): ThreadState => {
      const reached = done + size;
      if (reached < bytes)
        return { ...next, phase: { kind: 'pieces', done: reached, value: after } };
      const moved = base === null ? next : withRegister(next, instruction.address.base, base);
      return advance(
        instruction.kind === 'load'
          ? withRegister(moved, instruction.dest, extended(instruction, after))
          : moved,
      );
    };
  const orFault =
    (go: (next: ThreadState) => ThreadState): Parameters<typeof ask>[2] =>
    (next, answer) =>
      answer.kind === 'fault'
        ? program.takeException(
            { ...next, phase: NO_PHASE },
            { kind: 'fault', fault: answer.fault },
          )
        : go(next);

  if (instruction.kind === 'load') {
    const part = table.apply('lsl64', aluFunction('lsl', 64), [table.result(state.count), shift]);
    const after = table.apply('orr64', aluFunction('orr', 64), [value, part]);
    return ask(input, { kind: 'load', ...shared }, orFault(resume(after)));
  }
  const whole = readRegister(table, state, instruction.source);
  const part = table.apply('lsr64', aluFunction('lsr', 64), [whole, shift]);
  const data = cut(table, part, size * 8);
  return ask(input, { kind: 'store', ...shared, data }, orFault(resume(value)));

  function extended({ signExtendTo }: Extract<Plain, { kind: 'load' }>, loaded: Expr): Expr {
    if (signExtendTo === null) return loaded;
    const bits = table.constant(BigInt(bytes * 8));
    return table.apply(`sign${signExtendTo},${bytes}`, aluFunction('sign', signExtendTo), [
      loaded,
      bits,
    ]);
  }
}

/** The largest access that is aligned at an address and not longer than what is left. */
function pieceAt(address: bigint, left: number): Bytes {
  for (const size of [4, 2] as const) {
    if (size <= left && address % BigInt(size) === 0n) return size;
  }
  return 1;
}
