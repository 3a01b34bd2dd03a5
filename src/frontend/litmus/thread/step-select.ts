import type { Expr } from '../../../program/expr.ts';
import { ones } from '../assembly/alu.ts';
import type { Instruction } from '../assembly/instruction.ts';
import { advance, ask, isOne, type Step, type StepInput } from './step-basics.ts';
import { withRegister, type Phase } from './thread-state.ts';
import { cut, readCondition, readRegister } from './values.ts';

/**
 * A conditional select. herd7 gives the chosen register a data dependency on the register it was
 * copied from only; the condition is a pick dependency (AArch64Sem.ml, `I_CSEL`). The select is asked
 * for as an effect only where another instruction can see the difference.
 */
export function stepSelect(
  input: StepInput,
  instruction: Extract<Instruction, { kind: 'select' }>,
): Step {
  const { program, state } = input;
  const { table } = program;
  const { width, dest, change } = instruction;
  const condition = readCondition(table, state, instruction.condition);
  const yes = cut(table, readRegister(table, state, instruction.yes), width);
  const plain = cut(table, readRegister(table, state, instruction.no), width);
  const no =
    change === 'none'
      ? plain
      : table.apply(`select-${change}${width}`, changed(change, width), [plain]);
  const write = (value: Expr): Step => ({
    kind: 'silent',
    state: advance(withRegister(state, dest, value)),
  });
  if (condition.kind === 'const') return write(condition.value === 0n ? no : yes);
  if (!program.code.readElsewhere(dest, state.pc)) {
    return write(
      table.apply(
        'select',
        ([holds = 0n, first = 0n, second = 0n]) => (holds === 0n ? second : first),
        [condition, yes, no],
      ),
    );
  }
  return ask(input, { kind: 'select', condition }, (next, answer) =>
    advance(withRegister(next, dest, table.picked(state.count, isOne(answer) ? yes : no))),
  );
}

function changed(
  change: 'inc' | 'inv' | 'neg',
  width: number,
): (args: readonly bigint[]) => bigint {
  const mask = ones(width);
  return ([value = 0n]) => {
    switch (change) {
      case 'inc':
        return (value + 1n) & mask;
      case 'inv':
        return ~value & mask;
      case 'neg':
        return -value & mask;
    }
  };
}

/**
 * The register result of a CAS. When the compare succeeds, memory and register held the same value,
 * and herd7 lets the new register value come from either: from the register, picked by the compare,
 * or from memory (eventsMonad.ml, `aarch64_cas_ok`). With a constant in the register the first is
 * the weaker one and stands for both.
 */
export function stepCompare(
  input: StepInput,
  phase: Extract<Phase, { kind: 'compare' | 'matched' }>,
): Step {
  const { program, state, slot } = input;
  const { table } = program;
  const { instruction } = slot;
  if (instruction.kind !== 'rmw') return { kind: 'end' };
  const { dest, bytes } = instruction;
  const fromMemory = table.result(phase.access);
  const held = cut(table, readRegister(table, state, dest), bytes * 8);
  if (phase.kind === 'matched') {
    const fromRegister = table.picked(phase.select, held);
    return ask(input, { kind: 'choose', options: 2 }, (next, answer) =>
      advance(withRegister(next, dest, isOne(answer) ? fromMemory : fromRegister)),
    );
  }
  const condition = table.apply('equal', ([left = 0n, right = 0n]) => (left === right ? 1n : 0n), [
    fromMemory,
    held,
  ]);
  return ask(input, { kind: 'select', condition }, (next, answer) => {
    if (!isOne(answer)) return advance(withRegister(next, dest, fromMemory));
    if (held.kind === 'const') {
      return advance(withRegister(next, dest, table.picked(state.count, held)));
    }
    return { ...next, phase: { kind: 'matched', access: phase.access, select: state.count } };
  });
}
