import { alignDown, type Ipa } from '../arm64/address.ts';
import { type Placed, stage1BbmReason, stage2BbmReason } from '../arm64/bbm.ts';
import type { Features } from '../arm64/features.ts';
import { type Level, levelShift } from '../arm64/geometry.ts';
import type { Granule } from '../arm64/granule.ts';
import { decodeStage1, type Stage1Descriptor } from '../arm64/stage1-descriptor.ts';
import { decodeStage2 } from '../arm64/stage2-descriptor.ts';
import type { Context } from '../program/effect.ts';
import type { Draft } from './draft.ts';
import type { Fact } from './facts.ts';
import type { MachineSetup, TranslationSetup } from './setup.ts';
import {
  covers,
  entryId,
  type LeafDescriptor,
  MARK,
  marksOf,
  type TranslationEntry,
} from './translation-entry.ts';

/**
 * What can be said of a PE by looking at what it may hold: a table entry that leads into a freed
 * page, two live translations of one address. Looked at whenever the set or a page has changed.
 */
export interface TlbWatch {
  /** Adds facts about a PE whose set is not `before` any more; pass -1 to look in any case. */
  look(pe: number, before: number, facts: Fact[]): void;
  /** The same after a change of the PE's context, which brings entries of ended VMs into reach. */
  lookAgain(pe: number, facts: Fact[]): void;
}

interface LivePair {
  readonly first: TranslationEntry;
  readonly second: TranslationEntry;
  readonly reason: string;
  /** Harmless while both output addresses hold the same data: nobody can write through either. */
  readonly unlessSameContents: boolean;
}

/** The watch over the sets of one machine. */
export function createTlbWatch(
  draft: Draft,
  { translation, watchedVas, endedVms = [] }: MachineSetup,
): TlbWatch {
  const { tlbs } = draft;
  const pairsMemo: (readonly LivePair[] | undefined)[] = [];
  const tablesMemo: (readonly TranslationEntry[] | undefined)[] = [];

  function tablesOf(set: number): readonly TranslationEntry[] {
    let found = tablesMemo[set];
    if (found === undefined) {
      found = tlbs
        .codes(set)
        .map((code) => tlbs.entries.item(entryId(code)))
        .filter((entry) => entry.kind === 's2-table' || entry.kind === 's1-table');
      tablesMemo[set] = found;
    }
    return found;
  }

  function pairsOf(set: number): readonly LivePair[] {
    let found = pairsMemo[set];
    if (found === undefined) {
      found = livePairs(tlbs.codes(set), (code) => tlbs.entries.item(entryId(code)), translation);
      pairsMemo[set] = found;
    }
    return found;
  }

  /** Whether the words watched hold the same values behind both translations. */
  function sameContents(first: TranslationEntry, second: TranslationEntry): boolean {
    return watchedVas.every((va) => {
      if (!covers(first.info, va) || !covers(second.info, va)) return true;
      const read = (entry: TranslationEntry): bigint =>
        draft.memory.coherentValue(
          draft.slot(draft.memory.cellOf(entry.output + (va - entry.info.inputBase))),
        );
      return read(first) === read(second);
    });
  }

  /** Contexts from which the PE may walk now. */
  function walkedContexts(pe: number): readonly Context[] {
    return [draft.context(pe), draft.pendingContext(pe)]
      .filter((id) => id !== 0 && tlbs.walks(id))
      .map((id) => tlbs.contexts.context(id));
  }

  /** Of a VM that has ended, an entry counts where the VMID is in force only. */
  function usable(pe: number, { info }: TranslationEntry): boolean {
    if (!endedVms.includes(info.vmid)) return true;
    return walkedContexts(pe).some(({ vmid }) => vmid === info.vmid);
  }

  function lookAtRoots(pe: number, facts: Fact[]): void {
    for (const { stage2 } of walkedContexts(pe)) {
      const ghost = draft.touchGhost();
      const page = stage2 === null ? -1 : ghost.pageOf(stage2.root);
      if (page < 0) continue;
      const { use, base } = ghost.page(page);
      if (use !== 'table') facts.push({ kind: 'freed-root-reachable', pe, page: base });
    }
  }

  const watch: TlbWatch = {
    lookAgain(pe, facts) {
      if (endedVms.length > 0) watch.look(pe, -1, facts);
    },
    look(pe, before, facts) {
      const now = draft.tlb(pe);
      if (now === before) return;
      if (before < 0) lookAtRoots(pe, facts);
      for (const entry of tablesOf(now)) {
        if (!usable(pe, entry)) continue;
        const ghost = draft.touchGhost();
        const page = ghost.pageOf(entry.output);
        if (page < 0) continue;
        const { use, base } = ghost.page(page);
        // A guest keeps its stage-1 tables in guest pages.
        const fits = entry.kind === 's2-table' ? use === 'table' : use !== 'free';
        if (!fits) facts.push({ kind: 'freed-table-reachable', pe, page: base, entry });
      }
      if (draft.faults?.has('bbm-not-flagged')) return;
      for (const { first, second, reason, unlessSameContents } of pairsOf(now)) {
        if (unlessSameContents && sameContents(first, second)) continue;
        facts.push({ kind: 'two-live', pe, first, second, reason });
      }
    },
  };
  return watch;
}

function livePairs(
  codes: readonly number[],
  entryOf: (code: number) => TranslationEntry,
  translation: TranslationSetup,
): readonly LivePair[] {
  const pairs: LivePair[] = [];
  for (const codeA of codes) {
    if ((marksOf(codeA) & MARK.stale) === 0) continue;
    const a = entryOf(codeA);
    if (!a.info.leaf) continue;
    for (const codeB of codes) {
      const b = entryOf(codeB);
      // The older one first; of two old ones each way round.
      if (codeA === codeB || !sameInput(a, b)) continue;
      const reason = differenceOf(a, b, translation);
      if (reason === null) continue;
      const unlessSameContents = differenceOf(a, b, translation, true) === null;
      pairs.push({ first: a, second: b, reason, unlessSameContents });
    }
  }
  return pairs;
}

/** Whether two leaves can hit for one access: same kind of entry, same tags, overlapping input. */
function sameInput(a: TranslationEntry, b: TranslationEntry): boolean {
  if (a.kind !== b.kind || a.info.vmid !== b.info.vmid) return false;
  if (a.info.asid !== null && b.info.asid !== null && a.info.asid !== b.info.asid) return false;
  const bits = BigInt(Math.max(a.info.inputBits, b.info.inputBits));
  return a.info.inputBase >> bits === b.info.inputBase >> bits;
}

/** Why a change from one leaf to the other needs break-before-make, or null. */
function differenceOf(
  a: TranslationEntry,
  b: TranslationEntry,
  { features, stage1, stage2 }: TranslationSetup,
  sameContents = false,
): string | null {
  const smaller = a.info.inputBits < b.info.inputBits ? a : b;
  const input = smaller.info.inputBase;
  if (a.leaf1 !== null && b.leaf1 !== null && stage1 !== null) {
    const { granule } = stage1;
    const reason = stage1BbmReason(
      stage1LeafFor(a, a.leaf1, input, granule, features),
      stage1LeafFor(b, b.leaf1, input, granule, features),
      { input, granule, features, sameContents },
    );
    if (reason !== null) return reason;
  }
  if (a.leaf2 !== null && b.leaf2 !== null && stage2 !== null) {
    const { granule } = stage2;
    return stage2BbmReason(
      placed(a.leaf2, (bits, level) => decodeStage2(bits, level, granule, features)),
      placed(b.leaf2, (bits, level) => decodeStage2(bits, level, granule, features)),
      { input: smaller.ipaBase, granule, features, sameContents },
    );
  }
  return null;
}

/**
 * The stage-1 leaf of an entry, as it stands for the input address: an entry for a contiguous group was
 * built from the descriptor of one page and translates the others as well.
 */
function stage1LeafFor(
  { info, ipaBase }: TranslationEntry,
  leaf: LeafDescriptor,
  input: bigint,
  granule: Granule,
  features: Features,
): Placed<Stage1Descriptor> {
  const found = placed(leaf, (bits, level) => decodeStage1(bits, level, granule, features));
  const { descriptor, level } = found;
  const shift = levelShift(granule, level);
  if (info.inputBits <= shift || (descriptor.kind !== 'page' && descriptor.kind !== 'block')) {
    return found;
  }
  const output = alignDown(ipaBase + (input - info.inputBase), shift) as Ipa;
  return { level, descriptor: { ...descriptor, output } };
}

function placed<D>(
  leaf: { readonly bits: bigint; readonly level: number },
  decode: (bits: bigint, level: Level) => D,
): { readonly descriptor: D; readonly level: Level } {
  const level = leaf.level as Level;
  return { descriptor: decode(leaf.bits, level), level };
}
