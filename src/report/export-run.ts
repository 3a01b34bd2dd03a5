import { decodeStage2 } from '../arm64/stage2-descriptor.ts';
import { levelShift, type Geometry, type Level } from '../arm64/geometry.ts';
import { bitsPerLevel } from '../arm64/granule.ts';
import type { BarrierDomain, BarrierLimit } from '../program/effect.ts';
import type { State } from '../machine/state.ts';
import type { EffectInfo } from '../machine/effect-info.ts';
import type { Machine } from '../machine/machine.ts';
import type { Transition } from '../machine/transition.ts';
import type { Fact } from '../machine/facts.ts';
import { executedEffects } from '../trace/executed.ts';

/** A litmus test, or the sentence that says why the run cannot be one. */
export type Exported =
  { readonly kind: 'test'; readonly text: string } | { readonly kind: 'no'; readonly why: string };

/** What the host writes to the page after its operation: an old access then reads or loses it. */
export const MARK_OF_NEW_OWNER = 9n;
/** What the guest stores. */
export const MARK_OF_GUEST = 7n;

/** What the host does, as far as it matters to one page of the guest. */
export type HostStep =
  /** An entry of the walk of the page becomes invalid. */
  | { readonly kind: 'clear'; readonly level: number }
  | { readonly kind: 'dsb'; readonly limit: BarrierLimit; readonly domain: BarrierDomain }
  | { readonly kind: 'dmb'; readonly limit: BarrierLimit }
  | { readonly kind: 'isb' }
  /** `ofPage`: its operand is the page. */
  | { readonly kind: 'tlbi'; readonly op: string; readonly ofPage: boolean }
  | { readonly kind: 'vmid'; readonly vmid: number }
  /** The new owner writes to the page. */
  | { readonly kind: 'new-owner' };

/**
 * A counterexample that a litmus test can say: the host's stores to descriptors, barriers and TLBIs,
 * and after them a store of the new owner to the page; and the guest's access through the
 * translation that the operation removed.
 *
 * Left out is what the references have no words for or what does not matter for one run: loads of
 * the host, locks, data-cache maintenance, other pages.
 */
export interface ExportableRun {
  readonly host: readonly HostStep[];
  /** Level of the leaf that maps the page. */
  readonly level: Level;
  /** VMID of the guest, and the one in force on the host when it starts. */
  readonly vmid: number;
  readonly hostVmid: number;
  readonly access: 'read' | 'write';
  readonly ets: 'none' | 'ets2' | 'ets3';
}

/** What of a run a litmus test can say. */
export function exportableRun(
  machine: Machine,
  steps: readonly Transition[],
):
  | { readonly kind: 'run'; readonly run: ExportableRun }
  | { readonly kind: 'no'; readonly why: string } {
  const dead = steps.at(-1)?.facts.find((fact) => fact.kind === 'access' && fact.dead);
  const why = obstacle(machine, dead);
  if (why !== null || dead?.kind !== 'access' || dead.ipa === null) {
    return { kind: 'no', why: why ?? 'the last step is no access through a removed translation.' };
  }
  const states: readonly State[] = [machine.initial, ...steps.map(({ next }) => next)];
  const page = (dead.ipa >> 12n) << 12n;
  const leaf = walk(machine, page);
  if (leaf === null) return { kind: 'no', why: 'the page is not mapped when the run starts.' };
  const host = hostSteps(executedEffects(machine, states, 0), page, leaf.cells);
  if ('why' in host) return { kind: 'no', why: host.why };
  const { threads, translation } = machine.setup;
  return {
    kind: 'run',
    run: {
      host,
      level: leaf.level,
      vmid: threads.find(({ context }) => context.el !== 2)?.context.vmid ?? 0,
      hostVmid: threads[0]?.context.vmid ?? 0,
      access: dead.access === 'write' ? 'write' : 'read',
      ets: translation.features.ets,
    },
  };
}

function obstacle(machine: Machine, dead: Fact | undefined): string | null {
  const { translation, threads } = machine.setup;
  if (dead?.kind !== 'access') {
    return 'only accesses through a removed translation can be expressed: the reference has neither caches nor owners of pages.';
  }
  if (dead.access === 'execute') {
    return 'the access is an instruction fetch, which neither format can observe.';
  }
  if (dead.pe === 0 || threads[0]?.context.el !== 2) {
    return 'the access is not one of a guest beside the host.';
  }
  if (translation.stage2?.granule !== '4k') return 'the reference knows only the 4 KiB granule.';
  return null;
}

/** The cells of a stage-2 walk by level at the start, and where it ends. */
interface Walked {
  readonly cells: ReadonlyMap<bigint, number>;
  readonly level: Level;
}

function walk(machine: Machine, ipa: bigint): Walked | null {
  const { translation, memory, threads } = machine.setup;
  const geometry = translation.stage2;
  const root = threads.find(({ context }) => context.el !== 2)?.context.stage2?.root;
  if (geometry === null || root === undefined) return null;
  const words = new Map(memory.map(({ address, value }) => [address, value]));
  const cells = new Map<bigint, number>();
  let table = root;
  for (let level = geometry.startLevel; level <= 3; level = (level + 1) as Level) {
    const cell = table + indexAt(geometry, level, ipa) * 8n;
    cells.set(cell, level);
    const bits = words.get(cell) ?? 0n;
    const descriptor = decodeStage2(bits, level, geometry.granule, translation.features);
    if (descriptor.kind === 'page' || descriptor.kind === 'block') return { cells, level };
    if (descriptor.kind !== 'table') return null;
    table = descriptor.next;
  }
  return null;
}

function indexAt(geometry: Geometry, level: Level, ipa: bigint): bigint {
  const shift = levelShift(geometry.granule, level);
  const bits =
    level === geometry.startLevel ? geometry.inputBits - shift : bitsPerLevel(geometry.granule);
  return (ipa >> BigInt(shift)) & ((1n << BigInt(bits)) - 1n);
}

function hostSteps(
  effects: readonly EffectInfo[],
  page: bigint,
  cells: ReadonlyMap<bigint, number>,
): readonly HostStep[] | { readonly why: string } {
  const steps: HostStep[] = [];
  for (const { effect, constantAddress } of effects) {
    switch (effect.kind) {
      case 'store': {
        const level = constantAddress === null ? undefined : cells.get(constantAddress);
        // Other words of the host are not part of the translation of this page.
        if (level === undefined) break;
        if (effect.data.kind !== 'const' || effect.data.value !== 0n) {
          return { why: 'the host stores a descriptor that is not invalid.' };
        }
        steps.push({ kind: 'clear', level });
        break;
      }
      case 'dsb':
      case 'dmb':
      case 'isb':
        steps.push(effect);
        break;
      case 'tlbi': {
        const operand = effect.operand.kind === 'const' ? effect.operand.value : null;
        if (operand === 0n) steps.push({ kind: 'tlbi', op: effect.op, ofPage: false });
        else if (operand === page >> 12n && effect.op.startsWith('IPAS2')) {
          steps.push({ kind: 'tlbi', op: effect.op, ofPage: true });
        } else if (!/^IPAS2L?E1/.test(effect.op)) {
          return { why: `the operand of TLBI ${effect.op} has no name in the format.` };
        }
        break;
      }
      case 'context':
        if (effect.change.vmid === undefined) break;
        steps.push({ kind: 'vmid', vmid: effect.change.vmid });
        break;
      case 'announce':
        if (effect.fact.kind !== 'operation-returns' && effect.fact.kind !== 'page-reused') break;
        return [...steps, { kind: 'new-owner' }];
      default:
    }
  }
  return { why: 'the operation does not return in this run.' };
}

/** The qualifier of a barrier: `ISHST`. */
export function barrierText(domain: BarrierDomain, limit: BarrierLimit): string {
  return `${domain.toUpperCase()}${limit === 'full' ? '' : limit.toUpperCase()}`;
}
