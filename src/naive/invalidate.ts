import { tlbi } from '../arm64/tlbi.ts';
import { tlbiMatches } from '../arm64/tlbi-match.ts';
import { contextsAt } from './context.ts';
import { infoOf } from './entry.ts';
import { withPe } from './fetch-ahead.ts';
import { hasFaulted, known, placeOf } from './instance.ts';
import type { Instance, Invalidation, NaiveState, Obligation, Pe, Translation } from './state.ts';
import type { World } from './world.ts';
import { wordAt } from './word.ts';

/**
 * The invalidations that issuing this TLBI can create: one per VMID it may capture, from the
 * synchronised context or from a register write that is still pending.
 */
export function issued(
  world: World,
  state: NaiveState,
  index: number,
  at: number,
): readonly Invalidation[] {
  const pe = state.pes[index];
  const instance = pe?.window[at];
  if (pe === undefined || instance === undefined || instance.effect.kind !== 'tlbi') return [];
  const operand = known(pe, instance.effect.operand);
  if (operand === undefined) return [];
  const op = tlbi(instance.effect.op);
  const { features } = world;
  const vmids = new Set(contextsAt(pe, at).map(({ vmid }) => vmid));
  return [...vmids].map((vmid) => ({
    pe: index,
    seq: instance.seq,
    op,
    operand,
    scope: { vmid, granule: features.granule, features },
    undelivered: op.scope === 'local' ? [index] : state.pes.map((_, pe) => pe),
    obligations: [],
  }));
}

/**
 * The invalidation reaches one PE: matching entries go, and what the PE still has in flight through
 * stale translations in scope has to finish before the invalidation is complete.
 */
export function delivered(
  world: World,
  state: NaiveState,
  item: Invalidation,
  index: number,
): NaiveState {
  const pe = state.pes[index];
  if (pe === undefined) return state;
  const tlb = pe.tlb.filter(
    (entry) => !tlbiMatches(item.op, item.operand, item.scope, infoOf(world, entry)),
  );
  const own = index === item.pe || world.features.erratumRepeatTlbi;
  const reached: Invalidation = {
    ...item,
    undelivered: item.undelivered.filter((other) => other !== index),
    obligations: [...item.obligations, ...(own ? [] : obligationsOf(state, item, index, pe))],
  };
  const ledger = state.ledger.map((other) => (other === item ? reached : other));
  return { ...withPe(state, index, { ...pe, tlb }), ledger };
}

/**
 * What a PE other than the issuer owes (event-machine.md 2.3; herd7's TLBI-ob, `ext`): the access or
 * fault event of each instance that used a stale translation in scope, and the T of each earlier
 * access with the same page offset, whether or not the later one is performed by now. An instance that
 * faulted is no access and has no such neighbours (herd7's F2.mod tests allow it).
 *
 * An address that is not known yet counts as a different offset.
 */
function obligationsOf(
  state: NaiveState,
  item: Invalidation,
  index: number,
  pe: Pe,
): readonly Obligation[] {
  return pe.window.flatMap((instance, at) => {
    const { translation, seq, done } = instance;
    if (translation === null || !concerns(state, item, translation)) return [];
    const offset = pageOffset(pe, instance);
    const before = hasFaulted(instance) ? [] : pe.window.slice(0, at);
    const earlier = before
      .filter((other) => other.translation === null && pageOffset(pe, other) === offset)
      .map((other) => ({ pe: index, seq: other.seq, event: 'translate' }) as const);
    return done ? earlier : [{ pe: index, seq, event: 'access' } as const, ...earlier];
  });
}

function concerns(state: NaiveState, item: Invalidation, translation: Translation): boolean {
  const { path, scope } = translation;
  const stale = path.some(({ cell, version }) => wordAt(state, cell).writes !== version);
  return stale && tlbiMatches(item.op, item.operand, item.scope, scope);
}

/** Low 12 bits of the VA of a translated access; undefined where it has none or it is not known. */
function pageOffset(pe: Pe, { effect }: Instance): bigint | undefined {
  const place = placeOf(effect);
  if (place?.kind !== 'virtual') return undefined;
  const va = known(pe, place.address);
  return va === undefined ? undefined : va & 0xfffn;
}
