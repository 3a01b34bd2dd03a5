import { announceBegin, announceReturn, useAfterwards } from '../candidates/operation.ts';
import type { HostCode } from '../candidates/host-code.ts';
import { perPageFlush } from '../candidates/unmap-stage2-range/per-page-flush.ts';
import { openVm, unmapRequest } from '../candidates/world/open-vm.ts';
import type { VmWorld, World } from '../candidates/world/world.ts';
import { attempt, type Outcome } from '../frontend/kernel-c/diagnostic.ts';
import type { Kernel } from '../frontend/kernel-c/profile/kernel.ts';
import {
  kvmEnvironment,
  type KvmSubject,
  UNMAP_ENTRY,
} from '../frontend/kernel-c/profile/kvm-v5_8.ts';
import type { Environment } from '../frontend/kernel-c/runtime/environment.ts';
import { kernelThread } from '../frontend/kernel-c/thread/kernel-thread.ts';
import type { MachineSetup } from '../machine/setup.ts';
import type { Effect } from '../program/effect.ts';
import type { ThreadTree } from '../program/thread-tree.ts';
import { buildSetup, worldOf } from './build.ts';
import type { Scenario } from './scenario.ts';

/** Puts something in front of an environment that takes notes. */
export type WatchEnvironment = (environment: Environment) => Environment;

/**
 * The machine of a scenario in which the host thread runs the C of a v5.8 tree: `unmap_stage2_range`
 * under `mmu_lock`, then what the host does with the pages. World, guest and announcements are those
 * of the TypeScript candidates. `once`: the thread is run from its beginning to its end and not searched.
 * Throws a RangeError for scenarios that this profile cannot have.
 */
export function kernelUnmapSetup(
  kernel: Kernel,
  scenario: Scenario,
  watch: WatchEnvironment = (environment) => environment,
  once = false,
): Outcome<MachineSetup> {
  const tree = kernelUnmapThread(kernel, scenario, watch, once);
  if (tree.kind === 'failed') return tree;
  const setup = buildSetup(scenario, perPageFlush);
  const threads = setup.threads.map((thread, i) =>
    i === 0 ? { ...thread, tree: tree.value } : thread,
  );
  return { kind: 'ok', value: { ...setup, threads } };
}

/** The host thread of `kernelUnmapSetup`, or the sentence with which the C could not be begun. */
export function kernelUnmapThread(
  kernel: Kernel,
  scenario: Scenario,
  watch: WatchEnvironment = (environment) => environment,
  once = false,
): Outcome<ThreadTree> {
  rejectUnsupported(kernel, scenario);
  const world = worldOf(scenario, perPageFlush);
  const vm = world.vms[0];
  if (vm === undefined) throw new RangeError('a scenario needs a VM');
  const environment = kvmEnvironment(kernel, subjectOf(scenario, world, vm));
  if (environment.kind === 'failed') return environment;
  const host = openVm(world, vm);
  const request = unmapRequest(world, vm, scenario.afterwards);
  const { start, end } = vm.range;
  return attempt(() =>
    kernelThread({
      name: 'host',
      program: kernel.program,
      environment: watch(environment.value),
      entry: UNMAP_ENTRY,
      arguments: [start, end - start],
      before: effectsOf(announceBegin(host, 'unmap_stage2_range')),
      after: [
        ...effectsOf(announceReturn(host, 'unmap_stage2_range', request)),
        ...effectsOf(useAfterwards(request)),
      ],
      once,
    }),
  );
}

function subjectOf(scenario: Scenario, world: World, vm: VmWorld): KvmSubject {
  const { features } = scenario;
  const kvm = openVm(world, vm);
  return {
    features,
    vmid: vm.vmid,
    ipaBits: features.ipaBits,
    levels: 4 - vm.geometry.startLevel,
    root: vm.root,
    tables: new Map(vm.tables.map(({ page, count }) => [page, count])),
    words: new Set(world.memory.map(({ address }) => address)),
    hasStructPage: (page) => {
      const known = world.pages.find(({ base }) => base === page);
      return known === undefined ? null : known.use !== 'device';
    },
    watchedLines: kvm.watchedLines,
    lock: vm.mmuLock,
    reschedule: scenario.reschedule,
  };
}

/** What the C of this profile cannot be asked yet, each with its reason. */
function rejectUnsupported(
  { profile }: Kernel,
  { features, hosts, faults, range, afterwards }: Scenario,
): void {
  const reject = (reason: string): never => {
    throw new RangeError(`the C of v5.8 cannot run in this scenario: ${reason}`);
  };
  if (features.granule !== '4k') reject('its tree is configured for 4K pages');
  if (features.vhe !== profile.vhe) reject(`the profile ${profile.name} is for other hosts`);
  if (features.s2Hafdbs === 'af+dbm') reject('v5.8 never sets VTCR_EL2.HD');
  if (hosts > 1) reject('counts of table pages are private to one host thread');
  if (faults !== 'ignored') reject('its fault path is not joined to the machine yet');
  if (range === 'unaligned-end') reject('its walk does not end on a range that ends inside a page');
  if (afterwards === 'refill') reject('only a fault path would look at a page with new contents');
}

/** The effects of host code that looks at no answer. */
function effectsOf(code: HostCode): readonly Effect[] {
  const effects: Effect[] = [];
  for (let step = code.next(); step.done !== true; step = code.next({ kind: 'done' })) {
    effects.push(step.value);
  }
  return effects;
}
