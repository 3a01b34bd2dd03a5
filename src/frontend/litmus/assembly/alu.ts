/**
 * Arithmetic of the instructions, as pure functions on unsigned values of the operation's width.
 * Every function masks its own result.
 */

export type Width = 32 | 64;

/** Two- and three-operand operations. */
export type AluOp =
  | 'add'
  | 'sub'
  | 'and'
  | 'orr'
  | 'eor'
  | 'bic'
  | 'orn'
  | 'eon'
  | 'lsl'
  | 'lsr'
  | 'asr'
  | 'ror'
  | 'mul'
  | 'madd'
  | 'msub'
  | 'udiv'
  | 'sdiv'
  | 'clz'
  | 'rbit'
  | 'rev'
  | 'move'
  | 'insert'
  | 'sign'
  | 'ubfm'
  | 'sbfm'
  | 'bfm'
  | 'abs'
  | 'rev16'
  | 'rev32'
  | 'extr'
  | 'smulh'
  | 'umulh'
  | 'cls';

/** All ones of a width. */
export function ones(width: number): bigint {
  return (1n << BigInt(width)) - 1n;
}

/** The value as a signed number of a width. */
export function signed(value: bigint, width: number): bigint {
  return BigInt.asIntN(width, value);
}

function reversed(value: bigint, width: number, unit: number): bigint {
  let out = 0n;
  for (let i = 0; i < width; i += unit) {
    const part = (value >> BigInt(i)) & ones(unit);
    out |= part << BigInt(width - unit - i);
  }
  return out;
}

/** The operation at a width; the arguments are already cut to it. */
export function aluFunction(op: AluOp, width: Width): (args: readonly bigint[]) => bigint {
  const mask = ones(width);
  const bits = BigInt(width);
  return (args) => {
    const a = args[0] ?? 0n;
    const b = args[1] ?? 0n;
    const c = args[2] ?? 0n;
    switch (op) {
      case 'add':
        return (a + b) & mask;
      case 'sub':
        return (a - b) & mask;
      case 'and':
        return a & b;
      case 'orr':
        return a | b;
      case 'eor':
        return a ^ b;
      case 'bic':
        return a & ~b & mask;
      case 'orn':
        return (a | (~b & mask)) & mask;
      case 'eon':
        return (a ^ ~b) & mask;
      case 'lsl':
        return (a << (b % bits)) & mask;
      case 'lsr':
        return a >> (b % bits);
      case 'asr':
        return (signed(a, width) >> (b % bits)) & mask;
      case 'ror': {
        const n = b % bits;
        return ((a >> n) | (a << (bits - n))) & mask;
      }
      case 'mul':
        return (a * b) & mask;
      case 'madd':
        return (c + a * b) & mask;
      case 'msub':
        return (c - a * b) & mask;
      case 'udiv':
        return b === 0n ? 0n : a / b;
      case 'sdiv':
        return b === 0n ? 0n : (signed(a, width) / signed(b, width)) & mask;
      case 'clz':
        return BigInt(width - (a === 0n ? 0 : a.toString(2).length));
      case 'rbit':
        return reversed(a, width, 1);
      case 'rev':
        return reversed(a, width, 8);
      case 'move':
        return a;
      case 'insert':
        // a with the bits of mask c replaced by those of b
        return (a & ~c & mask) | (b & c);
      case 'sign':
        // the low b bits of a, sign extended
        return signed(a, Number(b)) & mask;
      case 'ubfm':
      case 'sbfm':
      case 'bfm':
        return bitField(op, width, args);
      case 'abs':
        return (signed(a, width) < 0n ? -a : a) & mask;
      case 'rev16':
        return mapUnits(a, width, 16, (unit) => reversed(unit, 16, 8));
      case 'rev32':
        return mapUnits(a, width, 32, (unit) => reversed(unit, 32, 8));
      case 'extr':
        return (((a << bits) | b) >> c) & mask;
      case 'smulh':
        return ((signed(a, width) * signed(b, width)) >> bits) & mask;
      case 'umulh':
        return (a * b) >> bits;
      case 'cls': {
        // Bits behind the sign bit that equal it.
        const changes = (a ^ (a >> 1n)) & (mask >> 1n);
        return BigInt(width - 1 - (changes === 0n ? 0 : changes.toString(2).length));
      }
    }
  };
}

/** UBFM, SBFM and BFM of a value by immr and imms; BFM has the old destination as last argument. */
function bitField(
  op: 'ubfm' | 'sbfm' | 'bfm',
  width: Width,
  [value = 0n, r = 0n, s = 0n, old = 0n]: readonly bigint[],
): bigint {
  const length = Number(s >= r ? s - r + 1n : s + 1n);
  const field = (s >= r ? value >> r : value) & ones(length);
  const shift = s >= r ? 0n : BigInt(width) - r;
  if (op === 'bfm') {
    const mask = ones(length) << shift;
    return (old & ~mask & ones(width)) | (field << shift);
  }
  const extended = op === 'sbfm' ? signed(field, length) : field;
  return (extended << shift) & ones(width);
}

function mapUnits(
  value: bigint,
  width: number,
  unit: number,
  change: (unit: bigint) => bigint,
): bigint {
  let out = 0n;
  for (let i = 0; i < width; i += unit) {
    out |= change((value >> BigInt(i)) & ones(unit)) << BigInt(i);
  }
  return out;
}

/** N, Z, C, V as bits 3..0 of what an instruction of the kind sets from its operands. */
export function flagsFunction(
  kind: 'add' | 'sub' | 'logic',
  width: Width,
): (args: readonly bigint[]) => bigint {
  const mask = ones(width);
  return (args) => {
    const a = args[0] ?? 0n;
    const b = args[1] ?? 0n;
    if (kind === 'logic') return nz(a, width);
    const operand = kind === 'add' ? b : ~b & mask;
    const carryIn = kind === 'add' ? 0n : 1n;
    const wide = a + operand + carryIn;
    const result = wide & mask;
    const carry = wide > mask ? 2n : 0n;
    const exact = signed(a, width) + signed(operand, width) + carryIn;
    const overflow = exact === signed(result, width) ? 0n : 1n;
    return nz(result, width) | carry | overflow;
  };
}

function nz(result: bigint, width: Width): bigint {
  const negative = (result >> BigInt(width - 1)) & 1n ? 8n : 0n;
  return negative | (result === 0n ? 4n : 0n);
}

/** Condition codes. */
export const CONDITIONS = [
  'eq', 'ne', 'cs', 'cc', 'mi', 'pl', 'vs', 'vc', 'hi', 'ls', 'ge', 'lt', 'gt', 'le', 'al',
] as const; // prettier-ignore

export type Condition = (typeof CONDITIONS)[number];

/** The condition that holds exactly when the given one does not. */
export function inverse(condition: Condition): Condition {
  const index = CONDITIONS.indexOf(condition);
  return CONDITIONS[index % 2 === 0 ? index + 1 : index - 1] ?? 'al';
}

/** Whether the condition holds for the flags: 1 or 0. */
export function conditionFunction(condition: Condition): (flags: bigint) => bigint {
  const even = (flags: bigint): boolean => {
    const n = (flags & 8n) !== 0n;
    const z = (flags & 4n) !== 0n;
    const c = (flags & 2n) !== 0n;
    const v = (flags & 1n) !== 0n;
    switch (condition) {
      case 'eq':
      case 'ne':
        return z;
      case 'cs':
      case 'cc':
        return c;
      case 'mi':
      case 'pl':
        return n;
      case 'vs':
      case 'vc':
        return v;
      case 'hi':
      case 'ls':
        return c && !z;
      case 'ge':
      case 'lt':
        return n === v;
      case 'gt':
      case 'le':
        return n === v && !z;
      case 'al':
        return true;
    }
  };
  const odd = CONDITIONS.indexOf(condition) % 2 === 1;
  return (flags) => (even(flags) !== odd ? 1n : 0n);
}
