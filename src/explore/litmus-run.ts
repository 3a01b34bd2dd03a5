import type { LitmusTest } from '../frontend/litmus/litmus-test.ts';
import { AT, get } from '../machine/window.ts';
import { createMachine, type Machine } from '../machine/machine.ts';
import type { State } from '../machine/state.ts';
import type { LitmusProblem } from '../frontend/litmus/problem.ts';
import { accessWatch } from './litmus-accesses.ts';
import { search } from './search.ts';

/** All final states of a litmus test, as the test shows them. */
export interface LitmusOutcomes {
  /** What the test observes, in herd7's notation, sorted. */
  readonly outcomes: readonly string[];
  /** Whether some PE may hold two translations whose difference needs break-before-make. */
  readonly needsBbm: boolean;
  readonly states: number;
  /** The search was cut off: the outcomes are not all. */
  readonly limited: boolean;
  /** Final states for which the statement of the test holds, and for which it does not. */
  readonly holding: number;
  readonly others: number;
  /** Something that runs of the test do and that the machine cannot do: then the rest means nothing. */
  readonly problem: LitmusProblem | null;
}

/** Runs a litmus test on the machine to the end. */
export function runLitmus(
  test: LitmusTest,
  limits: { readonly states: number },
  reduced = true,
): LitmusOutcomes {
  const machine = createMachine(test.setup);
  const outcomes = new Set<string>();
  let needsBbm = machine.initialFacts.some((fact) => fact.kind === 'two-live');
  let holding = 0;
  let others = 0;
  const accesses = accessWatch(machine, test);
  const result = search(machine, limits, {
    reduced,
    order: 'depth-first',
    violation(facts) {
      if (facts.some((fact) => fact.kind === 'two-live')) needsBbm = true;
      return null;
    },
    onEnd(state) {
      if (machine.end(state) !== 'finished') return;
      const final = finalState(machine, state);
      accesses.look();
      const outcome = test.observe(final);
      if (outcome === null) return;
      outcomes.add(outcome);
      if (test.holds(final)) holding += 1;
      else others += 1;
    },
  });
  return {
    outcomes: [...outcomes].sort(),
    needsBbm,
    states: result.states,
    limited: result.kind === 'limit',
    holding,
    others,
    problem: accesses.problem(),
  };
}

/** The end of a run as a litmus test looks at it. */
export function finalState(machine: Machine, state: State): Parameters<LitmusTest['observe']>[0] {
  const { inspect } = machine;
  inspect.load(state);
  return {
    node: (thread) => inspect.window(thread).head,
    resultOf: (thread, seq) => inspect.result(thread, seq),
    memory: (address) => wordAt(machine, address),
  };
}

/** The 8-byte word at an address, put together where narrower accesses have split it. */
function wordAt(machine: Machine, address: bigint): bigint {
  const { inspect } = machine;
  const { memory } = inspect;
  const at = (offset: bigint): bigint =>
    memory.coherentValue(inspect.slot(memory.cellOf(address + offset)));
  const parts = narrowAccesses(machine).get(address);
  if (parts === undefined) return at(0n);
  let word = machine.setup.memory.find((m) => m.address === address)?.value ?? 0n;
  for (const [offset, bytes] of parts) {
    const shift = offset * 8n;
    const mask = ((1n << BigInt(bytes * 8)) - 1n) << shift;
    word = (word & ~mask) | ((at(offset) << shift) & mask);
  }
  return word;
}

/** Words that the run accessed by parts only: offset and size of each part. */
function narrowAccesses(machine: Machine): ReadonlyMap<bigint, ReadonlyMap<bigint, number>> {
  const { inspect } = machine;
  const words = new Map<bigint, Map<bigint, number>>();
  const whole = new Set<bigint>();
  machine.setup.threads.forEach((_, pe) => {
    const w = inspect.window(pe);
    for (let i = 0; i < w.count; i += 1) {
      const cell = get(w, i, AT.cell);
      const effect = w.infos[i]?.effect;
      if (cell < 0 || effect === undefined || !('bytes' in effect)) continue;
      const address = inspect.memory.addressOf(cell);
      const word = address & ~7n;
      if (effect.bytes === 8) whole.add(word);
      const parts = words.get(word) ?? new Map<bigint, number>();
      parts.set(address & 7n, effect.bytes);
      words.set(word, parts);
    }
  });
  for (const word of whole) words.delete(word);
  return words;
}
