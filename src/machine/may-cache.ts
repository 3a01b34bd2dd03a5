import { bypassesCache } from '../arm64/attributes.ts';
import { AF_BIT, DBM_BIT } from '../arm64/descriptor.ts';
import type { TlbiContext } from '../arm64/tlbi-match.ts';
import { tlbi, type TlbiOp } from '../arm64/tlbi.ts';
import type { Context, Fault } from '../program/effect.ts';
import type { IdTables } from '../util/id-tables.ts';
import type { Interner } from '../util/interner.ts';
import { pairMap, type PairMap } from '../util/pair-map.ts';
import { contextTable, type ContextTable } from './context-table.ts';
import type { Memory } from './memory.ts';
import type { DescriptorUpdate, Translated, TranslationResult } from './translation-result.ts';
import type { MachineSetup } from './setup.ts';
import { isDeadAfter, marksAfterWrite, type Removal } from './stale-marks.ts';
import {
  covers,
  entryId,
  entryTable,
  marksOf,
  type EntryTable,
  type TranslationEntry,
} from './translation-entry.ts';
import { matching, type Matches } from './tlbi-scope.ts';
import type { WalkFault } from './walk-position.ts';
import { createWalker } from './walker.ts';

/**
 * What a PE may hold in its TLB, as a function of what happened: every entry that could have been
 * filled and has not been invalidated since. A walker may walk any time and an entry may be dropped
 * any time, so which entries are really there is not worth a transition; an access chooses among them.
 *
 * A set is a hash-consed ascending sequence of marked entries, so a PE's TLB is one integer, and
 * every operation on it is remembered.
 */
export interface MayCaches {
  readonly entries: EntryTable;
  readonly empty: number;
  /** Whether walks happen in this context, asked for or not. */
  walks(context: number): boolean;
  /** The set closed under everything walks may leave behind in this context over this memory. */
  close(set: number, memory: number, context: number): number;
  /** After a write to the cell: entries built from it are stale. */
  markStale(set: number, cell: number): number;
  /** After an operation returned: stale entries of what it removed get `mark`. */
  markDead(set: number, removal: Removal, mark: number, memory: number): number;
  /** Without the entries the invalidation must remove. */
  remove(set: number, invalidation: number): number;
  /** Marked entries of a set. */
  codes(set: number): readonly number[];
  /** Everything a translation of `va` for this access may come to. */
  translate(
    set: number,
    memory: number,
    context: number,
    va: bigint,
    access: 'read' | 'write' | 'execute',
    unprivileged: boolean,
  ): readonly Translated[];
  /** Cells whose access flag hardware may set at any time, on behalf of a speculative walk. */
  spontaneous(set: number, memory: number, context: number): readonly DescriptorUpdate[];
  /** What a result came to, without how: all that is left of it once its access is done. */
  withoutPath(result: number): number;
  readonly results: Interner<TranslationResult>;
  readonly contexts: ContextTable;
  readonly invalidations: Interner<Invalidation>;
  readonly matches: Matches;
}

/** An issued TLBI: operation, operand, and the context it captured. */
export interface Invalidation {
  readonly op: TlbiOp;
  readonly operand: bigint;
  readonly context: TlbiContext;
}

/** AP[2] of a stage-1 leaf. */
const STAGE1_READ_ONLY_BIT = 1n << 7n;

/** May-caches of one machine. */
export function createMayCaches(setup: MachineSetup, memory: Memory, ids: IdTables): MayCaches {
  const entries = entryTable(ids);
  const walker = createWalker(setup.translation, memory, entries, setup.faults);
  const pool = ids.pool();
  const contexts = contextTable(ids);
  const results = ids.interner<TranslationResult>();
  const { features } = setup.translation;
  const invalidations = ids.interner<Invalidation>({
    plain: ({ op, operand, context }) => [op.name, operand, context.vmid],
    item(plain) {
      const [name, operand, vmid] = plain as readonly [string, bigint, number];
      return { op: tlbi(name), operand, context: { vmid, granule: features.granule, features } };
    },
  });
  const { faults } = setup;
  const matches = matching(faults);
  let scratch = new Int32Array(256);
  const closeMemo: PairMap[] = [];
  const staleMemo = pairMap();
  const removeMemo = pairMap();
  const translateMemo = new Map<string, readonly Translated[]>();
  const pathless = new Map<number, number>();
  const codesMemo: (readonly number[] | undefined)[] = [];

  function intern(codes: number[]): number {
    codes.sort((a, b) => a - b);
    if (scratch.length < codes.length) scratch = new Int32Array(codes.length * 2);
    let length = 0;
    for (const code of codes) {
      if (length > 0 && scratch[length - 1] === code) continue;
      scratch[length] = code;
      length += 1;
    }
    return pool.intern(scratch, length);
  }

  function codes(set: number): readonly number[] {
    let found = codesMemo[set];
    if (found === undefined) {
      const start = pool.start(set);
      found = [...pool.arena.subarray(start, start + pool.length(set))];
      codesMemo[set] = found;
    }
    return found;
  }

  function isRemoved(
    entry: TranslationEntry,
    op: TlbiOp,
    operand: bigint,
    context: TlbiContext,
  ): boolean {
    if (entry.kind === 'combined' && faults?.has('no-combined-entries')) return true;
    return matches(op, operand, context, entry.info);
  }

  function mapCodes(
    set: number,
    change: (code: number, entry: TranslationEntry) => number,
  ): number {
    return intern(codes(set).map((code) => change(code, entries.item(entryId(code)))));
  }

  function walks(contextId: number): boolean {
    const context = contexts.context(contextId);
    if (context.stage1 === null && context.stage2 === null) return false;
    return context.el !== 2 || features.readingFillOutOfContext;
  }

  function close(set: number, mem: number, contextId: number): number {
    if (!walks(contextId)) return set;
    const memo = (closeMemo[contextId] ??= pairMap());
    const known = memo.get(set, mem);
    if (known >= 0) return known;
    const context = contexts.context(contextId);
    const held = [...codes(set)];
    for (let before = -1; before !== held.length;) {
      before = held.length;
      for (const va of setup.watchedVas) walker.closeUnder(held, mem, context, va);
    }
    const result = intern(held);
    memo.set(set, mem, result);
    return result;
  }

  function translateAnew(
    set: number,
    mem: number,
    contextId: number,
    va: bigint,
    access: 'read' | 'write' | 'execute',
    unprivileged: boolean,
  ): readonly Translated[] {
    const context = contexts.context(contextId);
    const found: Translated[] = [];
    const full = context.stage2 === null ? 's1-leaf' : 'combined';
    const from = faults?.has('no-tlb') ? pool.intern(scratch, 0) : set;
    const held = codes(close(from, mem, contextId));
    for (const code of held) {
      const entry = entries.item(entryId(code));
      const { info } = entry;
      if (
        entry.kind !== full ||
        info.vmid !== context.vmid ||
        (info.asid !== null && info.asid !== context.asid) ||
        !covers(info, va)
      ) {
        continue;
      }
      const result = resultOf(entry, va, access, unprivileged, context, true);
      // An update is atomic with the read of the descriptor: an old copy will not do.
      if (results.item(result).update !== null && marksOf(code) !== 0) continue;
      found.push({ result, marks: marksOf(code) });
    }
    for (const f of walker.faults(held, mem, context, va)) {
      if (f.leaf !== null && managesAccessFlag(context)) {
        if (f.marks !== 0) continue;
        found.push({
          result: resultOf(f.leaf, va, access, unprivileged, context, false),
          marks: 0,
        });
      } else {
        found.push({ result: faultResult(f, context, va, access), marks: f.marks });
      }
    }
    return found.filter(
      (t, i) => found.findIndex((u) => u.result === t.result && u.marks === t.marks) === i,
    );
  }

  /** What an access through a leaf comes to: an address, a permission fault, or a hardware update. */
  function resultOf(
    entry: TranslationEntry,
    va: bigint,
    access: 'read' | 'write' | 'execute',
    unprivileged: boolean,
    context: Context,
    hasAccessFlag: boolean,
  ): number {
    const key = `e${entries.add(entry)},${va},${access},${unprivileged},${context.stage1?.hardwareUpdate},${hasAccessFlag}`;
    return results.id(key, () => {
      const offset = va - entry.info.inputBase;
      const pa = entry.output + offset;
      const rights = unprivileged ? entry.permissions.el0 : entry.permissions.privileged;
      const dirties = !rights.write && access === 'write' && canDirty(entry, context, unprivileged);
      const allowed = rights[access] || dirties;
      const stage1Allows = (
        unprivileged ? entry.stage1Permissions.el0 : entry.stage1Permissions.privileged
      )[access];
      const fault: Fault | null = allowed
        ? null
        : {
            stage: stage1Allows ? 2 : 1,
            cause: faults === undefined ? 'permission' : cachedCause(entry),
            level: (stage1Allows ? entry.leaf2?.level : entry.leaf1?.level) ?? entry.info.level,
            address: stage1Allows ? entry.ipaBase + offset : va,
            onWalk: false,
            access,
          };
      return {
        pa,
        cell: memory.cellOf(pa),
        fault,
        uncacheableFault: false,
        bypassesCache: bypassesCache(entry.memoryType),
        ipa: entry.kind === 'combined' ? entry.ipaBase + offset : null,
        vmid: entry.info.vmid,
        info: entry.info,
        path1: entry.path1,
        path2: entry.path2,
        leafPath2: entry.leafPath2,
        update: fault === null ? updateOf(entry, dirties, hasAccessFlag) : null,
        entry,
      };
    });
  }

  function withoutStaleTables(set: number): number {
    return intern(
      codes(set).filter((code) => {
        const { kind } = entries.item(entryId(code));
        return (kind !== 's1-table' && kind !== 's2-table') || marksOf(code) === 0;
      }),
    );
  }

  /** The fault a cached descriptor gives, where faults let the walker cache bad ones. */
  function cachedCause({ leaf1 }: TranslationEntry): Fault['cause'] {
    if (leaf1 !== null && !isValidBits(leaf1.bits)) return 'translation';
    const cachesAf0 = faults?.has('af0-cached') === true;
    return cachesAf0 && leaf1 !== null && (leaf1.bits & AF_BIT) === 0n
      ? 'access-flag'
      : 'permission';
  }

  /** Whether a write through a clean leaf makes hardware set the dirty state (FEAT_HAFDBS). */
  function canDirty(entry: TranslationEntry, context: Context, unprivileged: boolean): boolean {
    if (context.stage1?.hardwareUpdate !== 'af+dbm' || entry.leaf1 === null) return false;
    const { bits } = entry.leaf1;
    if ((bits & DBM_BIT) === 0n || entry.restrictions.readOnly) return false;
    return !unprivileged || entry.permissions.el0.read;
  }

  function updateOf(
    entry: TranslationEntry,
    dirties: boolean,
    hasAccessFlag: boolean,
  ): DescriptorUpdate | null {
    if (entry.leaf1 === null || (hasAccessFlag && !dirties)) return null;
    const { bits } = entry.leaf1;
    const value = (bits | AF_BIT) & ~(dirties ? STAGE1_READ_ONLY_BIT : 0n);
    return {
      cell: entry.path1[entry.path1.length - 2] as number,
      valueId: memory.valueId(value),
    };
  }

  function faultResult(
    f: WalkFault,
    context: Context,
    va: bigint,
    access: 'read' | 'write' | 'execute',
  ): number {
    const key = `f${f.fault.stage},${f.fault.cause},${f.fault.level},${f.fault.address},${f.fault.onWalk},${va},${access},${context.vmid},${context.asid};${f.path1.join(',')};${f.path2.join(',')}`;
    return results.id(key, () => ({
      pa: 0n,
      cell: -1,
      fault: { ...f.fault, access },
      uncacheableFault: true,
      bypassesCache: false,
      ipa: f.fault.stage === 2 && !f.fault.onWalk ? f.fault.address : null,
      vmid: context.vmid,
      info: {
        regime: 'el1&0',
        stages: context.stage2 === null ? 's1' : 's1s2',
        leaf: true,
        level: 3,
        vmid: context.vmid,
        asid: context.asid,
        inputBase: va,
        inputBits: 0,
      },
      path1: f.path1,
      path2: f.path2,
      leafPath2: f.fault.onWalk ? [] : f.path2,
      update: null,
      entry: null,
    }));
  }

  return {
    entries,
    empty: pool.intern(scratch, 0),
    walks,
    close,
    codes,
    results,
    contexts,
    invalidations,
    matches,
    markStale(set, cell) {
      const known = staleMemo.get(set, cell);
      if (known >= 0) return known;
      let result = mapCodes(set, (code, entry) => code | marksAfterWrite(entry, cell));
      if (faults?.has('no-table-entries')) result = withoutStaleTables(result);
      staleMemo.set(set, cell, result);
      return result;
    },
    markDead: (set, removal, mark, mem) =>
      mapCodes(set, (code, entry) =>
        isDeadAfter(entry, marksOf(code), removal, memory, mem) ? code | mark : code,
      ),
    remove(set, invalidation) {
      const known = removeMemo.get(set, invalidation);
      if (known >= 0) return known;
      const { op, operand, context } = invalidations.item(invalidation);
      const result = intern(
        codes(set).filter((code) => !isRemoved(entries.item(entryId(code)), op, operand, context)),
      );
      removeMemo.set(set, invalidation, result);
      return result;
    },
    withoutPath(result) {
      const known = pathless.get(result);
      if (known !== undefined) return known;
      const from = results.item(result);
      const { fault } = from;
      const key =
        fault === null
          ? `d${from.pa},${from.bypassesCache},${from.vmid}`
          : `d${fault.stage},${fault.cause},${fault.level},${fault.address},${fault.onWalk},${fault.access}`;
      const id = results.id(key, () => ({
        ...from,
        path1: [],
        path2: [],
        leafPath2: [],
        update: null,
        entry: null,
      }));
      pathless.set(result, id);
      pathless.set(id, id);
      return id;
    },
    spontaneous(set, mem, contextId) {
      const context = contexts.context(contextId);
      if (!managesAccessFlag(context)) return [];
      const held = codes(close(set, mem, contextId));
      const found: DescriptorUpdate[] = [];
      for (const va of setup.watchedVas) {
        for (const f of walker.faults(held, mem, context, va)) {
          if (f.leaf === null || f.marks !== 0) continue;
          const update = updateOf(f.leaf, false, false);
          if (update !== null && !found.some((u) => u.cell === update.cell)) found.push(update);
        }
      }
      return found;
    },
    translate(set, mem, contextId, va, access, unprivileged) {
      const key = `${set},${mem},${contextId},${va},${access},${unprivileged}`;
      let found = translateMemo.get(key);
      if (found === undefined) {
        found = translateAnew(set, mem, contextId, va, access, unprivileged);
        translateMemo.set(key, found);
      }
      return found;
    },
  };
}

function isValidBits(bits: bigint): boolean {
  return (bits & 1n) === 1n;
}

/** TCR_ELx.HA: hardware sets the access flag. */
function managesAccessFlag(context: Context): boolean {
  return context.stage1 !== null && context.stage1.hardwareUpdate !== 'none';
}
