import type { AsmOperand, AsmStatement } from '../parse/ast.ts';
import { sizeOf } from '../types/size.ts';
import { decayed } from '../types/type.ts';
import { read, scalar, write } from './access.ts';
import type { AsmPlace } from './bytecode.ts';
import {
  addressOf,
  type Builder,
  emit,
  fail,
  findLabel,
  isAggregate,
  newRegister,
  type Place,
  shapeOf,
} from './builder.ts';
import { targetOfAsm } from './cleanups.ts';

/** Lowers inline assembly to one event: its template is interpreted by the kernel runtime, not here. */
export function lowerAsm(builder: Builder, statement: AsmStatement): void {
  const { at } = statement;
  const operands: AsmPlace[] = [];
  const writes: { readonly place: Place; readonly register: number }[] = [];
  for (const operand of statement.outputs) {
    const place = builder.lowering.place(builder, operand.expression);
    if (isMemory(operand.constraint)) {
      operands.push(memoryOperand(builder, operand, place));
      continue;
    }
    let input: number | null = null;
    if (operand.constraint.includes('+')) input = scalar(builder, read(builder, place, at), at);
    const register = newRegister(builder);
    const shape = shapeOf(builder, decayed(place.type), operand.at);
    const { name, constraint } = operand;
    operands.push({
      name,
      constraint,
      input,
      output: { to: register, shape },
      memory: false,
      size: shape.size,
    });
    writes.push({ place, register });
  }
  for (const operand of statement.inputs) {
    if (isMemory(operand.constraint)) {
      const place = builder.lowering.place(builder, operand.expression);
      operands.push(memoryOperand(builder, operand, place));
      continue;
    }
    const value = builder.lowering.value(builder, operand.expression);
    const input = scalar(builder, value, operand.at);
    const size = value.kind === 'scalar' ? shapeOf(builder, value.type, operand.at).size : 8;
    const { name, constraint } = operand;
    operands.push({ name, constraint, input, output: null, memory: false, size });
  }
  const labels = statement.labels.map((name) => ({
    name,
    target: targetOfAsm(builder, findLabel(builder, name), at).id,
  }));
  const { template, volatile, clobbers } = statement;
  emit(builder, { op: 'asm', at, template, volatile, operands, clobbers, labels });
  for (const { place, register } of writes) {
    write(builder, place, { kind: 'scalar', register, type: decayed(place.type) }, at);
  }
}

/** `m`, `o`, `V` and arm64's `Q` name a place in memory; `r` beside them is preferred by gcc. */
export function isMemory(constraint: string): boolean {
  return /[moVQ]/.test(constraint.replace(/Ump|Usa|Ush|Ucr/g, 'm')) && !/[rw]/.test(constraint);
}

function memoryOperand(builder: Builder, operand: AsmOperand, place: Place): AsmPlace {
  if (place.kind === 'register') {
    throw fail(builder, operand.at, 'this operand must be in memory, but it is a value');
  }
  const input = addressOf(builder, place, operand.at);
  const size = isAggregate(place.type)
    ? sizeOf(builder.context, place.type, operand.at)
    : shapeOf(builder, place.type, operand.at).size;
  const { name, constraint } = operand;
  return { name, constraint, input, output: null, memory: true, size };
}
