import { pageBytes } from '../arm64/granule.ts';
import { contextsAt } from './context.ts';
import { hasFaulted, targetOf } from './instance.ts';
import { issued } from './invalidate.ts';
import {
  mayCompleteDsb,
  mayIssue,
  mayMaintain,
  mayRead,
  maySynchronise,
  mayWrite,
} from './local-order.ts';
import type { NaiveState, Pe, Word } from './state.ts';
import { quiet, withInstance, withPeChange, withWord, type Step } from './step.ts';
import {
  afterClean,
  afterCleanInvalidate,
  afterInvalidate,
  afterWrite,
  wordAddress,
  wordAt,
} from './word.ts';
import type { World } from './world.ts';

/** The ways the instance at `at` can happen now, where it is not an access by data or fetch. */
export function barrierSteps(
  world: World,
  state: NaiveState,
  index: number,
  at: number,
): readonly Step[] {
  const pe = state.pes[index];
  const instance = pe?.window[at];
  if (pe === undefined || instance === undefined || instance.done) return [];
  const { effect, seq } = instance;
  const done = withInstance(state, index, at, { done: true });
  const label = `PE${index} ${effect.kind} ${seq}`;
  switch (effect.kind) {
    case 'dsb':
      return mayCompleteDsb(state.ledger, index, pe, at)
        ? [{ ...quiet(label, done), eager: true }]
        : [];
    case 'isb':
    case 'exception-entry':
    case 'exception-return': {
      if (!maySynchronise(pe, at)) return [];
      const changes = effect.kind !== 'isb' || contextsAt(pe, at).length > 1;
      return [{ ...quiet(label, done), disturbs: changes ? index : null, eager: !changes }];
    }
    case 'context':
      return mayIssue(pe, at) ? [{ ...quiet(label, done), disturbs: index }] : [];
    case 'tlbi':
      if (!mayIssue(pe, at)) return [];
      return issued(world, state, index, at).map((item) =>
        quiet(`${label} ${item.op.name}`, { ...done, ledger: [...state.ledger, item] }),
      );
    case 'dc':
      return maintenanceSteps(world, state, index, at);
    case 'ic': {
      if (!mayIssue(pe, at)) return [];
      return [{ ...quiet(label, withoutLines(world, done, index, at)), disturbs: 'all' }];
    }
    case 'lock': {
      const free = (state.locks[effect.lock] ?? null) === null;
      if (!free || !mayRead(pe, at) || !mayWrite(pe, at)) return [];
      return [quiet(label, withLock(done, effect.lock, index))];
    }
    case 'unlock':
      return mayWrite(pe, at) ? [quiet(label, withLock(done, effect.lock, null))] : [];
    case 'alloc-page': {
      const [page, ...freePages] = state.freePages;
      if (page === undefined || !mayRead(pe, at) || !mayWrite(pe, at)) return [];
      return [allocated(world, { ...state, freePages }, index, at, page)];
    }
    case 'free-page': {
      if (!mayWrite(pe, at)) return [];
      const freePages = [...new Set([...state.freePages, effect.page])].sort((a, b) =>
        a < b ? -1 : 1,
      );
      return [quiet(label, { ...done, freePages })];
    }
    default:
      return [];
  }
}

function withLock(state: NaiveState, lock: number, holder: number | null): NaiveState {
  return { ...state, locks: state.locks.map((old, i) => (i === lock ? holder : old)) };
}

/** The allocator gives out a page that a cacheable memset has just zeroed. */
function allocated(world: World, state: NaiveState, index: number, at: number, page: bigint): Step {
  const end = page + pageBytes(world.features.granule);
  const inside = [...state.words.keys()].filter((address) => address >= page && address < end);
  let next = withInstance(state, index, at, { done: true, value: page });
  for (const address of inside) {
    const zeroed = afterWrite(wordAt(next, address), 0n, true, world.hasLines(address));
    next = withWord(next, address, zeroed);
  }
  const thread = world.setup.threads[index];
  const instance = state.pes[index]?.window[at];
  if (thread !== undefined && instance !== undefined) {
    const node = thread.tree.next(instance.node, { kind: 'value', value: page });
    next = withPeChange(next, index, () => ({ node }));
  }
  return { ...quiet(`PE${index} allocates ${page.toString(16)}`, next), touches: inside };
}

const AFTER_DC = {
  civac: afterCleanInvalidate,
  cvac: afterClean,
  // Only to the point of unification.
  cvau: (word: Word) => word,
  ivac: afterInvalidate,
} as const;

/** DC by address, on the one word that is a line here. */
function maintenanceSteps(
  world: World,
  state: NaiveState,
  index: number,
  at: number,
): readonly Step[] {
  const pe = state.pes[index];
  const instance = pe?.window[at];
  if (pe === undefined || instance?.effect.kind !== 'dc' || hasFaulted(instance)) return [];
  const target = targetOf(pe, instance);
  if (target === null || !mayMaintain(pe, at)) return [];
  const { op } = instance.effect;
  const label = `PE${index} dc ${op} ${target.pa.toString(16)}`;
  const done = withInstance(state, index, at, { done: true });
  if (!world.hasLines(target.pa)) return [quiet(label, done)];
  const word = wordAt(state, target.pa);
  const after = AFTER_DC[op](word);
  const next = withWord(done, target.pa, after);
  return [{ ...quiet(label, next), touches: [wordAddress(target.pa)] }];
}

/**
 * IC IALLU on this PE, IALLUIS on all, IVAU for one word on all. A VPIPT cache keeps lines of other
 * VMIDs when the maintenance is executed at EL1; at EL2 it reaches all.
 */
function withoutLines(world: World, state: NaiveState, index: number, at: number): NaiveState {
  const pe = state.pes[index];
  const instance = pe?.window[at];
  if (pe === undefined || instance?.effect.kind !== 'ic') return state;
  const { effect } = instance;
  const context = contextsAt(pe, at)[0] ?? pe.context;
  const pa = effect.op === 'ivau' ? (targetOf(pe, instance)?.pa ?? null) : null;
  const dropped = (line: Pe['icache'][number]): boolean =>
    (world.features.icache !== 'vpipt' || context.el === 2 || line.vmid === context.vmid) &&
    (pa === null || line.pa === wordAddress(pa));
  return {
    ...state,
    pes: state.pes.map((other, i) =>
      effect.op === 'iallu' && i !== index
        ? other
        : { ...other, icache: other.icache.filter((line) => !dropped(line)) },
    ),
  };
}
