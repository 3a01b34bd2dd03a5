import { KIND, type EffectInfo } from './effect-info.ts';
import { FLAG, flagsOf, type Window } from './window.ts';

/**
 * For the faults `in-order` and `store-buffer-only`: whether something of an earlier instance is left
 * to happen that would have to happen first on such a PE.
 */
export function behindProgramOrder(w: Window, j: number, isWrite: boolean): boolean {
  const delaysStores = !isWrite && w.faults?.has('store-buffer-only') === true;
  if (!delaysStores && !w.faults?.has('in-order') && !w.faults?.has('store-buffer-only')) {
    return false;
  }
  for (let i = 0; i < j; i += 1) if (!isFinished(w, i, delaysStores)) return true;
  return false;
}

function isFinished(w: Window, i: number, delaysStores: boolean): boolean {
  const info = w.infos[i] as EffectInfo;
  const flags = flagsOf(w, i);
  if ((flags & FLAG.faulted) !== 0) return (flags & FLAG.faultDone) !== 0;
  if (!(info.reads || info.writes)) {
    return info.kind === KIND.dmb || (flags & FLAG.fired) !== 0;
  }
  if (info.translated && (flags & FLAG.translated) === 0) return false;
  if ((flags & FLAG.updatePending) !== 0) return false;
  if (info.reads && (flags & FLAG.read) === 0) return false;
  if (delaysStores && info.kind === KIND.store) return true;
  return !info.writes || (flags & (FLAG.written | FLAG.noWrite)) !== 0;
}
