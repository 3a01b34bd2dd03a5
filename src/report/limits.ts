import { DEFAULT_FEATURES, FEATURE_DEFINITIONS, type Features } from '../arm64/features.ts';

/** Something the machine does not do, or does more coarsely than hardware. */
export interface Limit {
  /** Short name. */
  readonly name: string;
  /** One sentence. */
  readonly text: string;
  /** What the limit means for a verdict. */
  readonly effect: 'may miss failures' | 'may show failures hardware cannot have' | 'cost only';
}

/** What is not modelled: the one place docs/limits.md and the notes of verdicts are made from. */
export const LIMITS: readonly Limit[] = [
  {
    name: 'one word per line',
    text: 'A cache line is one watched 64-bit word, and a page has one watched line, at its base.',
    effect: 'may miss failures',
  },
  {
    name: 'one access in flight',
    text: 'A vCPU of the general guest has one access in flight; several in flight on one PE only add orderings between them, and no rule speaks of two accesses, so more vCPUs show as much.',
    effect: 'cost only',
  },
  {
    name: 'after a broken rule',
    text: 'TLB conflict aborts and amalgamated entries are not executed: two live translations are reported when they can be, and nothing is concluded about what follows.',
    effect: 'may miss failures',
  },
  {
    name: 'contiguous entries',
    text: 'One entry for a contiguous group is made at stage 1 without stage 2 alone, from the descriptors of pages that the scenario uses; elsewhere each descriptor is cached by itself. Aborts that FEAT_BBM allows are not raised.',
    effect: 'may miss failures',
  },
  {
    name: 'stage-1 table pointers before stage 2',
    text: 'A walk holds the next table of stage 1 only after stage 2 has translated it; a walker that keeps the pointer while stage 2 changes under it is seen only as one that walks again.',
    effect: 'may miss failures',
  },
  {
    name: 'interrupts',
    text: 'Interrupts, preemption and the masking of interrupts around flushes are left out.',
    effect: 'may miss failures',
  },
  {
    name: 'instruction caches',
    text: 'An instruction cache is one word per page, exists only where the guest executes, and fetches what a cacheable data read gives, so what a missing clean does is seen by data reads alone; CTR_EL0.IDC and DIC change what the code does, not what the caches do.',
    effect: 'may miss failures',
  },
  {
    name: 'allocator in one step',
    text: 'The page allocator zeroes and hands out a page in one step, and a freed page can be reused at once.',
    effect: 'may show failures hardware cannot have',
  },
  {
    name: 'zeroed tables',
    text: 'A page from the allocator is zero for every PE, so a barrier or a release that is missing between zeroing a table and linking it is not noticed.',
    effect: 'may miss failures',
  },
  {
    name: 'domain of store barriers',
    text: 'A store becomes visible to all PEs at once, so DSB NSHST orders it as well as DSB ISHST does.',
    effect: 'may miss failures',
  },
  {
    name: 'contents behind the entry',
    text: 'What the host has put into a page counts from when its store is performed, so a store of contents that is still on its way when the entry is written (a missing release) is not noticed.',
    effect: 'may miss failures',
  },
  {
    name: 'what a compiler may do',
    text: 'C of the kernel runs as it is written: a plain access is one access in program order, which a compiler might fuse, tear or repeat.',
    effect: 'may miss failures',
  },
  {
    name: 'loads of the host',
    text: 'C of the kernel goes on only when it has the value of a load, so what a missing read barrier or a weakened acquire would allow is not noticed.',
    effect: 'may miss failures',
  },
  {
    name: 'references of data pages',
    text: 'A page has a new owner when the scenario says so, although a fault that looked it up would still hold a reference.',
    effect: 'may show failures hardware cannot have',
  },
  {
    name: 'the end of a VM',
    text: 'Where a VM ends, its vCPUs have left every PE before and are not entered again; that the kernel sees to that is not checked. Walks out of context are taken to be impossible there (reading-fill-out-of-context off): with VHE, VTTBR_EL2 still names tables that are freed. One CPU of the host hands out VMIDs, and no vCPU runs when they are used up.',
    effect: 'may miss failures',
  },
  {
    name: 'grace periods',
    text: 'A grace period of RCU ends at a moment in which no other CPU is in a read-side section, not only when those that were inside have left.',
    effect: 'may miss failures',
  },
  {
    name: 'linear map',
    text: "The kernel's own linear map is never changed, so accesses of the host need no translation.",
    effect: 'may miss failures',
  },
  {
    name: 'stage 1 of the guest',
    text: 'The guest does not change its own tables, which lie outside of the range of the operation, and issues no maintenance; a stage-1 fault ends the access.',
    effect: 'may miss failures',
  },
  {
    name: 'stage 1 of processes',
    text: 'Address spaces of processes are those of EL1&0 without stage 2, also where the kernel has VHE and uses EL2&0; one CPU changes them, threads only read and write, and KPTI, kernel mappings and secondary TLBs are left out.',
    effect: 'may miss failures',
  },
  {
    name: 'atomic table counts',
    text: 'Where one thread alone changes tables, page counts are private to it, without the ordering their atomics would add.',
    effect: 'may show failures hardware cannot have',
  },
  {
    name: 'guest without interrupts from the host',
    text: 'A vCPU leaves the guest only by a fault; it is not kicked out, so a PE never reloads its context in between.',
    effect: 'may miss failures',
  },
  {
    name: 'time and cost',
    text: 'Nothing is said about time; counts of TLBIs and barriers can be read from the runs.',
    effect: 'cost only',
  },
  {
    name: 'speculative address translation erratum',
    text: 'The EPD workaround of __tlb_switch_to_guest and its erratum are left out.',
    effect: 'may miss failures',
  },
];

/** What has to be said beside a verdict about these machines: features asked for but not modelled. */
export function notesFor(machines: readonly Features[]): readonly string[] {
  const notes = new Set<string>();
  for (const features of machines) {
    for (const { name, model, read } of FEATURE_DEFINITIONS) {
      if (model.kind === 'not-modelled' && read(features) !== read(DEFAULT_FEATURES)) {
        notes.add(`${name}=${read(features)}: ${model.note}`);
      }
    }
    for (const [key, text] of READINGS) {
      notes.add(`reading ${key}=${features[text.key] ? 'on' : 'off'}: ${text.meaning}`);
    }
  }
  return [...notes];
}

const READINGS: readonly (readonly [string, { key: keyof Features; meaning: string }])[] = [
  [
    'reading-table-drop-by-any-ipa',
    {
      key: 'readingTableDropByAnyIpa',
      meaning:
        'one any-level TLBI by address drops the cached table descriptors above that address',
    },
  ],
  [
    'reading-fill-out-of-context',
    {
      key: 'readingFillOutOfContext',
      meaning: 'EL1&0 translations may be cached while the PE is at EL2',
    },
  ],
];
