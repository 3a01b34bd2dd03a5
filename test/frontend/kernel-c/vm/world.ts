import { parseUnit } from '../../../../src/frontend/kernel-c/parse/unit.ts';
import type { Overlay } from '../../../../src/frontend/kernel-c/read-file.ts';
import {
  openKernelTree,
  preprocessUnit,
} from '../../../../src/frontend/kernel-c/tree/kernel-tree.ts';
import { advance, stackOf, startThread } from '../../../../src/frontend/kernel-c/vm/advance.ts';
import type { Answer, VmEvent } from '../../../../src/frontend/kernel-c/vm/event.ts';
import {
  createProgram,
  placeOf,
  type Program,
} from '../../../../src/frontend/kernel-c/vm/program.ts';
import type { Tree } from '../trees.ts';

/**
 * A little world for kernel code: words of memory, values of globals, results of functions. Of
 * inline assembly only the release store and acquire load of 64 bits have an effect.
 */
export interface World {
  readonly words: Map<bigint, bigint>;
  readonly globals: Readonly<Record<string, bigint>>;
  readonly results: Readonly<Record<string, bigint>>;
  /** Values of `mrs`; others read as 0 here, which a real runtime must not do. */
  readonly registers: Readonly<Record<string, bigint>>;
}

export interface Line {
  readonly text: string;
  readonly file: string;
  readonly line: number;
  readonly function: string;
}

export function loadUnits(
  tree: Tree,
  overlay: Overlay,
  units: readonly string[],
  scenario: string,
  intercepts: readonly string[],
): Program {
  const opened = openKernelTree(tree.read, { overlay });
  const parsed = units.map((unit, i) => {
    const appended = [{ path: '<scenario>', text: scenario }];
    const tokens = preprocessUnit(opened, unit, {
      locks: 'standard',
      ...(i === 0 ? { appended } : {}),
    });
    if (tokens.kind === 'failed') throw new Error(JSON.stringify(tokens.diagnostic));
    const result = parseUnit(tokens.value.tokens);
    if (result.kind === 'failed') throw new Error(JSON.stringify(result.diagnostic));
    return result.value;
  });
  return createProgram(parsed, { intercepts: new Set(intercepts), unset: 'stop' });
}

/** Runs a function and lists what is visible: stores, maintenance, calls; loads are left out. */
export function trace(
  program: Program,
  name: string,
  args: readonly bigint[],
  world: World,
): readonly Line[] {
  const lines: Line[] = [];
  let at = startThread(program, 0, name, args);
  while (at.kind === 'event') {
    const { event, state } = at;
    const { use } = placeOf(program, event.at);
    const inner = stackOf(program, state)[0]?.function ?? '';
    const text = show(event);
    if (text !== null) lines.push({ text, file: use.file, line: use.line, function: inner });
    at = advance(program, state, reply(event, world));
  }
  if (at.kind === 'stopped') {
    const calls = at.stack.map((entry) => entry.function).join(' < ');
    throw new Error(`${JSON.stringify(at.diagnostic)} in ${calls}`);
  }
  return lines;
}

function show(event: VmEvent): string | null {
  switch (event.kind) {
    case 'load':
      return null;
    case 'store':
      return `store ${event.address.toString(16)} ${event.value.toString(16)}`;
    case 'call':
      return event.name;
    case 'asm': {
      const [memory, other] = event.operands;
      if (event.template.startsWith('stlr')) {
        return `store ${(memory?.value ?? 0n).toString(16)} ${(other?.value ?? 0n).toString(16)}`;
      }
      const first = event.template.trim().split('\n')[0] ?? '';
      const value = event.operands.find((operand) => !operand.output)?.value ?? null;
      return value === null ? first : `${first} [${value.toString(16)}]`;
    }
  }
}

function reply(event: VmEvent, world: World): Answer {
  switch (event.kind) {
    case 'load': {
      if (event.symbol !== null) {
        const value = world.globals[event.symbol.name];
        if (value === undefined) throw new Error(`global ${event.symbol.name} is not set`);
        return { values: [value >> BigInt(event.symbol.offset * 8)] };
      }
      const word = world.words.get(event.address & ~7n);
      if (word === undefined) throw new Error(`nothing stands at ${event.address.toString(16)}`);
      return { values: [word >> ((event.address & 7n) * 8n)] };
    }
    case 'store': {
      const shift = (event.address & 7n) * 8n;
      const mask = ((1n << BigInt(event.size * 8)) - 1n) << shift;
      const before = world.words.get(event.address & ~7n) ?? 0n;
      world.words.set(event.address & ~7n, (before & ~mask) | ((event.value << shift) & mask));
      return { values: [] };
    }
    case 'call': {
      if (event.result === null) return { values: [] };
      const value = world.results[event.name];
      if (value === undefined) throw new Error(`${event.name} has no result`);
      return { values: [value] };
    }
    case 'asm': {
      const [memory, other] = event.operands;
      if (event.template.startsWith('stlr')) {
        world.words.set(memory?.value ?? 0n, other?.value ?? 0n);
        return { values: [] };
      }
      if (event.template.startsWith('ldar')) {
        return { values: [world.words.get(other?.value ?? 0n) ?? 0n] };
      }
      const register = /mrs\s+%\w*\[?\w*\]?,\s*(\w+)/.exec(event.template)?.[1] ?? '';
      const outputs = event.operands.filter((operand) => operand.output && !operand.memory);
      return { values: outputs.map(({ value }) => value ?? world.registers[register] ?? 0n) };
    }
  }
}
