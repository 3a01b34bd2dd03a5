import { DEFAULT_FEATURES, type Features } from '../../arm64/features.ts';
import { attempt, FrontendError, type Outcome } from '../../frontend/kernel-c/diagnostic.ts';
import { type Kernel, loadKernel, unitLoader } from '../../frontend/kernel-c/profile/kernel.ts';
import {
  KVM_V5_8,
  legacyFileEnvironment,
  legacyProfile,
  UNMAP_ENTRY,
} from '../../frontend/kernel-c/profile/kvm-v5_8.ts';
import { hasLegacyFiles } from '../../frontend/kernel-c/profile/kvm-legacy-text.ts';
import { overlayReader, type Overlay, type ReadFile } from '../../frontend/kernel-c/read-file.ts';
import { kernelUnmapSetup } from '../kernel-unmap.ts';
import { defaultScenario, type Scenario } from '../scenario.ts';
import { type AssumptionLog, assumptionLog, assumptionsOf } from './assumptions.ts';
import type { KernelFamily, KernelScenario, LoadedTree, OpenOptions, Prepared } from './family.ts';
import { impossible, setupOf } from './kvm-pgtable.ts';
import {
  inSituation,
  isDeclared,
  narrowing,
  type Placed,
  placeFiles,
  scenariosOf,
} from './placed-scenario.ts';

const NAME = KVM_V5_8.name;

const ONE_PAGE: Partial<Scenario> = { pages: 1, layout: 'adjacent' };
const ONE_LEAF: Partial<Scenario> = { ...ONE_PAGE, keepTables: true };

/**
 * The situations in which `unmap_stage2_range` is run. Together: pages, blocks, tables that become
 * empty at every level, both sides of the threshold of a range flush, a dropped lock, every way in
 * which a guest may see its memory.
 */
const UNMAP: readonly (readonly [string, string, Partial<Scenario>])[] = [
  [
    'two pages on both sides of a top-level border: tables dissolve, the lock may drop',
    'a second walk from the root, after somebody else may have had the lock',
    {},
  ],
  [
    'one page of a table that stays, guest with its MMU off',
    'stores of the guest go past the caches, so the order of cache maintenance and TLBI matters',
    { ...ONE_LEAF, view: 'mmu-off' },
  ],
  [
    'one page of a table that stays, guest maps it Normal Non-cacheable',
    'the same through a stage 1 of the guest',
    { ...ONE_LEAF, view: 'non-cacheable' },
  ],
  [
    'one page of a table that stays, guest maps it Device',
    'the same with Device memory',
    { ...ONE_LEAF, view: 'device' },
  ],
  [
    'one page of a table that stays, guest maps it cacheable',
    'the ordinary guest, whose stores stay in the cache',
    { ...ONE_LEAF, view: 'cacheable' },
  ],
  [
    'two pages of one table that dissolves',
    'a table page is freed while leaf entries below it may be cached',
    { layout: 'adjacent' },
  ],
  [
    'two vCPUs on two PEs',
    'an invalidation must reach PEs other than that of the host',
    { ...ONE_PAGE, vcpus: 2, guest: { kind: 'general', kinds: ['write'] } },
  ],
  ['a page and a block', 'leaf entries of two levels in one range', { mapping: 'mixed' }],
  ['a block of 1G', 'a leaf entry of level 1', { ...ONE_PAGE, mapping: 'block1' }],
  [
    'a range inside of a block',
    'the whole block goes although the request names a part of it',
    { ...ONE_PAGE, mapping: 'block', range: 'inside-block' },
  ],
  ['a range with nothing mapped', 'nothing to clear', { ...ONE_LEAF, mapping: 'unmapped' }],
  [
    'a second VM with the same IPA',
    'an invalidation must be for the right VMID',
    { ...ONE_PAGE, secondVm: true },
  ],
  [
    'a range past the threshold of a range flush',
    '512 pages and more may be flushed in another way than fewer',
    { ...ONE_LEAF, range: 'wide' },
  ],
];

/** What a patch author wants to see counted. */
const FIGURES: typeof UNMAP = [
  [
    '64 pages of one table',
    'fewer than the threshold of a range flush',
    { pages: 64, layout: 'adjacent', reschedule: 'never' },
  ],
  [
    '512 pages of one table',
    'a whole table of pages',
    { pages: 512, layout: 'adjacent', reschedule: 'never' },
  ],
];

function scenarioOf([name, why, part]: (typeof UNMAP)[number]): KernelScenario {
  return {
    name,
    why,
    profile: NAME,
    entries: [UNMAP_ENTRY],
    situation: { ...defaultScenario(`kernel/${NAME}`, DEFAULT_FEATURES), ...part },
    shrinks: true,
  };
}

/** Functions whose statements are steps of a report: the walk, what leads to it, and the texts of scenarios. */
const OPENED: readonly string[] = [
  UNMAP_ENTRY,
  'unmap_stage2_range',
  'unmap_stage2_p4ds',
  'unmap_stage2_puds',
  'unmap_stage2_pmds',
  'unmap_stage2_ptes',
  'clear_stage2_pgd_entry',
  'clear_stage2_p4d_entry',
  'clear_stage2_pud_entry',
  'clear_stage2_pmd_entry',
  'stage2_set_pte',
  'stage2_set_pmd_huge',
  'stage2_set_pud_huge',
  'stage2_dissolve_pmd',
  'stage2_dissolve_pud',
  'stage2_wp_range',
  'stage2_wp_p4ds',
  'stage2_wp_puds',
  'stage2_wp_pmds',
  'stage2_wp_ptes',
  'kvm_mmu_wp_memory_region',
  'kvm_handle_guest_abort',
  'user_mem_abort',
  'handle_access_fault',
  'handle_hva_to_gpa',
  'kvm_unmap_hva_range',
  'kvm_unmap_hva_handler',
  'kvm_set_spte_hva',
  'kvm_set_spte_handler',
  'kvm_age_hva',
  'kvm_age_hva_handler',
  'kvm_mmu_notifier_invalidate_range_start',
  'kvm_mmu_notifier_invalidate_range_end',
  'kvm_mmu_notifier_change_pte',
  'kvm_mmu_notifier_clear_flush_young',
  'kvm_arch_flush_shadow_all',
  'kvm_free_stage2_pgd',
  'kvm_arch_flush_shadow_memslot',
  'stage2_unmap_vm',
  'stage2_unmap_memslot',
  'host',
  'host1',
  'map',
  'tlbgate_map',
  'tlbgate_set',
  'unmap_range',
  'age_range',
  'test_age_range',
  'tlbgate_notified',
  'access_fault',
  'guest_abort',
  'other_abort',
  'tlbgate_abort',
  'logging_begins',
  'slot_goes',
  'memory_is_unmapped',
  'notifier_begins',
  'notifier_ends',
  'backed_by',
  'page_changes',
  'age_and_flush',
  'tlbgate_notifier_start',
  'tlbgate_notifier_end',
  'tlbgate_change_pte',
  'tlbgate_clear_flush_young',
  'unmap_everything',
  'vm_ends',
  'second_vm_runs',
];

/** KVM's stage 2 before the common page-table walker: `mmu.c` walks, `hyp/tlb.c` invalidates. */
export const KVM_LEGACY: KernelFamily = {
  name: NAME,
  kernels: 'KVM stage 2 up to v5.9: arch/arm64/kvm/mmu.c with unmap_stage2_range',
  matrix: ['fwb', 'vhe'],
  // Only a host at EL1 asks what kind of instruction cache there is.
  extraMachines: [
    ['vhe=off', 'icache=vpipt'],
    ['vhe=off', 'icache=vpipt', 'fwb=on'],
  ],
  concerned: () => 'shared',
  fits: (read) =>
    KVM_V5_8.units.every((unit) => read(unit) !== null) &&
    /\bunmap_stage2_range\s*\(/.test(read(KVM_V5_8.units[0] ?? '') ?? ''),
  open: (read, overlay, options) => attempt(() => openLegacy(read, overlay, options)),
};

function openLegacy(
  read: ReadFile,
  overlay: Overlay,
  { files = [], base }: OpenOptions,
): LoadedTree {
  const units = unitLoader(read, overlay, base?.units ?? null);
  const patched = overlayReader(overlay, read);
  const { placed, texts } = placeFiles(
    files,
    NAME,
    [...UNMAP, ...FIGURES].map((each) => scenarioOf(each).name),
  );
  const log = assumptionLog();
  const kernels = new Map<boolean, Kernel>();
  const kernelFor = (vhe: boolean): Kernel => {
    const known = kernels.get(vhe);
    if (known !== undefined) return known;
    const loaded = value(loadKernel(legacyProfile(vhe, patched, texts), read, overlay, units));
    kernels.set(vhe, loaded);
    return loaded;
  };
  const first = kernelFor(true);
  // Without them the tree has only the scenarios whose world is made outside of the C.
  const takesFiles = hasLegacyFiles(patched);
  const available = narrowing(placed).filter(
    ({ settings }) => takesFiles && settings.needs.every((name) => isDeclared(first, name)),
  );
  const ofFiles = scenariosOf(available);
  return {
    profile: NAME,
    scenarios: [...UNMAP.map(scenarioOf), ...ofFiles.scenarios],
    figures: [...FIGURES.map(scenarioOf), ...ofFiles.figures],
    opened: OPENED,
    kernels: () => [...kernels.values()],
    prepare: (scenario, features) => {
      const file = available.find((each) => each.scenario.name === scenario.name);
      const made = attempt(() =>
        file === undefined
          ? prepare(kernelFor(features.vhe), scenario, features, log)
          : prepareFile(kernelFor(features.vhe), inSituation(file, scenario), features, log),
      );
      return made.kind === 'ok' ? made.value : made;
    },
    assumed: () => assumptionsOf([...kernels.values()], log),
    units,
  };
}

function prepare(
  kernel: Kernel,
  scenario: KernelScenario,
  features: Features,
  { watch }: AssumptionLog,
): Prepared {
  try {
    const isCounted = FIGURES.some(([name]) => name === scenario.name);
    const setup = kernelUnmapSetup(kernel, { ...scenario.situation, features }, watch, isCounted);
    return setup.kind === 'ok' ? { kind: 'ready', setup: setup.value } : setup;
  } catch (problem) {
    if (!(problem instanceof RangeError)) throw problem;
    return { kind: 'impossible', reason: problem.message };
  }
}

function prepareFile(
  kernel: Kernel,
  file: Placed,
  features: Features,
  log: AssumptionLog,
): Prepared {
  const reason = impossible(file.settings, features, true);
  if (reason !== null) return { kind: 'impossible', reason };
  return { kind: 'ready', setup: setupOf(kernel, file, features, log, legacyFileEnvironment) };
}

function value<T>(outcome: Outcome<T>): T {
  if (outcome.kind === 'ok') return outcome.value;
  const { file, line, column, message } = outcome.diagnostic;
  throw new FrontendError(file, line, column, message);
}
