import type { AsmValue } from '../vm/event.ts';

/** The operands of one assembly template while its instructions are carried out. */
export interface Operands {
  readonly list: readonly AsmValue[];
  /** Values by position; `null`: nothing was put in yet. Never written. */
  readonly values: readonly (bigint | null)[];
}

export function operandsOf(list: readonly AsmValue[]): Operands {
  const values = list.map(({ value }) => value);
  // An input with a number for its constraint goes in through the register of that output.
  for (const { constraint, value } of list) {
    if (/^\d+$/.test(constraint)) values[Number(constraint)] ??= value;
  }
  return { list, values };
}

/** The value that `%0`, `%x[name]`, `#8`, `xzr` stands for; `null` when it stands for none. */
export function readOperand(operands: Operands, text: string): bigint | null {
  if (/^[xw]zr$/.test(text)) return 0n;
  const immediate = /^#?(-?(?:0x[0-9a-f]+|\d+))$/i.exec(text)?.[1];
  if (immediate !== undefined) {
    return immediate.startsWith('-') ? -BigInt(immediate.slice(1)) : BigInt(immediate);
  }
  const place = positionOf(operands, text);
  if (place === null) return null;
  const value = operands.values[place.index] ?? null;
  return value === null ? null : BigInt.asUintN(place.width, value);
}

/** The operands after an instruction wrote one; `null` when the text names no operand. */
export function writeOperand(operands: Operands, text: string, value: bigint): Operands | null {
  const place = positionOf(operands, text);
  if (place === null) return null;
  return {
    list: operands.list,
    values: operands.values.map((old, i) =>
      i === place.index ? BigInt.asUintN(place.width, value) : old,
    ),
  };
}

/** The address of a memory operand, as `%0` or `[%0]`; `null` when the text names none. */
export function addressOperand(operands: Operands, text: string): bigint | null {
  const bare = /^\[(%.+)\]$/.exec(text)?.[1] ?? text;
  const place = positionOf(operands, bare);
  if (place === null) return null;
  const operand = operands.list[place.index];
  if (operand?.memory !== true && bare === text) return null;
  return operands.values[place.index] ?? null;
}

/** The values of the outputs, as the VM wants them; `null` when an instruction left one unset. */
export function outputsOf(operands: Operands): readonly bigint[] | null {
  const outputs: bigint[] = [];
  for (const [i, operand] of operands.list.entries()) {
    if (!operand.output || operand.memory) continue;
    const value = operands.values[i] ?? null;
    if (value === null) return null;
    outputs.push(value);
  }
  return outputs;
}

/** The value of an operand by its name or number, for capabilities in a template. */
export function operandByName(operands: Operands, name: string): bigint | null {
  const index = indexOf(operands, name);
  return operands.values[index] ?? null;
}

function positionOf(
  operands: Operands,
  text: string,
): { readonly index: number; readonly width: number } | null {
  const found = /^%([wxc]?)(?:\[(\w+)\]|(\d+))$/.exec(text);
  if (found === null) return null;
  const index = indexOf(operands, found[2] ?? found[3] ?? '');
  return operands.list[index] === undefined ? null : { index, width: found[1] === 'w' ? 32 : 64 };
}

function indexOf(operands: Operands, name: string): number {
  return /^\d+$/.test(name)
    ? Number(name)
    : operands.list.findIndex((operand) => operand.name === name);
}
