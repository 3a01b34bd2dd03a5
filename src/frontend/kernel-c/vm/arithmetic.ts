import type { Bits, Operator, Shape } from '../lower/bytecode.ts';

/** Cuts a value to a shape. */
export function wrap(value: bigint, { size, signed, bool }: Shape): bigint {
  if (bool) return value === 0n ? 0n : 1n;
  const bits = Math.round(size * 8);
  return signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
}

/** The result of an operator; a text when C leaves it undefined. */
export function calculate(operator: Operator, a: bigint, b: bigint, shape: Shape): bigint | string {
  switch (operator) {
    case '+':
      return wrap(a + b, shape);
    case '-':
      return wrap(a - b, shape);
    case '*':
      return wrap(a * b, shape);
    case '/':
      return b === 0n ? 'division by zero' : wrap(a / b, shape);
    case '%':
      return b === 0n ? 'division by zero' : wrap(a % b, shape);
    case '&':
      return wrap(a & b, shape);
    case '^':
      return wrap(a ^ b, shape);
    case '|':
      return wrap(a | b, shape);
    case '<<':
    case '>>': {
      if (b < 0n || b >= BigInt(shape.size * 8)) return `a shift by ${b} of ${shape.size * 8} bits`;
      return wrap(operator === '<<' ? a << b : a >> b, shape);
    }
    case '==':
      return a === b ? 1n : 0n;
    case '!=':
      return a !== b ? 1n : 0n;
    case '<':
      return a < b ? 1n : 0n;
    case '>':
      return a > b ? 1n : 0n;
    case '<=':
      return a <= b ? 1n : 0n;
    case '>=':
      return a >= b ? 1n : 0n;
  }
}

/** The bits of a field out of the bytes it spans. */
export function extractBits(raw: bigint, { start, width, signed, bool }: Bits): bigint {
  const field = BigInt.asUintN(width, raw >> BigInt(start));
  if (bool) return field === 0n ? 0n : 1n;
  return signed ? BigInt.asIntN(width, field) : field;
}

export function insertBits(raw: bigint, value: bigint, { start, width }: Bits): bigint {
  const mask = ((1n << BigInt(width)) - 1n) << BigInt(start);
  return (raw & ~mask) | ((value << BigInt(start)) & mask);
}

/** How many bytes a bit-field spans. */
export function bytesOfBits({ start, width }: Bits): number {
  return Math.ceil((start + width) / 8);
}
