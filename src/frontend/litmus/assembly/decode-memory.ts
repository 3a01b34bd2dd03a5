import type { Ordering } from '../../../program/effect.ts';
import type { Width } from './alu.ts';
import {
  ZR,
  type AddressOperand,
  type Bytes,
  type Instruction,
  type RmwOp,
} from './instruction.ts';
import { address, malformed, register, unsupported, type Line } from './operand.ts';

const SUFFIX_BYTES: ReadonlyMap<string, 1 | 2> = new Map([
  ['B', 1],
  ['H', 2],
]);

function bytesOf(suffix: string, width: Width): Bytes {
  return SUFFIX_BYTES.get(suffix) ?? (width === 64 ? 8 : 4);
}

/** Loads, stores and atomics. Null when the mnemonic is none of these. */
export function decodeMemory(line: Line): readonly Instruction[] | null {
  const single = decodeSingle(line) ?? decodeAtomic(line);
  if (single !== null) return [single];
  return decodePair(line);
}

const LOAD = /^LD(R|UR|TR|AR|APR|APUR|XR|AXR|LAR)(B|H|SB|SH|SW)?$/;
const STORE = /^ST(R|UR|TR|LR|LUR|XR|LXR|LLR)(B|H)?$/;

function decodeSingle(line: Line): Instruction | null {
  const load = LOAD.exec(line.mnemonic);
  if (load !== null) {
    const form = load[1] ?? '';
    const suffix = load[2] ?? '';
    const { register: dest, width } = register(line, 0);
    const isSigned = suffix.startsWith('S');
    const bytes = suffix === 'SW' ? 4 : bytesOf(suffix.replace(/^S/, ''), width);
    const order: Ordering =
      form === 'AR' || form === 'AXR' || form === 'LAR'
        ? 'acquire'
        : form.startsWith('AP')
          ? 'acquire-pc'
          : 'plain';
    return {
      kind: 'load',
      dest,
      bytes,
      signExtendTo: isSigned ? width : null,
      address: address(line, 1),
      order,
      exclusive: form === 'XR' || form === 'AXR',
      unprivileged: form === 'TR',
    };
  }
  const store = STORE.exec(line.mnemonic);
  if (store === null) return null;
  const form = store[1] ?? '';
  const exclusive = form === 'XR' || form === 'LXR';
  const first = exclusive ? 1 : 0;
  const { register: from, width } = register(line, first);
  return {
    kind: 'store',
    source: from,
    bytes: bytesOf(store[2] ?? '', width),
    address: address(line, first + 1),
    order: form.startsWith('L') ? 'release' : 'plain',
    status: exclusive ? register(line, 0).register : null,
    unprivileged: form === 'TR',
  };
}

const RMW_OPS: ReadonlyMap<string, RmwOp> = new Map([
  ['ADD', 'add'],
  ['CLR', 'clr'],
  ['EOR', 'eor'],
  ['SET', 'set'],
  ['SMAX', 'smax'],
  ['SMIN', 'smin'],
  ['UMAX', 'umax'],
  ['UMIN', 'umin'],
]);

const LD_OP = /^LD(ADD|CLR|EOR|SET|SMAX|SMIN|UMAX|UMIN)(AL|A|L)?(B|H)?$/;
const ST_OP = /^ST(ADD|CLR|EOR|SET|SMAX|SMIN|UMAX|UMIN)(L)?(B|H)?$/;
const SWAP = /^(SWP|CAS)(AL|A|L)?(B|H)?$/;

function decodeAtomic(line: Line): Instruction | null {
  const rmw = (op: RmwOp, source: number, dest: number | null, order: string, suffix: string) => {
    const from = register(line, source);
    const at = address(line, line.operands.length - 1);
    if (at.offset !== null && !(at.offset.kind === 'immediate' && at.offset.value === 0n)) {
      return malformed(line);
    }
    return {
      kind: 'rmw' as const,
      op,
      bytes: bytesOf(suffix, from.width),
      source: from.register,
      dest: dest === null ? ZR : register(line, dest).register,
      address: { base: at.base, offset: null, index: 'none' as const },
      acquire: order.includes('A'),
      release: order.includes('L'),
    };
  };
  const load = LD_OP.exec(line.mnemonic);
  if (load !== null) {
    const op = RMW_OPS.get(load[1] ?? '') ?? malformed(line);
    return rmw(op, 0, 1, load[2] ?? '', load[3] ?? '');
  }
  const store = ST_OP.exec(line.mnemonic);
  if (store !== null) {
    const op = RMW_OPS.get(store[1] ?? '') ?? malformed(line);
    return rmw(op, 0, null, store[2] ?? '', store[3] ?? '');
  }
  const swap = SWAP.exec(line.mnemonic);
  if (swap === null) return null;
  return swap[1] === 'SWP'
    ? rmw('swp', 0, 1, swap[2] ?? '', swap[3] ?? '')
    : rmw('cas', 1, 0, swap[2] ?? '', swap[3] ?? '');
}

const PAIR = /^(?:(LD|ST)(?:P|NP)|(LDPSW)|(?:LDIAP|STIL)P)$/;

/**
 * Pairs as two single accesses in program order, then the update of the base. The two halves of
 * LDIAPP and STILP (FEAT_LRCPC3) are ordered: each is an acquire-pc load or a store-release, and a
 * STILP that moves its base down stores the upper half first.
 */
function decodePair(line: Line): readonly Instruction[] | null {
  const pair = PAIR.exec(line.mnemonic);
  if (pair === null) return null;
  const loads = !line.mnemonic.startsWith('ST');
  const order: Ordering =
    line.mnemonic === 'LDIAPP' ? 'acquire-pc' : line.mnemonic === 'STILP' ? 'release' : 'plain';
  const registers = [register(line, 0), register(line, 1)];
  const at = address(line, 2);
  const offset = at.offset === null ? 0n : at.offset.kind === 'immediate' ? at.offset.value : null;
  if (offset === null) return malformed(line);
  if (loads && registers.some(({ register: number }) => number === at.base)) {
    return unsupported(line);
  }
  const bytes: Bytes = registers[0]?.width === 64 && pair[2] === undefined ? 8 : 4;
  const accesses = registers.map(({ register: number }, index): Instruction => {
    const value = BigInt(index * bytes) + (at.index === 'post' ? 0n : offset);
    const place: AddressOperand = {
      base: at.base,
      offset: { kind: 'immediate', value },
      index: 'none',
    };
    const shared = { bytes, address: place, order, unprivileged: false } as const;
    if (!loads) return { kind: 'store', source: number, status: null, ...shared };
    const signExtendTo = pair[2] === undefined ? null : 64;
    return { kind: 'load', dest: number, signExtendTo, exclusive: false, ...shared };
  });
  if (at.index === 'none') return accesses;
  const upperFirst = order === 'release' && at.index === 'pre';
  return [
    ...(upperFirst ? [...accesses].reverse() : accesses),
    {
      kind: 'compute',
      op: 'add',
      width: 64,
      dest: at.base,
      operands: [
        { kind: 'register', register: at.base, modifier: null },
        { kind: 'immediate', value: offset },
      ],
      flags: 'none',
    },
  ];
}
