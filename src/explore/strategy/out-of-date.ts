import type { EffectInfo } from '../../machine/effect-info.ts';
import type { Machine } from '../../machine/machine.ts';
import { PE, peComponent, type State, type Step } from '../../machine/state.ts';
import { covers, entryId, MARK, marksOf } from '../../machine/translation-entry.ts';

/** What a machine says about pages whose translations are out of date. */
export interface Pages {
  /** Whether the step is a guest's choice to use an address whose cached translation is out of date. */
  isOutOfDate(state: State, choice: Step): boolean;
}

const known = new WeakMap<Machine, Pages>();

/** The pages of a machine. What is remembered is of ids of hash-consed content alone. */
export function pagesOf(machine: Machine): Pages {
  const before = known.get(machine);
  if (before !== undefined) return before;
  const { inspect, setup } = machine;
  const { tlbs } = inspect;
  /** By set: the addresses some old leaf of it translates. */
  const oldOf = new Map<number, ReadonlySet<bigint>>();
  /** By the choice of a program: the address each option goes on to use. */
  const addressesOf = new Map<EffectInfo, (bigint | null)[]>();

  function old(set: number): ReadonlySet<bigint> {
    let found = oldOf.get(set);
    if (found === undefined) {
      const leaves = tlbs
        .codes(set)
        .filter((code) => (marksOf(code) & MARK.stale) !== 0)
        .map((code) => tlbs.entries.item(entryId(code)))
        .filter(({ kind }) => kind === 'combined' || kind === 's1-leaf');
      found = new Set(setup.watchedVas.filter((va) => leaves.some(({ info }) => covers(info, va))));
      oldOf.set(set, found);
    }
    return found;
  }

  function address(state: State, step: Step): bigint | null {
    const { pe, index, choice } = step;
    inspect.load(state);
    const info = inspect.window(pe).infos[index] as EffectInfo;
    let options = addressesOf.get(info);
    if (options === undefined) {
      options = [];
      addressesOf.set(info, options);
    }
    let found = options[choice];
    if (found === undefined) {
      const next = state.slice();
      machine.apply(step, next);
      inspect.load(next);
      const w = inspect.window(pe);
      found = w.infos[w.count - 1]?.constantAddress ?? null;
      options[choice] = found;
    }
    return found;
  }

  const pages: Pages = {
    isOutOfDate(state, choice) {
      if (choice.pe < 0 || choice.choice < 0) return false;
      const set = state[peComponent(choice.pe, PE.tlb)] as number;
      const found = old(set);
      if (found.size === 0) return false;
      const used = address(state, choice);
      return used !== null && found.has(used);
    },
  };
  known.set(machine, pages);
  return pages;
}
