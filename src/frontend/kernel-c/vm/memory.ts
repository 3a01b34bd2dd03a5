import { type Program, symbolAt } from './program.ts';
import type { Bytes, Working } from './state.ts';

/** Bytes of the thread itself: of its stack or of an object only it uses. */
export interface Private {
  readonly bytes: Uint8Array;
  readonly written: Uint8Array;
  readonly offset: number;
}

/**
 * The private bytes behind an address; `null` when the access must be asked of the outside. An object
 * of file scope gets its bytes when it is first touched; `make` fills them.
 */
export function privateAt(
  program: Program,
  working: Working,
  address: bigint,
  size: number,
  make: (key: string, length: number) => Bytes,
): Private | 'outside' | 'beyond' {
  const distance = address - working.stackBase;
  if (distance >= 0n && distance < 0x1000_0000n) {
    const offset = Number(distance);
    if (offset + size > working.stackUsed) return 'beyond';
    return { ...working.stack, offset };
  }
  const symbol = symbolAt(program, address);
  if (symbol === null || !symbol.owned) return 'outside';
  const offset = Number(address - symbol.address);
  if (offset + size > symbol.size) return 'beyond';
  const known = working.objects.get(symbol.key);
  const object = known ?? make(symbol.key, symbol.size);
  return { ...object, offset };
}

/** A number from its bytes, lowest first; `null` when one of them was never written. */
export function readNumber({ bytes, written, offset }: Private, size: number): bigint | null {
  let value = 0n;
  for (let i = size - 1; i >= 0; i--) {
    if (written[offset + i] !== 1) return null;
    value = (value << 8n) | BigInt(bytes[offset + i] ?? 0);
  }
  return value;
}

export function writeNumber(
  { bytes, written, offset }: Private,
  size: number,
  value: bigint,
): void {
  let rest = BigInt.asUintN(size * 8, value);
  for (let i = 0; i < size; i++) {
    bytes[offset + i] = Number(rest & 0xffn);
    written[offset + i] = 1;
    rest >>= 8n;
  }
}
