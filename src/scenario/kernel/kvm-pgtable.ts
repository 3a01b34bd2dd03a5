import type { Features } from '../../arm64/features.ts';
import { LAST_LEVEL, LEVELS, levelShift } from '../../arm64/geometry.ts';
import { kvmStage2Geometry } from '../../candidates/kvm-v5_8/pgtable.ts';
import { hostContext } from '../../candidates/kvm-v5_8/world-switch.ts';
import { attempt, FrontendError } from '../../frontend/kernel-c/diagnostic.ts';
import { type Kernel, loadKernel, unitLoader } from '../../frontend/kernel-c/profile/kernel.ts';
import {
  hasPgtable,
  hasVpipt,
  LOCK_NAMES,
  pgtableEnvironment,
  pgtableProfile,
  type PgtableSubject,
} from '../../frontend/kernel-c/profile/kvm-pgtable.ts';
import { hasSharedWalks } from '../../frontend/kernel-c/profile/kvm-pgtable-dialect.ts';
import { MAKE_VM, MAP_GUEST_TABLE } from '../../frontend/kernel-c/profile/kvm-pgtable-text.ts';
import { overlayReader, type Overlay, type ReadFile } from '../../frontend/kernel-c/read-file.ts';
import type { Environment } from '../../frontend/kernel-c/runtime/environment.ts';
import { kernelThread } from '../../frontend/kernel-c/thread/kernel-thread.ts';
import {
  type DeclaredPage,
  runSetup,
  type SetupResult,
} from '../../frontend/kernel-c/thread/run-setup.ts';
import { isOfTree } from '../../frontend/kernel-c/vm/program.ts';
import {
  guestContext,
  GUEST_MAIR,
  type GuestView,
  MMU_OFF,
  smallStage1,
} from '../../guest/view.ts';
import { laterGuest } from '../../guest/later-guest.ts';
import type { Context } from '../../program/effect.ts';
import type { ThreadTree } from '../../program/thread-tree.ts';
import type { MachineSetup, PageSetup, ThreadSetup } from '../../machine/setup.ts';
import type { GuestViewKind } from '../scenario.ts';
import { type AssumptionLog, assumptionLog, assumptionsOf } from './assumptions.ts';
import type { KernelFamily, LoadedTree, OpenOptions, Prepared } from './family.ts';
import {
  hostName,
  inSituation,
  isDeclared,
  narrowing,
  type Placed,
  placeFiles,
  scenariosOf,
  valueOf,
} from './placed-scenario.ts';
import type { ScenarioSettings } from './scenario-file.ts';
import { vcpuCode } from './vcpu-code.ts';

/** Where things lie in physical memory: far apart, so that a dump can be read. */
const HOST_BASE = 0x2000_0000n;
const COUNT_BASE = 0x2000_1000n;
const TABLE_BASE = 0x4000_0000n;
/** The page that a guest uses for its own tables, and where it sees it: in no range of a scenario. */
const GUEST_TABLE = { ipa: 0xc000_0000n, page: 0xf000_0000n };

const VMID = 1;
/** What the vCPUs store. */
const STORED = 1n;

const SHARED = 'kvm-pgtable-shared';

/** Level hints matter where a table goes, and are asked for wherever an address is invalidated. */
const HINTS: readonly (readonly string[])[] = [['ttl=on'], ['ttl=on', 'fwb=on']];

/** The common page-table walker of 5.10 to 6.1: one CPU at a time walks with the lock. */
export const KVM_PGTABLE: KernelFamily = {
  name: 'kvm-pgtable',
  kernels: 'KVM stage 2 of 5.10 to 6.1: arch/arm64/kvm/hyp/pgtable.c, walked by one CPU at a time',
  matrix: ['fwb', 'vhe', 'tlbi-range'],
  extraMachines: HINTS,
  concerned: () => 'shared',
  fits: (read) => hasPgtable(read) && !hasSharedWalks(read),
  open: (read, overlay, options) => attempt(() => open('kvm-pgtable', read, overlay, options)),
};

/** The same from 6.2 on: faults walk under the read lock, tables are freed by RCU. */
export const KVM_PGTABLE_SHARED: KernelFamily = {
  name: SHARED,
  kernels: 'KVM stage 2 from 6.2 on: arch/arm64/kvm/hyp/pgtable.c with walks under the read lock',
  matrix: ['fwb', 'vhe', 'tlbi-range'],
  extraMachines: HINTS,
  concerned: () => 'shared',
  fits: (read) => hasPgtable(read) && hasSharedWalks(read),
  open: (read, overlay, options) => attempt(() => open(SHARED, read, overlay, options)),
};

/** What all host threads see: objects of the tree, the VM and its table. With several, they are not written. */
function sharedObjects({ program }: Kernel, { vm }: SetupResult): readonly string[] {
  return [...vm.objects.keys()].filter((key) => {
    const symbol = program.symbols.get(key);
    if (symbol === undefined) return false;
    return (
      isOfTree(program, symbol) ||
      ['tlbgate_kvm', 'tlbgate_vm', 'tlbgate_pgt'].includes(symbol.name)
    );
  });
}

/** Functions whose statements are steps of a report: of a scenario, of the profile's text, of the tree. */
const OPENED: readonly string[] = [
  'host',
  'host1',
  'map',
  'map_fault',
  'relax_fault',
  'access_fault',
  'unmap_range',
  'age_range',
  'test_age_range',
  'guest_abort',
  'kvm_handle_guest_abort',
  'user_mem_abort',
  'notifier_begins',
  'notifier_ends',
  'backed_by',
  'tlbgate_notifier_start',
  'tlbgate_notifier_end',
  'kvm_mmu_notifier_invalidate_range_start',
  'kvm_mmu_notifier_invalidate_range_end',
  '__kvm_handle_hva_range',
  '__unmap_stage2_range',
  'unmap_stage2_range',
  'stage2_apply_range',
  'kvm_pgtable_stage2_unmap',
  'kvm_pgtable_walk',
  '_kvm_pgtable_walk',
  '__kvm_pgtable_walk',
  '__kvm_pgtable_visit',
  'kvm_pgtable_visitor_cb',
  'stage2_unmap_walker',
  'stage2_map_walker',
  'stage2_split_walker',
  'stage2_attr_walker',
  'stage2_age_walker',
];

function open(
  profile: string,
  read: ReadFile,
  overlay: Overlay,
  { files = [], base }: OpenOptions,
): LoadedTree {
  const log = assumptionLog();
  const patched = overlayReader(overlay, read);
  const { placed, texts } = placeFiles(files, profile);
  const units = unitLoader(read, overlay, base?.units ?? null);
  const kernels = new Map<boolean, Kernel>();
  const kernelFor = (vhe: boolean): Kernel => {
    const known = kernels.get(vhe);
    if (known !== undefined) return known;
    const wanted = pgtableProfile(profile, vhe, patched, texts);
    const loaded = valueOf(loadKernel(wanted, read, overlay, units));
    kernels.set(vhe, loaded);
    return loaded;
  };
  const first = kernelFor(true);
  const available = narrowing(placed).filter(({ settings }) =>
    settings.needs.every((name) => isDeclared(first, name)),
  );
  return {
    profile,
    ...scenariosOf(available),
    opened: OPENED,
    kernels: () => [...kernels.values()],
    prepare: (scenario, features) => {
      const found = available.find((each) => each.scenario.name === scenario.name);
      if (found === undefined) throw new RangeError(`no scenario "${scenario.name}" in this tree`);
      const now = inSituation(found, scenario);
      const reason = impossible(now.settings, features, hasVpipt(patched));
      if (reason !== null) return { kind: 'impossible', reason };
      const made = attempt((): Prepared => ({
        kind: 'ready',
        setup: setupOf(kernelFor(features.vhe), now, features, log),
      }));
      return made.kind === 'ok' ? made.value : made;
    },
    assumed: () => assumptionsOf([...kernels.values()], log),
    units,
  };
}

/** Why no such machine can have the scenario; `null` when it can. */
export function impossible(
  settings: ScenarioSettings,
  features: Features,
  knowsVpipt: boolean,
): string | null {
  if (features.granule !== '4k') return 'the tree is configured for 4K pages';
  if (features.ipaBits !== 40) return 'its VMs have 40 bits of IPA';
  if (features.e2h !== features.vhe) return 'hVHE is not known to this profile';
  if (features.lpa2 || features.cnp) return 'LPA2 and CnP are not known to this profile';
  if (features.icache === 'vpipt' && !knowsVpipt) return 'its KVM does not know VPIPT I-caches';
  if (features.dic && settings.kinds.includes('execute')) {
    return 'instruction caches of the machine need the maintenance that DIC makes unnecessary';
  }
  const missing = settings.features.find(({ holds }) => !holds(features));
  return missing === undefined ? null : `it needs ${missing.word}`;
}

/** The machine of a scenario file, with what surrounds its host threads. */
export function setupOf(
  kernel: Kernel,
  { scenario, settings, view: seen, guest: does, setup, hosts }: Placed,
  features: Features,
  { watch, takes }: AssumptionLog,
  environmentOf: typeof pgtableEnvironment = pgtableEnvironment,
): MachineSetup {
  const withStage1 = seen !== 'mmu-off';
  const before: PgtableSubject = {
    features,
    vmid: VMID,
    tables: new Map(),
    words: { kind: 'own', start: new Map(), observable: () => false, hardwareUpdates: false },
    countWords: null,
    shared: [],
    cpus: { self: 0, count: 1 },
    hasStructPage: () => null,
    watchedLines: () => [],
    watchedIpas: [],
    reschedule: 'never',
  };
  const made = runSetup(
    kernel.program,
    watch(valueOf(environmentOf(kernel, before))),
    [
      { name: MAKE_VM, arguments: [BigInt(VMID), BigInt(features.ipaBits)] },
      { name: setup, arguments: [] },
      ...(withStage1
        ? [{ name: MAP_GUEST_TABLE, arguments: [GUEST_TABLE.ipa, GUEST_TABLE.page] }]
        : []),
    ],
    { firstPage: TABLE_BASE, firstWord: HOST_BASE },
  );
  const geometry = kvmStage2Geometry(features);
  const { pages, guest } = made;
  checkControl(guest.control, features, geometry.startLevel);
  if (pages.length === 0) {
    throw new FrontendError(
      scenario.name,
      0,
      0,
      'setup() names no page of the guest: see guest_page()',
    );
  }
  const ends = settings.vm === 'ends';
  if (ends && hosts.length > 1) {
    throw new FrontendError(scenario.name, 0, 0, 'where a VM ends there is one CPU of the host');
  }
  const word = ends ? enteredWord(scenario.name, made, withStage1) : null;
  if (ends) takes('reading-fill-out-of-context=off', 'with VMs that end (R_FXGNQ)');
  const countWords = hosts.length > 1 ? countWordsOf(made) : null;
  const view = viewOf(seen, features, pages);
  const context = guestContext(view, { vmid: guest.vmid, root: guest.root }, features);
  const vas = [...new Set(pages.map(({ ipa }) => view.vaOf(ipa)))];
  const vcpus = vcpuCode(does, settings.vcpus, 'vcpu', vas, STORED);
  const threads: ThreadSetup[] = [
    ...hosts.map((entry, self): ThreadSetup => {
      const subject = { ...before, ...hostSubject(made, settings, features, countWords) };
      const cpus = { self, count: hosts.length };
      const { shared } = made;
      const environment = watch(valueOf(environmentOf(kernel, { ...subject, cpus, shared })));
      return {
        tree: kernelThread({
          name: hostName(self),
          program: kernel.program,
          environment,
          entry,
          arguments: [],
          objects: made.vm,
          ...(hosts.length > 1 ? { constant: sharedObjects(kernel, made) } : {}),
          before: [],
          after: [],
          once: settings.run === 'count',
        }),
        context: hostContext({ features }),
      };
    }),
    ...vcpus.map((tree) =>
      word === null ? { tree, context } : laterVcpu(features, word, context, tree),
    ),
  ];
  return {
    threads,
    translation: {
      features: ends ? outOfContext(features) : features,
      stage1: view.geometry,
      stage2: geometry,
      mair: GUEST_MAIR,
    },
    ...(ends ? { endedVms: [guest.vmid] } : {}),
    memory: [
      ...[...made.memory].map(([address, word]) => ({ address, value: word })),
      ...[...(countWords ?? [])].map(([page, address]) => ({
        address,
        value: BigInt(made.tables.get(page) ?? 0),
      })),
      ...view.words,
    ].filter(({ value: word }) => word !== 0n),
    pages: pagesOf(
      made,
      withStage1,
      hosts.length > 1 || made.shared.length > 0 || ends,
      // Which VM a page belongs to is not known before the second one runs.
      ends ? null : VMID,
    ),
    locks: lockNames(hosts.length),
    tableLocks: hosts.map((_, cpu) => cpu),
    watchedVas: vas,
    dataCache: 'modelled',
    ...(settings.kinds.includes('execute') ? { instructionCache: 'modelled' as const } : {}),
    bounds: { window: settings.window },
  };
}

/**
 * A PE that has run a vCPU of the VM and is to run one of the second. With VHE VTTBR_EL2 stays as it was
 * when the vCPU left; without, it is 0 while the host runs at EL1.
 */
function laterVcpu(
  features: Features,
  word: bigint,
  before: Context,
  guest: ThreadTree,
): ThreadSetup {
  const host = hostContext({ features });
  const { vmid, stage2 } = before;
  return {
    tree: laterGuest({
      vcpu: 'vcpu0',
      word,
      vhe: features.vhe,
      contextOf: (vttbr) => ({
        ...before,
        vmid: Number(vttbr >> 48n),
        stage2: stage2 === null ? null : { ...stage2, root: vttbr & 0xffff_ffff_fffen },
      }),
      guest,
    }),
    context: features.vhe ? { ...host, vmid, stage2 } : host,
    previousContexts: [before],
  };
}

/** The word that the later vCPUs of a VM wait for. */
function enteredWord(scenario: string, { entered }: SetupResult, withStage1: boolean): bigint {
  const fail = (message: string): FrontendError => new FrontendError(scenario, 0, 0, message);
  if (withStage1)
    throw fail('a VM that ends has its MMU off: the second one has no stage-1 tables');
  if (entered === null) throw fail('setup() of a VM that ends must call vm_has_run()');
  return entered;
}

/** R_FXGNQ taken strictly: at EL2 nothing of EL1&0 is walked, whatever VTTBR_EL2 still says. */
function outOfContext(features: Features): Features {
  return new Proxy(features, {
    get: (target, field) =>
      field === 'readingFillOutOfContext' ? false : target[field as keyof Features],
  });
}

/** The tables are walked as VTCR_EL2 says: its T0SZ and SL0 must be those of the machine's geometry. */
function checkControl(control: bigint, { ipaBits }: Features, startLevel: number): void {
  const bits = 64 - Number(control & 0x3fn);
  const level = 2 - Number((control >> 6n) & 3n);
  if (bits === ipaBits && level === startLevel) return;
  throw new FrontendError(
    '<setup>',
    0,
    0,
    `the tree asks for ${bits} bits of IPA from level ${level} on; the machine walks ${ipaBits} bits from level ${startLevel} on`,
  );
}

/** What the set-up has fixed for the host thread. */
function hostSubject(
  { memory, tables, pages }: SetupResult,
  { reschedule }: ScenarioSettings,
  features: Features,
  countWords: ReadonlyMap<bigint, bigint> | null,
): Omit<PgtableSubject, 'features' | 'vmid' | 'cpus' | 'shared'> {
  const ipas = [...pages.map(({ ipa }) => ipa), GUEST_TABLE.ipa];
  const indices = new Set(
    ipas.flatMap((ipa) =>
      LEVELS.filter((level) => level <= LAST_LEVEL).map((level) =>
        Number((ipa >> BigInt(levelShift(features.granule, level))) & 511n),
      ),
    ),
  );
  const lines = pages.map(({ page }) => page);
  const observable = (word: bigint): boolean => indices.has(Number((word >> 3n) & 511n));
  const hardwareUpdates = features.s2Hafdbs !== 'none';
  const words: Environment['words'] =
    countWords === null
      ? { kind: 'own', start: memory, observable, hardwareUpdates }
      : { kind: 'several', start: memory, observable };
  return {
    tables: countWords === null ? tables : new Map(),
    onlyTheseTables: true,
    words,
    countWords,
    hasStructPage: (page) => (lines.includes(page) ? true : null),
    watchedLines: (base, bytes) => lines.filter((line) => line >= base && line < base + bytes),
    watchedIpas: [...new Set(pages.map(({ ipa }) => ipa))],
    reschedule,
  };
}

function viewOf(
  view: GuestViewKind,
  features: Features,
  pages: readonly DeclaredPage[],
): GuestView {
  if (view === 'mmu-off') return MMU_OFF;
  return smallStage1({
    features,
    mappings: pages.map(({ ipa }) => ({ ipa, attribute: view })),
    leaf: 'block',
    places: [GUEST_TABLE],
  });
}

/** Where the counts of table pages lie, for host threads that share them. */
function countWordsOf({ tables }: SetupResult): ReadonlyMap<bigint, bigint> {
  return new Map([...tables.keys()].map((page, i) => [page, COUNT_BASE + 8n * BigInt(i)]));
}

/** Each lock of the kernel is as many locks as the host has CPUs; one CPU alone needs the first only. */
function lockNames(cpus: number): readonly string[] {
  if (cpus === 1) return LOCK_NAMES.slice(0, 1);
  return LOCK_NAMES.flatMap((name) =>
    Array.from({ length: cpus }, (_, cpu) => `${name} of host CPU ${cpu}`),
  );
}

function pagesOf(
  { tables, pages }: SetupResult,
  withStage1: boolean,
  withHostWords: boolean,
  owner: number | null,
): readonly PageSetup[] {
  return [
    ...(withHostWords
      ? [HOST_BASE, COUNT_BASE].map((base): PageSetup => ({
          base,
          use: 'host',
          vmid: null,
          name: base === HOST_BASE ? 'words of the host' : 'counts of table pages',
        }))
      : []),
    ...[...tables.keys()].map((base): PageSetup => ({
      base,
      use: 'table',
      vmid: VMID,
      name: `table page at 0x${base.toString(16)}`,
    })),
    ...uniquePages(pages).map(({ page }, i): PageSetup => ({
      base: page,
      use: 'guest',
      vmid: owner,
      name: `guest page ${i}`,
    })),
    ...(withStage1
      ? [{ base: GUEST_TABLE.page, use: 'guest', vmid: VMID, name: 'stage-1 table' } as const]
      : []),
  ];
}

function uniquePages(pages: readonly DeclaredPage[]): readonly DeclaredPage[] {
  return pages.filter(({ page }, i) => pages.findIndex((other) => other.page === page) === i);
}
