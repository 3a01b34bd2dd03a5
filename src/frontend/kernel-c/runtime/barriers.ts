import type { EffectBody } from '../../../program/effect.ts';

const OPTION = /^(nsh|ish|osh)?(ld|st)?$/;

/** The effect of `dsb` or `dmb` with its option, as `ishst`, `sy` or `ishnxs`; `null` if unknown. */
export function barrier(name: 'dsb' | 'dmb', option: string): EffectBody | null {
  const nXS = option.endsWith('nxs');
  const plain = nXS ? option.slice(0, -3) : option;
  const parts = plain === 'sy' ? ['', undefined, undefined] : OPTION.exec(plain);
  if (parts === null || plain === '') return null;
  const limit = parts[2] === 'ld' ? 'ld' : parts[2] === 'st' ? 'st' : 'full';
  const domain = parts[1] === 'nsh' || parts[1] === 'ish' || parts[1] === 'osh' ? parts[1] : 'sy';
  if (name === 'dsb') return { kind: 'dsb', limit, domain, nXS };
  // The machine's DMB reaches all PEs, so the one that does not may not be taken for it.
  return nXS || domain === 'nsh' ? null : { kind: 'dmb', limit };
}
