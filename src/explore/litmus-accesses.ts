import type { LitmusTest } from '../frontend/litmus/litmus-test.ts';
import type { LitmusProblem } from '../frontend/litmus/problem.ts';
import type { Machine } from '../machine/machine.ts';
import { AT, get } from '../machine/window.ts';

/** Looks at the accesses of complete runs for what the machine has no right answer to. */
export interface AccessWatch {
  /** Looks at the state that `machine.inspect` has loaded. */
  look(): void;
  /** The first thing found. */
  problem(): LitmusProblem | null;
}

/** An access to memory, as far as it matters where it is. */
interface Extent {
  readonly address: bigint;
  readonly bytes: number;
  readonly line: number;
}

/**
 * The machine has one value per location, so three things that show only when a test runs are
 * outside of it: accesses of different extents that overlap, misaligned ones, and accesses to
 * instructions. An answer to a test with one of them would be a guess.
 */
export function accessWatch(machine: Machine, test: LitmusTest): AccessWatch {
  const extents = new Map<string, Extent>();
  const byWord = new Map<bigint, Extent[]>();
  let found: LitmusProblem | null = null;

  function look(): void {
    const { inspect } = machine;
    for (let pe = 0; pe < test.threads.length; pe += 1) {
      const w = inspect.window(pe);
      for (let i = 0; i < w.count; i += 1) {
        const cell = get(w, i, AT.cell);
        const effect = w.infos[i]?.effect;
        if (cell < 0 || effect === undefined || !('bytes' in effect)) continue;
        const key = `${cell},${effect.bytes}`;
        if (extents.has(key)) continue;
        const address = inspect.memory.addressOf(cell);
        const extent = { address, bytes: effect.bytes, line: effect.location.line };
        extents.set(key, extent);
        check(extent);
      }
    }
  }

  function check(extent: Extent): void {
    const { address, bytes } = extent;
    if (test.isCode(address)) report(extent, 'instructions as data are not supported.');
    if (address % BigInt(bytes) !== 0n) report(extent, 'misaligned accesses are not supported.');
    const word = address & ~7n;
    const others = byWord.get(word) ?? [];
    for (const other of others) {
      const end = other.address + BigInt(other.bytes);
      if (end <= address || address + BigInt(bytes) <= other.address) continue;
      report(
        extent,
        `this access and the one in line ${other.line} overlap and differ in size, which is not supported.`,
      );
    }
    byWord.set(word, [...others, extent]);
  }

  function report({ line }: Extent, message: string): void {
    found ??= { kind: 'unsupported', file: test.file, line, column: 1, message };
  }

  return { look, problem: () => found };
}
