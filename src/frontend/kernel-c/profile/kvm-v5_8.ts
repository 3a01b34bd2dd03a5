import type { Features } from '../../../arm64/features.ts';
import { attempt, type Outcome } from '../diagnostic.ts';
import type { Capability, Environment, ObjectField } from '../runtime/environment.ts';
import type { ReadFile } from '../read-file.ts';
import {
  type AppendedText,
  constantOf,
  type Kernel,
  memberOf,
  optionalConstant,
  type Profile,
  PROFILE_TEXT,
} from './kernel.ts';
import { KVM_MAIN } from './kvm-fault-text.ts';
import { hasLegacyFaults, LEGACY_NOTIFIER_TEXT, legacyFaultText } from './kvm-legacy-fault-text.ts';
import { ARM, ARM_TEXT, FILE_VMS, hasLegacyFiles, LEGACY_TEXT } from './kvm-legacy-text.ts';
import type { PgtableSubject } from './kvm-pgtable.ts';

/** The entry of the profile: `tlbgate_unmap(start, size)` under `mmu_lock`. */
export const UNMAP_ENTRY = 'tlbgate_unmap';

/** Capabilities that the stage-2 code of v5.8 may ask for, and when they are present. */
const CAPABILITIES: readonly (readonly [string, (features: Features) => boolean])[] = [
  ['ARM64_HAS_STAGE2_FWB', (features) => features.fwb],
  ['ARM64_HAS_CACHE_DIC', (features) => features.dic],
  ['ARM64_HAS_VIRT_HOST_EXTN', (features) => features.vhe],
  // What the machine does not model is absent, and so is each workaround for it.
  ['ARM64_HAS_CNP', () => false],
  ['ARM64_HAS_IRQ_PRIO_MASKING', () => false],
  ['ARM64_WORKAROUND_SPECULATIVE_AT', () => false],
  // Cores that need it and that v5.8 does not know are a feature of the machine instead.
  ['ARM64_WORKAROUND_REPEAT_TLBI', () => false],
];

const CONSTANTS: readonly (readonly [string, string])[] = [
  ['struct_page', 'sizeof(struct page)'],
  ['page_size', 'PAGE_SIZE'],
  ['hcr_tge', 'HCR_TGE'],
  ['hcr_host', 'HCR_HOST_VHE_FLAGS'],
  ['vtcr_ha', 'VTCR_EL2_HA'],
  ['sl0_2', 'VTCR_EL2_LVLS_TO_SL0(2)'],
  ['sl0_3', 'VTCR_EL2_LVLS_TO_SL0(3)'],
  ['sl0_4', 'VTCR_EL2_LVLS_TO_SL0(4)'],
  ['icache_vpipt', 'ICACHEF_VPIPT'],
];

/** What scenario files need beside. */
const FILE_CONSTANTS = 'enum { tlbgate_mmfr1 = SYS_ID_AA64MMFR1_EL1 };\n';

/**
 * Without VHE a hyp call goes through assembly and a variadic stub, which are not run: here it is
 * HVC, the function as written, and ERET.
 */
const HYP_CALL = `#define kvm_call_hyp(f, ...) ({ \\
	extern void __tlbgate_hvc(void); extern void __tlbgate_eret(void); \\
	__tlbgate_hvc(); f(__VA_ARGS__); __tlbgate_eret(); })
`;

const APPENDED = `
extern struct kvm tlbgate_kvm;
void ${UNMAP_ENTRY}(phys_addr_t start, u64 size)
{
	spin_lock(&tlbgate_kvm.mmu_lock);
	unmap_stage2_range(&tlbgate_kvm, start, size);
	spin_unlock(&tlbgate_kvm.mmu_lock);
}
${CONSTANTS.map(([name, text]) => `enum { tlbgate_${name} = ${text} };`).join('\n')}
${CAPABILITIES.map(([name]) => `#ifdef ${name}\nenum { tlbgate_cap_${name} = ${name} };\n#endif`).join('\n')}
`;

/** KVM's stage 2 of v5.8 with VHE: `mmu.c` walks and `hyp/tlb.c` invalidates. */
export const KVM_V5_8: Profile = {
  name: 'kvm-s2-legacy',
  units: ['arch/arm64/kvm/mmu.c', 'arch/arm64/kvm/hyp/tlb.c'],
  appended: [{ path: '<profile>', text: APPENDED }],
  locks: '',
  vhe: true,
};

/** The same for a host that runs at EL1. */
export const KVM_V5_8_NVHE: Profile = {
  ...KVM_V5_8,
  name: 'kvm-s2-legacy-nvhe',
  locks: HYP_CALL,
  vhe: false,
};

/** The profile for a tree that can have scenario files, with their texts; any other one stays as it is. */
export function legacyProfile(
  vhe: boolean,
  read: ReadFile,
  scenarios: readonly AppendedText[],
): Profile {
  const profile = vhe ? KVM_V5_8 : KVM_V5_8_NVHE;
  if (!hasLegacyFiles(read)) return profile;
  const faults = hasLegacyFaults(read);
  const text = [APPENDED, LEGACY_TEXT, faults ? legacyFaultText(read) : '', FILE_CONSTANTS];
  const furtherTexts: readonly (readonly [string, string])[] = [
    [ARM, ARM_TEXT],
    ...(faults ? [[KVM_MAIN, LEGACY_NOTIFIER_TEXT] as const] : []),
  ];
  return {
    ...profile,
    units: [...profile.units, ...furtherTexts.map(([unit]) => unit)],
    appended: [{ path: PROFILE_TEXT, text: text.join('') }, ...scenarios],
    furtherTexts: new Map(furtherTexts),
  };
}

/** Everything around a host thread of v5.8 that works for the VM of a scenario file. */
export function legacyFileEnvironment(
  kernel: Kernel,
  subject: PgtableSubject,
): Outcome<Environment> {
  return attempt(() => {
    const made = kvmEnvironment(kernel, {
      ...subject,
      ipaBits: subject.features.ipaBits,
      levels: 3,
      root: 0n,
      words: new Set(),
      lock: 0,
    });
    if (made.kind === 'failed') throw new Error(made.diagnostic.message);
    const registers: readonly (readonly [string, bigint])[] = [
      ['tpidr_el1', 0n],
      ['tpidr_el2', 0n],
    ];
    return {
      ...made.value,
      ...subject,
      registers: new Map([...made.value.registers, ...registers]),
      sanitised: new Map([
        // 8-bit VMIDs, and nothing else that stage 2 asks for.
        [constantOf(kernel, 'tlbgate_mmfr1'), { name: 'ID_AA64MMFR1_EL1', value: 0n }],
      ]),
      // One CPU never holds two of them at a time, so they may be the same.
      locks: [
        { object: 'kvm_vmid_lock', offset: 0, lock: 0 },
        ...FILE_VMS.map((object) => ({
          object,
          offset: memberOf(kernel, 'struct kvm', 'mmu_lock'),
          lock: 0,
        })),
      ],
    };
  });
}

/** A VM as a scenario has it, and what the scenario fixes around one host thread. */
export interface KvmSubject {
  readonly features: Features;
  readonly vmid: number;
  readonly ipaBits: number;
  /** Levels of the stage-2 tree. */
  readonly levels: number;
  /** Physical address of the first root table. */
  readonly root: bigint;
  readonly tables: Environment['tables'];
  readonly words: ReadonlySet<bigint>;
  readonly hasStructPage: Environment['hasStructPage'];
  readonly watchedLines: Environment['watchedLines'];
  readonly lock: number;
  readonly reschedule: Environment['reschedule'];
}

/** Addresses of v5.8 with 48 bits: linear map and array of `struct page`. Only their order matters. */
const LINEAR_BASE = 0xffff_0000_0000_0000n;
const LINEAR_BYTES = 1n << 47n;
const STRUCT_PAGES = 0xffff_fdff_ffe0_0000n;

/** Everything around a host thread of v5.8 that works for the VM. */
export function kvmEnvironment(kernel: Kernel, subject: KvmSubject): Outcome<Environment> {
  return attempt(() => {
    const { features } = subject;
    const capabilities = new Map<number, Capability>();
    for (const [name, present] of CAPABILITIES) {
      const number = optionalConstant(kernel, `tlbgate_cap_${name}`);
      if (number === null) continue;
      // Only what the code asks for is looked up, so that other features are seen not to matter.
      capabilities.set(Number(number), {
        name,
        get present() {
          return present(features);
        },
      });
    }
    return {
      features,
      linearBase: LINEAR_BASE,
      linearBytes: LINEAR_BYTES,
      structPages: { base: STRUCT_PAGES, size: constantOf(kernel, 'tlbgate_struct_page') },
      pageBytes: constantOf(kernel, 'tlbgate_page_size'),
      objects: new Map([
        ['tlbgate_kvm', kvmFields(kernel, subject)],
        ...globals(kernel, features).map((field): [string, readonly ObjectField[]] => [
          field.name,
          [field],
        ]),
      ]),
      capabilities,
      registers: new Map([
        ['daif', 0n],
        ['vttbr_el2', 0n],
        ['hcr_el2', features.vhe ? constantOf(kernel, 'tlbgate_hcr_host') : 0n],
      ]),
      hostBit: constantOf(kernel, 'tlbgate_hcr_tge'),
      tables: subject.tables,
      words: { kind: 'shared', filled: subject.words },
      shared: [],
      countWords: null,
      cpus: { self: 0, count: 1 },
      staticKeys: new Map(),
      sanitised: new Map(),
      watchedIpas: [],
      hasStructPage: subject.hasStructPage,
      watchedLines: subject.watchedLines,
      locks: [
        {
          object: 'tlbgate_kvm',
          offset: memberOf(kernel, 'struct kvm', 'mmu_lock'),
          lock: subject.lock,
        },
      ],
      reschedule: subject.reschedule,
      vmid: subject.vmid,
    };
  });
}

function kvmFields(kernel: Kernel, subject: KvmSubject): readonly ObjectField[] {
  const arch = memberOf(kernel, 'struct kvm', 'arch');
  const field = (member: string, size: number, value: bigint, inside = 0): ObjectField => ({
    name: `kvm->arch.${member}`,
    offset: arch + memberOf(kernel, 'struct kvm_arch', member) + inside,
    size,
    value,
  });
  return [
    field('vmid', 4, BigInt(subject.vmid), memberOf(kernel, 'struct kvm_vmid', 'vmid')),
    field('pgd', 8, LINEAR_BASE + subject.root),
    field('pgd_phys', 8, subject.root),
    field('vtcr', 8, controlOf(kernel, subject)),
  ];
}

/** VTCR_EL2 as far as the C and the machine read it. */
function controlOf(kernel: Kernel, { features, ipaBits, levels }: KvmSubject): bigint {
  const start = constantOf(kernel, `tlbgate_sl0_${levels}`);
  const flag = features.s2Hafdbs === 'none' ? 0n : constantOf(kernel, 'tlbgate_vtcr_ha');
  return BigInt(64 - ipaBits) | start | flag;
}

/** Globals that the kernel sets at boot, for memory that begins at physical address 0. */
function globals(kernel: Kernel, features: Features): readonly ObjectField[] {
  const vpipt = 1n << constantOf(kernel, 'tlbgate_icache_vpipt');
  const field = (name: string, value: bigint): ObjectField => ({ name, offset: 0, size: 8, value });
  return [
    field('memstart_addr', 0n),
    field('vabits_actual', 48n),
    field('physvirt_offset', BigInt.asUintN(64, -LINEAR_BASE)),
    field('vmemmap', STRUCT_PAGES),
    {
      name: '__icache_flags',
      offset: 0,
      size: 8,
      get value() {
        return features.icache === 'vpipt' ? vpipt : 0n;
      },
    },
  ];
}
