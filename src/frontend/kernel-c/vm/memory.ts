import type { FrameVariable } from '../lower/bytecode.ts';
import { type Program, symbolAt } from './program.ts';
import { type Bytes, ownMemory, ownObject, type Working } from './state.ts';

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
  forWriting: boolean,
  make: (key: string, length: number) => Bytes,
): Private | 'outside' | 'beyond' {
  const distance = address - working.stackBase;
  if (distance >= 0n && distance < 0x1000_0000n) {
    return inFrames(working, Number(distance), size, forWriting);
  }
  const symbol = symbolAt(program, address);
  if (symbol === null || !symbol.owned) return 'outside';
  if (working.shared.some(({ from, to }) => address < to && address + BigInt(size) > from)) {
    return 'outside';
  }
  const offset = Number(address - symbol.address);
  if (offset + size > symbol.size) return 'beyond';
  const known = forWriting ? ownObject(working, symbol.key) : working.objects.get(symbol.key);
  const object = known ?? make(symbol.key, symbol.size);
  // A first value is there only once the object has been made.
  if (!forWriting && program.initializers.get(symbol.key) != null) {
    let read = program.read.get(symbol.key);
    if (read === undefined) program.read.set(symbol.key, (read = new Uint8Array(symbol.size)));
    read.fill(1, offset, offset + size);
  }
  return { bytes: object.bytes, written: object.written, offset };
}

function inFrames(
  working: Working,
  distance: number,
  size: number,
  forWriting: boolean,
): Private | 'beyond' {
  for (let i = working.frames.length - 1; i >= 0; i--) {
    const frame = working.frames[i];
    if (frame === undefined || frame.base > distance) continue;
    const offset = distance - frame.base;
    if (offset + size > frame.function.frameSize) return 'beyond';
    const { bytes, written } = forWriting ? ownMemory(frame) : frame.memory;
    return { bytes, written, offset };
  }
  return 'beyond';
}

/** The name of the variable of a frame at an address of the stack, for messages. */
export function variableAt({ frames, stackBase }: Working, address: bigint): string {
  const distance = Number(address - stackBase);
  const frame = [...frames].reverse().find(({ base }) => base <= distance);
  const offset = distance - (frame?.base ?? 0);
  const holds = (variable: FrameVariable): boolean =>
    offset >= variable.offset && offset < variable.offset + variable.size;
  return frame?.function.variables.find(holds)?.name ?? 'memory';
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
