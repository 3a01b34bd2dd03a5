/** Hands out physical addresses, upwards from a base. */
export interface Bump {
  /** The next `bytes` bytes at a multiple of `alignment`. */
  readonly take: (bytes: bigint, alignment?: bigint) => bigint;
}

/** A fresh one. */
export function bumpFrom(base: bigint): Bump {
  let next = base;
  return {
    take(bytes, alignment = bytes) {
      const address = ((next + alignment - 1n) / alignment) * alignment;
      next = address + bytes;
      return address;
    },
  };
}
