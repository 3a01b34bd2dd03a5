import type { Candidate } from '../candidates/candidate.ts';
import { fillPages, readElsewhere, unmapOperation, type Request } from '../candidates/operation.ts';
import { V5_8_UNMAP } from '../candidates/kvm-v5_8/unmap-v5_8.ts';
import { handleGuestFault, hostContext } from '../candidates/kvm-v5_8/world-switch.ts';
import { openVm, unmapRequest } from '../candidates/world/open-vm.ts';
import { buildWorld, type VmWorld, type World } from '../candidates/world/world.ts';
import type { GuestAccess } from '../guest/access.ts';
import { generalGuest, persistentGuest } from '../guest/general.ts';
import type { FaultHandler } from '../guest/guest-code.ts';
import { traceThread } from '../guest/trace.ts';
import { guestContext, GUEST_MAIR, MMU_OFF, smallStage1, type GuestView } from '../guest/view.ts';
import type { MachineSetup, ThreadSetup } from '../machine/setup.ts';
import type { Context } from '../program/effect.ts';
import { generatorThread, type ThreadBody } from '../program/generator-thread.ts';
import type { ThreadTree } from '../program/thread-tree.ts';
import { guarded } from './candidate-failure.ts';
import { orImpossible } from './impossible-scenario.ts';
import type { Scenario } from './scenario.ts';

/**
 * What vCPU n of the first VM stores; the second VM stores `SECOND_VM_VALUE`.
 *
 * The vCPUs of a general guest run one thread and store one value, so that a search can treat them
 * alike (machine/symmetry.ts). Nothing is lost: a value counts only where the host reads it back, and
 * the rule is broken by the loss of the *last* store. A run that loses it stays a run, and loses it
 * still, when the stores before it are left out, for a general guest need not store, nothing it does
 * depends on a value, and all vCPUs of a scenario have the same view of the page. Then the host reads
 * what was there at the start, which no vCPU stores.
 */
const STORED = (vcpu: number): bigint => BigInt(vcpu + 1);
const SECOND_VM_VALUE = 0x99n;

/** The world of a scenario: its VMs, tables and pages. Throws an `ImpossibleScenario` for what its features cannot hold. */
export function worldOf(scenario: Scenario, candidate: Candidate): World {
  return orImpossible(() => layOutWorld(scenario, candidate));
}

function layOutWorld(scenario: Scenario, candidate: Candidate): World {
  const entersHost = scenario.faults === 'enter-host';
  return buildWorld({
    features: scenario.features,
    vms: scenario.secondVm ? 2 : 1,
    pages: scenario.pages,
    mapping: scenario.mapping,
    layout: scenario.layout,
    keepTables: scenario.keepTables,
    range: scenario.range,
    stage1Pages: scenario.view === 'mmu-off' ? 0 : 1,
    freePages: scenario.freePages,
    sparePages: needsSparePage(scenario, candidate) ? 1 : 0,
    sharedCounts: entersHost || scenario.hosts > 1,
    backing: entersHost,
    notifier: entersHost && scenario.notifier,
    reschedule: scenario.reschedule,
    handover: scenario.afterwards === 'read-elsewhere',
  });
}

/**
 * The machine of a scenario. Throws an `ImpossibleScenario` for what its features cannot hold, and a
 * `CandidateFailure` where the first step of the candidate's code throws; later steps are taken when
 * the machine gets there, and may throw it then.
 */
export function buildSetup(scenario: Scenario, candidate: Candidate): MachineSetup {
  return orImpossible(() => setUp(scenario, guarded(candidate)));
}

function setUp(scenario: Scenario, candidate: Candidate): MachineSetup {
  const { features } = scenario;
  const world = worldOf(scenario, candidate);
  const vm = first(world);
  const view = viewOf(scenario, vm);
  const context = guestContext(view, vm, features);
  const threads: ThreadSetup[] = [];
  for (let host = 0; host < scenario.hosts; host += 1) {
    threads.push({
      tree: generatorThread(
        `host${scenario.hosts > 1 ? host : ''}`,
        hostBody(scenario, candidate, world, vm),
      ),
      context: hostContext({ features }),
    });
  }
  const handler =
    scenario.faults === 'enter-host' ? faultHandler(candidate, world, vm, context) : null;
  const treeOf = (vcpu: number): ThreadTree =>
    generatorThread(`vcpu${vcpu}`, guestBody(scenario, vm, view, vcpu, handler));
  const shared = scenario.guest.kind === 'general' ? treeOf(0) : null;
  for (let vcpu = 0; vcpu < scenario.vcpus; vcpu += 1) {
    threads.push({ tree: shared ?? treeOf(vcpu), context });
  }
  if (vm.handover !== null) threads.push(readerThread(scenario, world, vm, vm.handover));
  const other = world.vms[1];
  if (other !== undefined) {
    const otherView = viewOf(scenario, other);
    threads.push({
      tree: generatorThread(
        'other VM',
        generalGuest({
          vcpu: 'vcpu of the other VM',
          vas: other.guestPages.map((page) => otherView.vaOf(page.ipa)),
          kinds: ['read', 'write'],
          value: SECOND_VM_VALUE,
          handler: null,
        }),
      ),
      context: guestContext(otherView, other, features),
    });
  }
  return {
    threads,
    translation: { features, stage1: view.geometry, stage2: vm.geometry, mair: GUEST_MAIR },
    memory: [
      ...world.memory,
      ...view.words,
      ...(other === undefined ? [] : viewOf(scenario, other).words),
    ],
    pages: world.pages,
    locks: world.locks,
    watchedVas: vm.guestPages.map((page) => view.vaOf(page.ipa)),
    dataCache: 'modelled',
    ...(executes(scenario) ? { instructionCache: 'modelled' as const } : {}),
    bounds: { window: scenario.window },
  };
}

/** The PE to which the host hands the pages. */
function readerThread(
  scenario: Scenario,
  world: World,
  vm: VmWorld,
  handover: bigint,
): ThreadSetup {
  const { pages } = unmapRequest(world, vm, scenario.afterwards);
  const body: ThreadBody = function* () {
    yield* readElsewhere(handover, pages);
    return 'ends';
  };
  return {
    tree: generatorThread('reader', body),
    context: hostContext({ features: scenario.features }),
  };
}

/** Whether a vCPU fetches instructions from the watched pages. */
function executes({ guest }: Scenario): boolean {
  switch (guest.kind) {
    case 'general':
      return guest.kinds.includes('execute');
    case 'trace':
      return guest.vcpus.flat().some(({ access }) => access === 'execute');
    case 'persistent':
      return guest.access === 'execute';
  }
}

/** Whether another page takes the place of one that the operation takes away. */
function needsSparePage(scenario: Scenario, candidate: Candidate): boolean {
  if (candidate.operation === 'remap') return true;
  return scenario.faults === 'enter-host' && !scenario.notifier && scenario.afterwards !== 'refill';
}

/** What the host has for the page from now on: another page, nothing, or nobody looks. */
function newBacking(scenario: Scenario, vm: VmWorld): bigint | null {
  // New contents go into the page that was taken away, and the guest gets it again.
  if (scenario.afterwards === 'refill') return vm.guestPages[0]?.page ?? null;
  const spare = vm.sparePages[0];
  if (spare !== undefined) return spare;
  return scenario.faults === 'enter-host' ? 0n : null;
}

function first(world: World): VmWorld {
  const vm = world.vms[0];
  if (vm === undefined) throw new RangeError('a scenario needs a VM');
  return vm;
}

function viewOf(scenario: Scenario, vm: VmWorld): GuestView {
  if (scenario.view === 'mmu-off') return MMU_OFF;
  const attribute = scenario.view;
  return smallStage1({
    features: scenario.features,
    mappings: vm.guestPages.map(({ ipa }) => ({ ipa, attribute })),
    leaf: 'block',
    places: vm.stage1Pages,
  });
}

function hostBody(scenario: Scenario, candidate: Candidate, world: World, vm: VmWorld): ThreadBody {
  return function* () {
    const request = unmapRequest(world, vm, scenario.afterwards, newBacking(scenario, vm));
    yield* fillPages(pagesFilledBefore(scenario, candidate, request));
    const kvm = openVm(world, vm);
    // A fault path is judged beside the unmap path of v5.8, unless nothing is taken away.
    const isBeside = candidate.operation === 'fault' && scenario.afterwards !== 'nothing';
    if (isBeside) yield* unmapOperation(kvm, () => V5_8_UNMAP, request);
    else yield* candidate.host(kvm, request);
    return 'ends';
  };
}

/** Pages that the guest gets by the operation and could not reach before: the host has stored to them. */
function pagesFilledBefore(
  { mapping }: Scenario,
  { operation }: Candidate,
  { newBacking: page, pages }: Request,
): readonly bigint[] {
  if (operation === 'remap') return page === null ? [] : [page];
  return operation === 'block' && mapping === 'unmapped' ? pages.map((each) => each.page) : [];
}

function faultHandler(
  candidate: Candidate,
  world: World,
  vm: VmWorld,
  context: Context,
): FaultHandler {
  return (fault) => handleGuestFault(openVm(world, vm), context, candidate.fault, fault);
}

function guestBody(
  scenario: Scenario,
  vm: VmWorld,
  view: GuestView,
  vcpu: number,
  handler: FaultHandler | null,
): ThreadBody {
  const vas = vm.guestPages.map((page) => view.vaOf(page.ipa));
  const name = `vcpu${vcpu}`;
  const accessTo = (access: 'read' | 'write' | 'execute', page: number): GuestAccess => {
    const va = vas[page];
    if (va === undefined) throw new RangeError(`the scenario has no page ${page}`);
    return access === 'write' ? { kind: 'write', va, value: STORED(vcpu) } : { kind: access, va };
  };
  switch (scenario.guest.kind) {
    case 'general':
      return generalGuest({
        vcpu: name,
        vas,
        kinds: scenario.guest.kinds,
        value: STORED(vcpu),
        handler,
      });
    case 'trace': {
      const steps = (scenario.guest.vcpus[vcpu] ?? []).map(({ access, page }) => ({
        kind: 'access' as const,
        access: accessTo(access, page),
      }));
      const onFault = handler === null ? ('skip' as const) : { handler, retries: 2 };
      return traceThread({ vcpu: name, steps, onFault });
    }
    case 'persistent': {
      if (handler === null)
        throw new RangeError('a persistent guest needs faults that enter the host');
      return persistentGuest(name, accessTo(scenario.guest.access, 0), handler);
    }
  }
}
