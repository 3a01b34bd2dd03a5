import type { Features } from '../../../arm64/features.ts';
import { attempt, type Outcome } from '../diagnostic.ts';
import type { ReadFile } from '../read-file.ts';
import type { Capability, Environment, ObjectField, TableWords } from '../runtime/environment.ts';
import {
  type AppendedText,
  constantOf,
  type Kernel,
  memberOf,
  optionalConstant,
  type Profile,
} from './kernel.ts';
import { stage1Text } from './stage1-flush-text.ts';

/** Sees everything that memory management sees, and holds the generic forms of what it calls. */
const FIRST = 'mm/pgtable-generic.c';
const FLUSH = 'arch/arm64/include/asm/tlbflush.h';
/** What is called of other files; contiguous entries are there from 6.9 on. */
const FURTHER = ['arch/arm64/mm/contpte.c', 'arch/arm64/mm/mmu.c', 'arch/arm64/mm/fault.c'];

/** Capabilities that the code may ask for, and when they are present. */
const CAPABILITIES: readonly (readonly [string, (features: Features) => boolean])[] = [
  ['ARM64_HAS_ARMv8_4_TTL', (features) => features.ttl],
  ['ARM64_HAS_TLB_RANGE', (features) => features.tlbiRange],
  // Cores with level 2 of FEAT_BBM that raise no conflict aborts, which the machine does not model.
  ['ARM64_HAS_BBML2_NOABORT', (features) => features.bbm === 2],
  ['ARM64_ALWAYS_BOOT', () => true],
  ['ARM64_ALWAYS_SYSTEM', () => true],
  // What the machine does not model is absent, and so is each workaround for it.
  ['ARM64_HAS_LPA2', () => false],
  ['ARM64_HAS_VA52', () => false],
  ['ARM64_HAS_CNP', () => false],
  ['ARM64_MTE', () => false],
  ['ARM64_HW_DBM', () => false],
  ['ARM64_UNMAP_KERNEL_AT_EL0', () => false],
  // Cores that need it and that the kernel does not know are a feature of the machine instead.
  ['ARM64_WORKAROUND_REPEAT_TLBI', () => false],
  ['ARM64_WORKAROUND_2645198', () => false],
];

const CONSTANTS: readonly (readonly [string, string])[] = [
  ['struct_page', 'sizeof(struct page)'],
  ['page_size', 'PAGE_SIZE'],
  ['page_offset', 'PAGE_OFFSET'],
  ['vmemmap', 'VMEMMAP_START'],
  ['va_bits', 'VA_BITS'],
  [
    'mair',
    `(MAIR_ATTRIDX(MAIR_ATTR_NORMAL, MT_NORMAL) | MAIR_ATTRIDX(MAIR_ATTR_NORMAL, MT_NORMAL_TAGGED) |
	MAIR_ATTRIDX(MAIR_ATTR_NORMAL_NC, MT_NORMAL_NC) |
	MAIR_ATTRIDX(MAIR_ATTR_DEVICE_nGnRE, MT_DEVICE_nGnRE))`,
  ],
];

const CONSTANT_TEXT = `
${CONSTANTS.map(([name, text]) => `enum { tlbgate_${name} = ${text} };`).join('\n')}
${CAPABILITIES.map(([name]) => `#ifdef ${name}\nenum { tlbgate_cap_${name} = ${name} };\n#endif`).join('\n')}
`;

/** Whether the tree has the stage-1 code of arm64 in the form that this profile knows. */
export function hasStage1Flush(read: ReadFile): boolean {
  return read(FIRST) !== null && /\bflush_tlb_range\s*\(/.test(read(FLUSH) ?? '');
}

/** The profile for one tree: its units, and the text of the scenarios behind the tool's own. */
export function stage1Profile(
  name: string,
  read: ReadFile,
  scenarios: readonly AppendedText[],
): Profile {
  return {
    name,
    units: [FIRST, ...FURTHER.filter((path) => read(path) !== null)],
    appended: [{ path: '<profile>', text: stage1Text(read) + CONSTANT_TEXT }, ...scenarios],
    locks: '',
    vhe: false,
  };
}

/** What stage 1 of the tree's processes looks like to a walker. */
export function stage1Control(kernel: Kernel): { readonly vaBits: number; readonly mair: bigint } {
  return {
    vaBits: Number(constantOf(kernel, 'tlbgate_va_bits')),
    mair: BigInt.asUintN(64, constantOf(kernel, 'tlbgate_mair')),
  };
}

/** A process as a scenario has it, and what the scenario fixes around one host thread. */
export interface ProcessSubject {
  readonly features: Features;
  readonly asid: number;
  readonly tables: Environment['tables'];
  readonly onlyTheseTables?: boolean;
  readonly words: TableWords;
  readonly structWords: ReadonlyMap<bigint, bigint>;
  readonly watchedLines: Environment['watchedLines'];
  readonly watchedIpas: Environment['watchedIpas'];
  readonly reschedule: Environment['reschedule'];
}

/** Number of the lock of the page tables among the locks of the kernel. */
const TABLE_LOCK = 0;

/** Everything around a host thread that works for the process. */
export function stage1Environment(kernel: Kernel, subject: ProcessSubject): Outcome<Environment> {
  return attempt(() => {
    const features = atEl1(subject.features);
    const capabilities = new Map<number, Capability>();
    for (const [name, present] of CAPABILITIES) {
      const number = optionalConstant(kernel, `tlbgate_cap_${name}`);
      if (number === null) continue;
      const capability: Capability = {
        name,
        get present() {
          return present(features);
        },
      };
      capabilities.set(Number(number), capability);
    }
    const constant = (name: string): bigint => constantOf(kernel, `tlbgate_${name}`);
    const unsigned = (name: string): bigint => BigInt.asUintN(64, constant(name));
    return {
      ...subject,
      features,
      linearBase: unsigned('page_offset'),
      linearBytes: 1n << 47n,
      structPages: { base: unsigned('vmemmap'), size: constant('struct_page') },
      pageBytes: constant('page_size'),
      objects: new Map(
        GLOBALS.map((field): [string, readonly ObjectField[]] => [field.name, [field]]),
      ),
      capabilities,
      staticKeys: new Map(),
      sanitised: new Map(),
      registers: new Map([['daif', 0n]]),
      hostBit: 0n,
      countWords: null,
      shared: [],
      cpus: { self: 0, count: 1 },
      hasStructPage: () => null,
      locks: [
        {
          object: 'tlbgate_mm',
          offset: memberOf(kernel, 'struct mm_struct', 'page_table_lock'),
          lock: TABLE_LOCK,
        },
      ],
      vmid: 0,
    };
  });
}

/**
 * The kernel as it runs at EL1, where its TLBIs name EL1&0. A kernel at EL2 with VHE runs the same
 * instructions, which then name EL2&0 (HCR_EL2.{E2H,TGE} = {1,1}), a regime with the same tables and
 * ASIDs; so whether the machine has VHE is not looked at.
 */
function atEl1(features: Features): Features {
  return new Proxy(features, {
    get: (target, field) => (field === 'vhe' ? false : target[field as keyof Features]),
  });
}

/** Globals that the kernel sets at boot, for memory that begins at physical address 0. */
const GLOBALS: readonly ObjectField[] = [
  { name: 'memstart_addr', offset: 0, size: 8, value: 0n },
  { name: 'arm64_use_ng_mappings', offset: 0, size: 1, value: 0n },
];
