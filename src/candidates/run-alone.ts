import type { Answer, Effect } from '../program/effect.ts';
import { evaluate, type Expr } from '../program/expr.ts';
import { pageOf, type HostCode } from './host-code.ts';
import type { World } from './world/world.ts';

/** What a run of one thread alone did. */
export interface SequentialRun<Result> {
  readonly effects: readonly Effect[];
  readonly result: Result;
  readonly memory: ReadonlyMap<bigint, bigint>;
}

/**
 * Runs one host thread on plain memory: each effect is done at once, locks are free, freed pages are
 * handed out again zeroed, and `choose` is answered from a list (0 when it is used up). It says what
 * the code does and how much of it, for counts and for the sites of mutants; it says nothing about
 * what other PEs see.
 */
export function runAlone<Result>(
  code: HostCode<Result>,
  world: Pick<World, 'memory' | 'pages' | 'features'>,
  choices: readonly number[] = [],
): SequentialRun<Result> {
  const memory = new Map(world.memory.map(({ address, value }) => [address, value]));
  const free = world.pages.filter(({ use }) => use === 'free').map(({ base }) => base);
  const effects: Effect[] = [];
  let choice = 0;

  function answer(effect: Effect): Answer {
    switch (effect.kind) {
      case 'load':
        return { kind: 'value', value: memory.get(address(effect.at)) ?? 0n };
      case 'store':
        memory.set(address(effect.at), known(effect.data));
        return { kind: 'done' };
      case 'rmw': {
        const old = memory.get(address(effect.at)) ?? 0n;
        const value = effect.update(old, effect.operands.map(known));
        if (value !== null) memory.set(address(effect.at), value);
        return effect.wanted ? { kind: 'value', value: old } : { kind: 'done' };
      }
      case 'choose': {
        const value = BigInt(choices[choice] ?? 0);
        choice += 1;
        return { kind: 'value', value };
      }
      case 'alloc-page': {
        const page = free.pop();
        if (page === undefined) throw new Error('no free page');
        for (const cell of memory.keys()) {
          if (pageOf(cell, world.features.granule) === page) memory.delete(cell);
        }
        return { kind: 'value', value: page };
      }
      case 'free-page':
        free.push(effect.page);
        return { kind: 'done' };
      default:
        return { kind: 'done' };
    }
  }

  let step = code.next();
  while (step.done !== true) {
    effects.push(step.value);
    step = code.next(answer(step.value));
  }
  return { effects, result: step.value, memory };
}

function known(expr: Expr): bigint {
  const value = evaluate(expr, () => undefined);
  if (value === undefined) throw new Error('an expression of host code is not a constant');
  return value;
}

function address(at: Extract<Effect, { kind: 'load' }>['at']): bigint {
  return known(at.address);
}

/** An effect in two or three words, to compare sequences by. */
export function shorthand(effect: Effect): string {
  switch (effect.kind) {
    case 'load':
      return 'load';
    case 'store':
      return known(effect.data) === 0n ? 'clear' : 'store';
    case 'dsb':
      return `dsb ${effect.domain}${effect.limit === 'full' ? '' : effect.limit}`;
    case 'tlbi': {
      const operand = known(effect.operand);
      return operand === 0n
        ? `tlbi ${effect.op}`
        : `tlbi ${effect.op} 0x${(operand << 12n).toString(16)}`;
    }
    case 'dc':
    case 'ic':
      return `${effect.kind} ${effect.op}`;
    case 'announce':
      return `announce ${effect.fact.kind}`;
    default:
      return effect.kind;
  }
}

/** How many effects of a kind a run made, by shorthand without operands. */
export function counts(effects: readonly Effect[]): Readonly<Record<string, number>> {
  const result: Record<string, number> = {};
  for (const effect of effects) {
    const key = shorthand(effect).split(' 0x')[0] ?? '';
    result[key] = (result[key] ?? 0) + 1;
  }
  return result;
}
