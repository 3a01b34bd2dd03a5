import { cellOffset, type TableMemory } from './table-memory.ts';

/** A translation regime as the initial state fixes it; null: the stage is off. */
export interface Roots {
  readonly stage1: bigint | null;
  readonly stage2: bigint | null;
}

/** What the tables say about an input address before anything has run. */
export type StaticTranslation =
  /** It is mapped, readable and writable, and nothing on the way can change. */
  | { readonly kind: 'fixed'; readonly address: bigint }
  /** A cell on the way may change during the test. */
  | { readonly kind: 'changing' }
  | { readonly kind: 'fault' };

const OUTPUT_MASK = 0x0000_ffff_ffff_f000n;
const AF = 1n << 10n;

/** Translates an address by the tables in memory. */
export function translateStatically(
  memory: TableMemory,
  changing: ReadonlySet<bigint>,
  roots: Roots,
  address: bigint,
  permissions: 'read-write' | 'any' = 'read-write',
): StaticTranslation {
  const first = walk(memory, changing, 1, roots, address, permissions);
  if (first.kind !== 'fixed' || roots.stage2 === null) return first;
  return walk(memory, changing, 2, roots, first.address, permissions);
}

function walk(
  memory: TableMemory,
  changing: ReadonlySet<bigint>,
  stage: 1 | 2,
  roots: Roots,
  input: bigint,
  permissions: 'read-write' | 'any',
): StaticTranslation {
  const root = stage === 1 ? roots.stage1 : roots.stage2;
  if (root === null) return { kind: 'fixed', address: input };
  if (input >> 48n !== 0n) return { kind: 'fault' };
  let table = root;
  for (let level = 0; level <= 3; level += 1) {
    let cell = table + cellOffset(input, level);
    if (stage === 1 && roots.stage2 !== null) {
      const inner = walk(memory, changing, 2, roots, cell, 'any');
      if (inner.kind !== 'fixed') return inner;
      cell = inner.address;
    }
    if (changing.has(cell)) return { kind: 'changing' };
    const bits = memory.read(cell);
    if ((bits & 1n) === 0n) return { kind: 'fault' };
    if ((bits & 2n) !== 0n && level < 3) {
      table = bits & OUTPUT_MASK;
      continue;
    }
    if ((bits & 2n) === 0n && (level === 3 || level === 0)) return { kind: 'fault' };
    if ((bits & AF) === 0n) return { kind: 'fault' };
    if (permissions === 'read-write' && !freely(bits, stage)) return { kind: 'fault' };
    const low = (1n << BigInt(39 - 9 * level)) - 1n;
    return { kind: 'fixed', address: (bits & OUTPUT_MASK & ~low) | (input & low) };
  }
  return { kind: 'fault' };
}

/** Read and write are permitted at EL0 and EL1: AP[2:1] = 0b01, S2AP = 0b11. */
function freely(bits: bigint, stage: 1 | 2): boolean {
  const permissions = (bits >> 6n) & 3n;
  return stage === 1 ? permissions === 0b01n : permissions === 0b11n;
}

/** The cell and descriptor of an input address at a level; null when the walk ends before. */
export function cellAtLevel(
  memory: TableMemory,
  root: bigint,
  input: bigint,
  level: number,
): { readonly cell: bigint; readonly descriptor: bigint } | null {
  let table = root;
  for (let depth = 0; ; depth += 1) {
    const cell = table + cellOffset(input, depth);
    const descriptor = memory.read(cell);
    if (depth === level) return { cell, descriptor };
    if ((descriptor & 3n) !== 3n) return null;
    table = descriptor & OUTPUT_MASK;
  }
}
