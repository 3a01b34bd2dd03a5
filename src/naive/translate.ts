import { alignDown } from '../arm64/address.ts';
import {
  bypassesCache,
  combineMemoryTypes,
  stage1OffType,
  type MemoryType,
} from '../arm64/attributes.ts';
import { pageShift } from '../arm64/granule.ts';
import type { Permissions } from '../arm64/permissions.ts';
import type { TranslationInfo } from '../arm64/tlbi-match.ts';
import type { Fault } from '../program/effect.ts';
import { coversInput, distinctWalks, joinPaths, pathKey } from './entry.ts';
import { stage1Walks } from './stage1-walk.ts';
import { outputOf, stage2Walks, type View } from './stage2-walk.ts';
import type { CellVersion, Entry, Stage1Part, Stage2Part, Translation } from './state.ts';
import { geometryOf, levelOf, type World } from './world.ts';

/** Both stages put together, before permissions. */
interface FullWalk {
  /** Stage 1 as far as it came; null while stage 1 is off. */
  readonly s1: Stage1Part | null;
  readonly s2: Stage2Part | null;
  /** A fault other than a permission fault. */
  readonly fault: Omit<Fault, 'access'> | null;
  /** What stage 1 used, its table addresses through stage 2 included. */
  readonly stage1Path: readonly CellVersion[];
  readonly path: readonly CellVersion[];
  readonly built: readonly Entry[];
}

/** What an access wants. */
export interface Request {
  readonly va: bigint;
  readonly access: Fault['access'];
  readonly el0: boolean;
}

/**
 * Every result that T of this access can have now.
 *
 * T is one atomic step although walks are not atomic (each descriptor is read at its own time). This
 * loses nothing, because fills are transitions of their own: a walk that reads level 1 now and level 2
 * later is a fill of the level-1 table entry now and a T later that starts from that entry; between
 * the stages the entries `s2-leaf` (a table or page address through stage 2) and `s1-leaf` (VA to IPA)
 * stand for the walker's registers in the same way. A TLBI that would stop such a walk removes the
 * entry, as it must: the walker's registers count as TLB (R_RVJDB). The one point inside a walk that has no
 * entry is between a stage-1 table descriptor and stage 2 of its next-table address; see `fill.ts`.
 */
export function translations(view: View, request: Request): readonly Translation[] {
  const results = new Map<string, Translation>();
  for (const walk of fullWalks(view, request.va)) {
    const translation = resultOf(view, request, walk);
    const { result } = translation;
    const shape =
      result.kind === 'ok'
        ? `${result.pa},${result.cacheable}`
        : `${result.fault.stage}${result.fault.cause}${result.fault.level}${result.fault.address}`;
    results.set(`${shape};${pathKey(translation.path)}`, translation);
  }
  return [...results.values()];
}

/** Every entry that a walk for this VA could leave behind now. */
export function entriesOf(view: View, va: bigint): readonly Entry[] {
  return fullWalks(view, va).flatMap(({ built }) => built);
}

const UNTRANSLATED: FullWalk = {
  s1: null,
  s2: null,
  fault: null,
  stage1Path: [],
  path: [],
  built: [],
};

function fullWalks(view: View, va: bigint): readonly FullWalk[] {
  const { stage1, stage2, vmid, asid } = view.context;
  const walks: FullWalk[] = [];
  if (stage1 === null) {
    if (stage2 === null) walks.push(UNTRANSLATED);
    else walks.push(...withStage2(view, va, null, [], []));
  }
  for (const { result, path, built } of stage1Walks(view, va)) {
    if (result.kind === 'fault') {
      walks.push({ s1: null, s2: null, fault: result.fault, stage1Path: path, path, built });
    } else if (stage2 === null) {
      walks.push({ s1: result.leaf, s2: null, fault: null, stage1Path: path, path, built });
    } else {
      walks.push(...withStage2(view, va, result.leaf, path, built));
    }
  }
  if (stage2 !== null) {
    for (const entry of view.tlb) {
      if (entry.kind !== 'combined' || entry.vmid !== vmid) continue;
      if (entry.asid !== null && entry.asid !== asid) continue;
      if ((entry.s1 === null) !== (stage1 === null)) continue;
      if (!coversInput(view.world, entry, va)) continue;
      const { s1, s2, path } = entry;
      walks.push({ s1, s2, fault: null, stage1Path: path, path, built: [] });
    }
  }
  return distinctWalks(
    walks,
    ({ s1, s2, fault }) =>
      `${s1?.output},${s1?.bits},${s2?.output},${fault?.stage},${fault?.level},${fault?.address}`,
  );
}

/** Goes on from a stage-1 answer (VA = IPA while stage 1 is off) through stage 2. */
function withStage2(
  view: View,
  va: bigint,
  s1: Stage1Part | null,
  above: readonly CellVersion[],
  builtAbove: readonly Entry[],
): readonly FullWalk[] {
  const { vmid, asid } = view.context;
  const ipa = s1 === null ? va : outputOf(s1, va);
  return stage2Walks(view, ipa).map(({ result, path: below, built }) => {
    const path = joinPaths(above, below);
    const seen = [...builtAbove, ...built];
    if (result.kind === 'fault') {
      const { cause, level } = result;
      const fault = { stage: 2, cause, level, address: ipa, onWalk: false } as const;
      return { s1, s2: null, fault, stage1Path: above, path, built: seen };
    }
    const bits = s1 === null ? result.leaf.bits : Math.min(s1.bits, result.leaf.bits);
    const combined: Entry = {
      kind: 'combined',
      base: alignDown(va, bits),
      vmid,
      asid: s1 === null || s1.global ? null : asid,
      path,
      s1,
      s2: result.leaf,
    };
    const entries = [...seen, combined];
    return { s1, s2: result.leaf, fault: null, stage1Path: above, path, built: entries };
  });
}

function resultOf(view: View, request: Request, walk: FullWalk): Translation {
  const { va, access, el0 } = request;
  const { s1, s2 } = walk;
  const scope = scopeOf(view, va, walk);
  const fault = (body: Omit<Fault, 'access'>, path = walk.path): Translation => ({
    result: { kind: 'fault', fault: { ...body, access } },
    path,
    scope,
  });
  // Stage 1 is complete, its permissions included, before stage 2 of its output is looked at.
  if (s1 !== null && !permits(s1.permissions, access, el0)) {
    const body = { stage: 1, cause: 'permission', level: s1.level, address: va } as const;
    return fault({ ...body, onWalk: false }, walk.stage1Path);
  }
  if (walk.fault !== null) return fault(walk.fault);
  const ipa = s1 === null ? va : outputOf(s1, va);
  if (s2 !== null && !permits(s2.permissions, access, el0)) {
    return fault({ stage: 2, cause: 'permission', level: s2.level, address: ipa, onWalk: false });
  }
  const pa = s2 === null ? ipa : outputOf(s2, ipa);
  const type = memoryType(view.world, s1, s2, access);
  return { result: { kind: 'ok', pa, cacheable: !bypassesCache(type) }, path: walk.path, scope };
}

function permits(permissions: Permissions, access: Fault['access'], el0: boolean): boolean {
  return (el0 ? permissions.el0 : permissions.privileged)[access];
}

function memoryType(
  { features }: World,
  s1: Stage1Part | null,
  s2: Stage2Part | null,
  access: Fault['access'],
): MemoryType {
  const first =
    s1?.type ?? stage1OffType({ dc: false, fetch: access === 'execute', icacheOn: true });
  if (s2 === null) return first;
  const type = combineMemoryTypes(first, s2, features.fwb);
  if (type.kind === 'reserved') throw new RangeError(`stage-2 MemAttr ${s2.memAttr} is reserved`);
  return type;
}

/**
 * What a TLBI has to match to be about this use: the translation of the VA as one leaf entry, also
 * where the walk ended in a fault. IPA operations match no combined entry, hence no use.
 */
function scopeOf(view: View, va: bigint, { s1, s2, fault }: FullWalk): TranslationInfo {
  const { vmid, asid, stage2 } = view.context;
  const { features } = view.world;
  const bits = pageShift(features.granule);
  const faultLevel = fault !== null && fault.stage === 1 ? fault.level : null;
  const start = geometryOf(view.world, view.context.stage1 === null ? 2 : 1).startLevel;
  const level = s1?.level ?? faultLevel ?? s2?.level ?? start;
  return {
    regime: 'el1&0',
    stages: stage2 === null ? 's1' : 's1s2',
    leaf: true,
    level: levelOf(level),
    vmid,
    asid: view.context.stage1 === null || s1?.global === true ? null : asid,
    inputBase: alignDown(va, bits),
    inputBits: bits,
  };
}
