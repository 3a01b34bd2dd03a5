import type { Features } from '../../arm64/features.ts';
import { LAST_LEVEL, LEVELS, levelShift, stage1Geometry } from '../../arm64/geometry.ts';
import { attempt, FrontendError } from '../../frontend/kernel-c/diagnostic.ts';
import { type Kernel, loadKernel, unitLoader } from '../../frontend/kernel-c/profile/kernel.ts';
import {
  hasStage1Flush,
  type ProcessSubject,
  stage1Control,
  stage1Environment,
  stage1Profile,
} from '../../frontend/kernel-c/profile/stage1-flush.ts';
import { MAKE_PROCESS } from '../../frontend/kernel-c/profile/stage1-flush-text.ts';
import { overlayReader, type Overlay, type ReadFile } from '../../frontend/kernel-c/read-file.ts';
import { kernelThread } from '../../frontend/kernel-c/thread/kernel-thread.ts';
import { runSetup, type SetupResult } from '../../frontend/kernel-c/thread/run-setup.ts';
import type { MachineSetup, PageSetup } from '../../machine/setup.ts';
import type { Context } from '../../program/effect.ts';
import { type AssumptionLog, assumptionLog, assumptionsOf } from './assumptions.ts';
import type { KernelFamily, LoadedTree, OpenOptions, Prepared } from './family.ts';
import {
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
const TABLE_BASE = 0x4000_0000n;

const ASID = 5;
/** What the threads of the process store. */
const STORED = 1n;

const NAME = 'stage1-flush';

/** Files that only this family runs, and those that it runs as well as others. */
const OWN =
  /^mm\/pgtable-generic\.c$|^arch\/arm64\/mm\/(contpte|mmu|fault)\.c$|^include\/asm-generic\/tlb\.h$|^arch\/arm64\/include\/asm\/tlb\.h$/;
const SHARED =
  /^arch\/arm64\/include\/asm\/(tlbflush|pgtable|pgtable-prot|pgtable-hwdef|pgalloc)\.h$|^include\/linux\/pgtable\.h$/;

/**
 * The address spaces of processes: what memory management and `flush_tlb_range` do to stage 1 while
 * threads of the process run at EL0 on other PEs.
 */
export const STAGE1_FLUSH: KernelFamily = {
  name: NAME,
  kernels: 'stage 1 of processes: arch/arm64/include/asm/tlbflush.h and what calls it',
  matrix: ['tlbi-range'],
  extraMachines: [['ttl=on']],
  concerned: (path) => (OWN.test(path) ? 'alone' : SHARED.test(path) ? 'shared' : 'no'),
  fits: hasStage1Flush,
  open: (read, overlay, options) => attempt(() => open(read, overlay, options)),
};

function open(read: ReadFile, overlay: Overlay, { files = [], base }: OpenOptions): LoadedTree {
  const log = assumptionLog();
  const patched = overlayReader(overlay, read);
  const { placed: written, texts } = placeFiles(files, NAME);
  const placed = written.map(asProcess);
  const units = unitLoader(read, overlay, base?.units ?? null);
  const profile = stage1Profile(NAME, patched, texts);
  const kernel = valueOf(loadKernel(profile, read, overlay, units));
  const available = narrowing(placed).filter(({ settings }) =>
    settings.needs.every((name) => isDeclared(kernel, name)),
  );
  return {
    profile: NAME,
    ...scenariosOf(available),
    opened: ['host', 'map_user'],
    kernels: () => [kernel],
    prepare: (scenario, features) => {
      const found = available.find((each) => each.scenario.name === scenario.name);
      if (found === undefined) throw new RangeError(`no scenario "${scenario.name}" in this tree`);
      const now = inSituation(found, scenario);
      const reason = impossible(now.settings, features);
      if (reason !== null) return { kind: 'impossible', reason };
      const made = attempt((): Prepared => ({
        kind: 'ready',
        setup: setupOf(kernel, now, features, log),
      }));
      return made.kind === 'ok' ? made.value : made;
    },
    assumed: () => assumptionsOf([kernel], log),
    units,
  };
}

/** For reports: memory of a process is mapped cacheable, whatever the file says of a guest. */
function asProcess(placed: Placed): Placed {
  const { scenario } = placed;
  return {
    ...placed,
    scenario: { ...scenario, situation: { ...scenario.situation, view: 'cacheable' } },
  };
}

/** Why no such machine can have the scenario; `null` when it can. */
function impossible(settings: ScenarioSettings, features: Features): string | null {
  if (settings.hosts !== 1) return 'only one CPU changes the tables of a process here';
  if (settings.kinds.includes('execute')) return 'threads of a process only read and write here';
  if (features.granule !== '4k') return 'the tree is configured for 4K pages';
  if (features.lpa2 || features.cnp) return 'LPA2 and CnP are not known to this profile';
  if (features.s1Hafdbs !== 'none') {
    return 'hardware updates of the access flag and the dirty state are off in this profile';
  }
  const missing = settings.features.find(({ holds }) => !holds(features));
  return missing === undefined ? null : `it needs ${missing.word}`;
}

function setupOf(
  kernel: Kernel,
  { scenario, settings, guest, setup, hosts }: Placed,
  features: Features,
  { watch }: AssumptionLog,
): MachineSetup {
  const before: ProcessSubject = {
    features,
    asid: ASID,
    tables: new Map(),
    words: { kind: 'own', start: new Map(), observable: () => false, hardwareUpdates: false },
    structWords: new Map(),
    watchedLines: () => [],
    watchedIpas: [],
    reschedule: 'never',
  };
  const made = runSetup(
    kernel.program,
    watch(valueOf(stage1Environment(kernel, before))),
    [
      { name: MAKE_PROCESS, arguments: [BigInt(ASID)] },
      { name: setup, arguments: [] },
    ],
    { firstPage: TABLE_BASE, firstWord: 0n },
  );
  if (made.pages.length === 0) {
    throw new FrontendError(scenario.name, 0, 0, 'setup() names no page: see user_page()');
  }
  const { vaBits, mair } = stage1Control(kernel);
  const vas = [...new Set(made.pages.map(({ ipa }) => ipa))];
  const host = kernelThread({
    name: 'host',
    program: kernel.program,
    environment: watch(valueOf(stage1Environment(kernel, hostSubject(before, made, settings)))),
    entry: hosts[0] ?? '',
    arguments: [],
    objects: made.vm,
    before: [],
    after: [],
  });
  const users = vcpuCode(guest, settings.vcpus, 'thread', vas, STORED);
  const kernelContext: Context = { el: 1, vmid: 0, asid: 0, stage1: null, stage2: null };
  const userContext: Context = {
    ...kernelContext,
    el: 0,
    asid: ASID,
    stage1: { root: made.guest.root, hardwareUpdate: 'none' },
  };
  return {
    threads: [
      { tree: host, context: kernelContext },
      ...users.map((tree) => ({ tree, context: userContext })),
    ],
    translation: { features, stage1: stage1Geometry('4k', vaBits), stage2: null, mair },
    memory: [...made.memory]
      .map(([address, value]) => ({ address, value }))
      .filter(({ value }) => value !== 0n),
    pages: pagesOf(made),
    locks: ['page_table_lock'],
    watchedVas: vas,
    dataCache: 'coherent',
    bounds: { window: settings.window },
  };
}

/** What the set-up has fixed for the host thread. */
function hostSubject(
  before: ProcessSubject,
  { memory, tables, structWords, pages }: SetupResult,
  { reschedule }: ScenarioSettings,
): ProcessSubject {
  const indices = new Set(
    pages.flatMap(({ ipa }) =>
      LEVELS.filter((level) => level >= 0 && level <= LAST_LEVEL).map((level) =>
        Number((ipa >> BigInt(levelShift('4k', level))) & 511n),
      ),
    ),
  );
  const lines = [...new Set(pages.map(({ page }) => page))];
  return {
    ...before,
    tables,
    onlyTheseTables: true,
    structWords,
    words: {
      kind: 'own',
      start: memory,
      observable: (word) => indices.has(Number((word >> 3n) & 511n)),
      hardwareUpdates: false,
    },
    watchedLines: (base, bytes) => lines.filter((line) => line >= base && line < base + bytes),
    watchedIpas: [...new Set(pages.map(({ ipa }) => ipa))],
    reschedule,
  };
}

function pagesOf({ tables, pages }: SetupResult): readonly PageSetup[] {
  const user = [...new Set(pages.map(({ page }) => page))];
  return [
    ...[...tables.keys()].map((base): PageSetup => ({
      base,
      use: 'table',
      vmid: 0,
      name: `table page at 0x${base.toString(16)}`,
    })),
    ...user.map((base, i): PageSetup => ({
      base,
      use: 'guest',
      vmid: 0,
      name: `user page ${i}`,
    })),
  ];
}
