import type { EffectInfo } from './effect-info.ts';
import { AT, get, type Window } from './window.ts';
import type { StepContext } from './step-context.ts';

/** What a store or atomic is going to write. */
export interface StoreData {
  /** The value a write would store; `null`: nothing; undefined: not known yet. */
  dataOf(pe: number, w: Window, j: number): bigint | null | undefined;
}

/** Data of writes in one machine. */
export function createStoreData(step: StepContext): StoreData {
  const { draft } = step;
  const { memory } = draft;

  /** The value a write would store; `null`: nothing; undefined: not known yet. */
  function dataOf(pe: number, w: Window, j: number): bigint | null | undefined {
    const { effect, data } = w.infos[j] as EffectInfo;
    if (data !== null) return draft.evaluate(pe, data);
    if (effect.kind !== 'rmw') return undefined;
    if (effect.compare !== undefined) {
      const compared = draft.evaluate(pe, effect.compare);
      if (compared === undefined) return undefined;
      if (compared !== memory.value(get(w, j, AT.value))) return null;
    }
    const operands: bigint[] = [];
    for (const expr of effect.operands) {
      const value = draft.evaluate(pe, expr);
      if (value === undefined) return undefined;
      operands.push(value);
    }
    return effect.update(memory.value(get(w, j, AT.value)), operands);
  }

  return { dataOf };
}

/** Whether the effect is a store-exclusive. */
export function isExclusive(info: EffectInfo): boolean {
  return info.effect.kind === 'store' && info.effect.exclusive;
}
