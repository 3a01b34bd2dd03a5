import { LEDGER_SLOTS } from '../../machine/ledger.ts';
import { KIND, type EffectInfo } from '../../machine/effect-info.ts';
import type { Machine } from '../../machine/machine.ts';
import { isLine } from '../../machine/memory.ts';
import { PE, peComponent, STATE, type State } from '../../machine/state.ts';
import { EVENT, type Transition } from '../../machine/transition.ts';
import {
  entryId,
  MARK,
  MARK_BITS,
  marksOf,
  type TranslationEntry,
} from '../../machine/translation-entry.ts';
import { AT, FLAG, flagsOf, get, MARK_SHIFT } from '../../machine/window.ts';
import { RUN_FACT_NAMES, type RunFact } from './fact.ts';

/** Notes what one run gets into. */
export interface FactWatch {
  /** To be told every step of the run, in order. */
  readonly see: (before: State, step: Transition) => void;
  /** What was seen so far, in the order of `RUN_FACT_NAMES`. */
  facts(): readonly RunFact[];
}

/** What a machine remembers from run to run: it depends on ids of hash-consed content alone. */
interface Remembered {
  /** By TLB set: may it hold two sizes of one address; may it hold a table entry that is cut off. */
  readonly sets: Map<number, { readonly twoSizes: boolean; readonly cutOff: boolean }>;
  /** By ledger: PEs that an invalidation has yet to reach; whether it has reached others already. */
  readonly ledgers: Map<number, { readonly pending: number; readonly split: boolean }>;
}

const remembered = new WeakMap<Machine, Remembered>();

/** The watch over a run of a machine in which the PEs from 0 to `hosts` - 1 run the operation. */
export function factWatch(machine: Machine, hosts: number): FactWatch {
  const { inspect } = machine;
  const { memory, tlbs } = inspect;
  const pes = machine.setup.threads.length;
  const seen = new Set<RunFact>();
  const memo = remembered.get(machine) ?? { sets: new Map(), ledgers: new Map() };
  remembered.set(machine, memo);
  const cleaned = new Set<number>();
  const broken = new Set<number>();
  const underWay = new Set<number>();
  const droppedBy = new Set<number>();
  const lastOwner = new Map<number, number>();

  function setOf(set: number): { readonly twoSizes: boolean; readonly cutOff: boolean } {
    let found = memo.sets.get(set);
    if (found === undefined) {
      const codes = tlbs.codes(set);
      const entries = codes.map((code) => tlbs.entries.item(entryId(code)));
      found = {
        twoSizes: hasTwoSizes(entries),
        cutOff: entries.some(
          ({ kind }, i) =>
            (kind === 's2-table' || kind === 's1-table') &&
            (marksOf(codes[i] as number) & MARK.stale) !== 0,
        ),
      };
      memo.sets.set(set, found);
    }
    return found;
  }

  function ledgerOf(state: State): { readonly pending: number; readonly split: boolean } {
    const id = state[STATE.ledger] as number;
    let found = memo.ledgers.get(id);
    if (found === undefined) {
      inspect.load(state);
      let pending = 0;
      let split = false;
      for (let slot = 0; slot < LEDGER_SLOTS; slot += 1) {
        const left = inspect.slotPending(slot);
        if (inspect.slotIssuer(slot) < 0 || left === 0) continue;
        pending |= left;
        const { op } = tlbs.invalidations.item(inspect.slotInvalidation(slot));
        if (op.scope !== 'local' && left !== (1 << pes) - 1) split = true;
      }
      found = { pending, split };
      memo.ledgers.set(id, found);
    }
    return found;
  }

  function seeTranslation(before: State, { pe, choice }: Transition): void {
    if (choice < 0) return;
    const { fault, path2 } = tlbs.results.item(choice >> MARK_BITS);
    if ((choice & MARK.stale) !== 0) {
      seen.add(fault === null ? 'stale-hit' : 'stale-fault');
      if (fault === null && (ledgerOf(before).pending & (1 << pe)) !== 0) {
        seen.add('hit-before-delivery');
      }
    }
    if (fault?.cause === 'translation' && path2.length > 0) {
      broken.add(path2[path2.length - 2] as number);
    }
  }

  function seeWrite(before: State, { pe, index, next }: Transition): void {
    inspect.load(before);
    const w = inspect.window(pe);
    const info = w.infos[index] as EffectInfo;
    const cell = get(w, index, AT.cell);
    const stale = ((flagsOf(w, index) >> MARK_SHIFT) & MARK.stale) !== 0;
    if (info.translated && stale) seen.add('stale-store');
    if (pe < hosts) {
      for (let i = 0; i < index; i += 1) {
        const done = (flagsOf(w, i) & (FLAG.written | FLAG.noWrite)) !== 0;
        if ((w.infos[i] as EffectInfo).writes && !done) seen.add('stores-out-of-order');
      }
    }
    inspect.load(next);
    const slot = inspect.slot(cell);
    if (!isLine(slot)) {
      if (broken.has(cell) && (memory.value(slot >> 1) & 1n) === 1n) {
        seen.add('walk-between-break-and-make');
      }
      return;
    }
    const { dirty, clean } = memory.line(slot);
    if (dirty >= 0 || clean.length < 2) return;
    seen.add('store-past-the-cache');
    if (cleaned.has(cell)) seen.add('fill-between-clean-and-store');
  }

  function seeDelivery({ pe, index, next }: Transition): void {
    inspect.load(next);
    const bit = 1 << index;
    const w = inspect.window(pe);
    for (let i = 0; i < w.count; i += 1) {
      if ((get(w, i, AT.obligations) & bit) !== 0) seen.add('access-across-delivery');
    }
  }

  function seeEffect(before: State, { pe, index }: Transition): void {
    inspect.load(before);
    const w = inspect.window(pe);
    const { effect } = w.infos[index] as EffectInfo;
    switch (effect.kind) {
      case 'tlbi':
        if (inspect.pendingContext(pe) !== 0) seen.add('tlbi-unsynchronised');
        return;
      case 'dc': {
        const cell = get(w, index, AT.cell);
        const slot = inspect.slot(cell);
        if (isLine(slot) && memory.line(slot).dirty >= 0) seen.add('dirty-line-cleaned');
        if (effect.op === 'civac') cleaned.add(cell);
        return;
      }
      case 'free-page':
        seen.add('table-freed');
        return;
      case 'lock': {
        const last = lastOwner.get(effect.lock);
        if (last !== undefined && last !== pe) seen.add('lock-passed-on');
        if (droppedBy.has(pe)) seen.add('lock-dropped');
        lastOwner.set(effect.lock, pe);
        return;
      }
      case 'unlock':
        if (underWay.has(pe)) droppedBy.add(pe);
        return;
      case 'announce':
        if (effect.fact.kind === 'operation-begins') {
          underWay.add(pe);
          if (underWay.size > 1) seen.add('operations-overlap');
        } else if (effect.fact.kind === 'operation-returns') {
          underWay.delete(pe);
          droppedBy.delete(pe);
          if (ledgerOf(before).pending !== 0) seen.add('return-before-delivery');
        }
        return;
      default:
    }
  }

  function seeFacts({ facts, pe }: Transition): void {
    for (const fact of facts) {
      if (fact.kind === 'fault-taken' && fact.stage === 2 && underWay.size > 0) {
        seen.add('fault-in-operation');
      }
      if (fact.kind === 'table-written' && pe >= hosts) seen.add('fault-mapped-page');
      if (fact.kind === 'freed-table-reachable') seen.add(fact.kind);
    }
  }

  function seeTlbs(before: State, next: State): void {
    for (let pe = 0; pe < pes; pe += 1) {
      const at = peComponent(pe, PE.tlb);
      if (before[at] === next[at]) continue;
      const { twoSizes, cutOff } = setOf(next[at] as number);
      if (twoSizes) seen.add('two-sizes-live');
      if (cutOff) seen.add('cut-off-table-cached');
    }
  }

  return {
    see(before, step) {
      const { event, pe, facts } = step;
      for (let host = 0; host < hosts; host += 1) {
        const pending = before[peComponent(host, PE.pending)];
        if (pending !== 0 && pe !== host) seen.add('register-unsynchronised');
      }
      if (pe >= hosts && (event === EVENT.read || event === EVENT.write)) {
        if (ledgerOf(before).split) seen.add('delivered-here-not-there');
        inspect.load(before);
        const { kind } = inspect.window(pe).infos[step.index] as EffectInfo;
        if (kind === KIND.fetch) seen.add('instruction-fetched');
      }
      if (event === EVENT.translate) seeTranslation(before, step);
      else if (event === EVENT.write) seeWrite(before, step);
      else if (event === EVENT.deliver) seeDelivery(step);
      else if (event === EVENT.fire) seeEffect(before, step);
      else if (event === EVENT.writeBack) seen.add('line-written-back');
      if (facts.length > 0) seeFacts(step);
      seeTlbs(before, step.next);
    },
    facts: () => RUN_FACT_NAMES.filter((fact) => seen.has(fact)),
  };
}

/** Whether two leaves of one kind and VM translate one address, with different sizes. */
function hasTwoSizes(entries: readonly TranslationEntry[]): boolean {
  const leaves = entries.filter(({ info }) => info.leaf);
  return leaves.some((a) =>
    leaves.some((b) => {
      if (a.kind !== b.kind || a.info.vmid !== b.info.vmid) return false;
      if (a.info.inputBits >= b.info.inputBits) return false;
      const bits = BigInt(b.info.inputBits);
      return a.info.inputBase >> bits === b.info.inputBase >> bits;
    }),
  );
}
