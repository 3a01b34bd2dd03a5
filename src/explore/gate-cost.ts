import type { Features } from '../arm64/features.ts';
import { runAlone } from '../candidates/run-alone.ts';
import type { Figure } from './gate-result.ts';
import type { HostCode } from '../candidates/host-code.ts';
import { attempt } from '../frontend/kernel-c/diagnostic.ts';
import type { MachineSetup } from '../machine/setup.ts';
import type { Effect } from '../program/effect.ts';
import type { KernelScenario, LoadedTree } from '../scenario/kernel/family.ts';
import type { ThreadTree } from '../program/thread-tree.ts';

/** What the host thread of a scenario does when it runs alone: counts, the same on every machine. */
export interface Cost {
  /** By kind, with the operations: `TLBI IPAS2E1IS`, `DSB ish`, `DC civac`. */
  readonly operations: Readonly<Record<string, number>>;
  /** Instructions of that sort between taking a lock and giving it back. */
  readonly underLock: number;
}

/** What the first thread does when it runs alone: locks are free, and none is given away. */
export function hostEffects({
  threads,
  memory,
  pages,
  translation,
}: MachineSetup): readonly Effect[] {
  const [host] = threads;
  if (host === undefined) return [];
  return runAlone(codeOf(host.tree), { memory, pages, features: translation.features }).effects;
}

/** Counts the TLBIs, DSBs and cache operations of a run. */
export function costOf(effects: readonly Effect[]): Cost {
  const operations: Record<string, number> = {};
  let underLock = 0;
  let held = 0;
  for (const effect of effects) {
    if (effect.kind === 'lock') held += 1;
    if (effect.kind === 'unlock') held -= 1;
    const name = nameOf(effect);
    if (name === null) continue;
    operations[name] = (operations[name] ?? 0) + 1;
    if (held > 0) underLock += 1;
  }
  return { operations, underLock };
}

function nameOf(effect: Effect): string | null {
  switch (effect.kind) {
    case 'tlbi':
      return `TLBI ${effect.op}`;
    case 'dsb':
      return `DSB ${effect.domain}${effect.limit === 'full' ? '' : effect.limit}`;
    case 'dc':
    case 'ic':
      return `${effect.kind.toUpperCase()} ${effect.op}`;
    default:
      return null;
  }
}

/** A thread tree as host code. */
function* codeOf(tree: ThreadTree): HostCode {
  for (let node = tree.root; ;) {
    const effect = tree.effectAt(node);
    if (effect === null) return;
    node = tree.next(node, yield effect);
  }
}

/**
 * What the host does in scenarios that are only counted, on the first machine and on the one that has FWB
 * and TLBIs of ranges beside, on which most can be flushed at once. With the same counts they are one figure.
 */
export function figuresOf(
  base: LoadedTree | null,
  tree: LoadedTree,
  scenarios: readonly KernelScenario[],
  machines: readonly Features[],
): readonly Figure[] {
  const [first] = machines;
  if (first === undefined) return [];
  const wanted = [
    first,
    ...machines.filter((features) => features !== first && flushesMost(first, features)),
  ];
  return scenarios.flatMap((scenario) => {
    const figures: Figure[] = [];
    for (const features of wanted) {
      const before = base === null ? null : costIn(base, scenario, features);
      const after = costIn(tree, scenario, features);
      const same = figures.findIndex(
        (each) => sameCost(each.before, before) && sameCost(each.after, after),
      );
      const found = figures[same];
      if (found === undefined) {
        figures.push({ scenario: scenario.name, machines: [features], before, after });
      } else figures[same] = { ...found, machines: [...found.machines, features] };
    }
    return figures;
  });
}

function flushesMost(first: Features, features: Features): boolean {
  const wanted = { ...first, fwb: true, tlbiRange: true, tlbiOs: true };
  return (Object.keys(wanted) as (keyof Features)[]).every((key) => wanted[key] === features[key]);
}

function sameCost(one: Cost | null, other: Cost | null): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** What the host does in one scenario of a tree; `null` where the code does not come to its end. */
function costIn(tree: LoadedTree, scenario: KernelScenario, features: Features): Cost | null {
  const prepared = tree.prepare(scenario, features);
  if (prepared.kind !== 'ready') return null;
  const cost = attempt(() => costOf(hostEffects(prepared.setup)));
  return cost.kind === 'ok' ? cost.value : null;
}
