import type { Features } from '../../../arm64/features.ts';
import { attempt, FrontendError, type Outcome } from '../diagnostic.ts';
import type { ReadFile } from '../read-file.ts';
import type { Capability, Environment, ObjectField, TableWords } from '../runtime/environment.ts';
import {
  type AppendedText,
  constantOf,
  type Kernel,
  optionalConstant,
  optionalMember,
  type Profile,
  PROFILE_TEXT,
} from './kernel.ts';
import { faultText, hasFaultPath, KVM_MAIN, NOTIFIER_TEXT } from './kvm-fault-text.ts';
import { dialectOf } from './kvm-pgtable-dialect.ts';
import { pgtableText } from './kvm-pgtable-text.ts';
import { hasVmids, teardownText, VMIDS } from './kvm-teardown-text.ts';

const MMU = 'arch/arm64/kvm/mmu.c';
const PGTABLE = 'arch/arm64/kvm/hyp/pgtable.c';
const VHE_TLB = 'arch/arm64/kvm/hyp/vhe/tlb.c';
const NVHE_TLB = 'arch/arm64/kvm/hyp/nvhe/tlb.c';

/** Capabilities that the stage-2 code may ask for, and when they are present. */
const CAPABILITIES: readonly (readonly [string, (features: Features) => boolean])[] = [
  ['ARM64_HAS_STAGE2_FWB', (features) => features.fwb],
  ['ARM64_HAS_CACHE_DIC', (features) => features.dic],
  ['ARM64_HAS_CACHE_IDC', (features) => features.idc],
  ['ARM64_HAS_VIRT_HOST_EXTN', (features) => features.vhe],
  ['ARM64_HAS_ARMv8_4_TTL', (features) => features.ttl],
  ['ARM64_HAS_TLB_RANGE', (features) => features.tlbiRange],
  ['ARM64_HAS_LPA2', (features) => features.lpa2],
  // Capabilities are final long before a VM runs.
  ['ARM64_ALWAYS_BOOT', () => true],
  ['ARM64_ALWAYS_SYSTEM', () => true],
  // What the machine does not model is absent, and so is each workaround for it.
  ['ARM64_HAS_CNP', () => false],
  ['ARM64_HAS_XNX', () => false],
  ['ARM64_HAS_IRQ_PRIO_MASKING', () => false],
  ['ARM64_HAS_GIC_PRIO_MASKING', () => false],
  ['ARM64_KVM_PROTECTED_MODE', () => false],
  ['ARM64_KVM_HVHE', () => false],
  ['ARM64_MTE', () => false],
  ['ARM64_WORKAROUND_SPECULATIVE_AT', () => false],
  ['ARM64_WORKAROUND_AMPERE_AC03_CPU_38', () => false],
  ['ARM64_WORKAROUND_4193714', () => false],
  // Cores that need it and that the kernel does not know are a feature of the machine instead.
  ['ARM64_WORKAROUND_REPEAT_TLBI', () => false],
];

const CONSTANTS: readonly (readonly [string, string])[] = [
  ['struct_page', 'sizeof(struct page)'],
  ['page_size', 'PAGE_SIZE'],
  ['page_offset', 'PAGE_OFFSET'],
  ['vmemmap', 'VMEMMAP_START'],
  ['hcr_tge', 'HCR_TGE'],
  ['hcr_host', 'HCR_HOST_VHE_FLAGS'],
  ['mmfr0', 'SYS_ID_AA64MMFR0_EL1'],
  ['mmfr1', 'SYS_ID_AA64MMFR1_EL1'],
  ['icache_aliasing', 'ICACHEF_ALIASING'],
];

/**
 * Without VHE a hyp call goes through assembly and SMCCC, which are not run: here it is HVC, the
 * function as written, and ERET.
 */
const HYP_CALL = `#define kvm_call_hyp_nvhe(f, ...) ({ \\
	extern void __tlbgate_hvc(void); extern void __tlbgate_eret(void); \\
	__tlbgate_hvc(); f(__VA_ARGS__); __tlbgate_eret(); })
`;

/** Whether the tree has the files and names that its profile is known by. */
export function hasPgtable(read: ReadFile): boolean {
  return (
    [MMU, PGTABLE, VHE_TLB, NVHE_TLB].every((path) => read(path) !== null) &&
    /\bkvm_pgtable_stage2_unmap\s*\(/.test(read(PGTABLE) ?? '')
  );
}

/** Whether KVM maintains VPIPT instruction caches, which need it at EL2; stable kernels dropped that. */
export function hasVpipt(read: ReadFile): boolean {
  return /vpipt/i.test(read(NVHE_TLB) ?? '');
}

/** The profile for one tree: its units, and the text of the scenarios behind the tool's own. */
export function pgtableProfile(
  name: string,
  vhe: boolean,
  read: ReadFile,
  scenarios: readonly AppendedText[],
): Profile {
  const faults = hasFaultPath(read);
  const vmids = hasVmids(read);
  const text = [
    pgtableText(dialectOf(read), vmids),
    faults ? faultText(read) : '',
    vmids ? teardownText(read) : '',
    CONSTANT_TEXT,
  ];
  return {
    name,
    units: [
      MMU,
      PGTABLE,
      vhe ? VHE_TLB : NVHE_TLB,
      ...(faults ? [KVM_MAIN] : []),
      ...(vmids ? [VMIDS] : []),
    ],
    appended: [{ path: PROFILE_TEXT, text: text.join('') }, ...scenarios],
    furtherTexts: new Map(faults ? [[KVM_MAIN, NOTIFIER_TEXT]] : []),
    locks: HYP_CALL,
    vhe,
  };
}

const CONSTANT_TEXT = `
${CONSTANTS.map(([name, text]) => `enum { tlbgate_${name} = ${text} };`).join('\n')}
${CAPABILITIES.map(([name]) => `#ifdef ${name}\nenum { tlbgate_cap_${name} = ${name} };\n#endif`).join('\n')}
#ifdef ICACHEF_VPIPT
enum { tlbgate_icache_vpipt = ICACHEF_VPIPT };
#endif
`;

/** A VM as a scenario has it, and what the scenario fixes around one host thread. */
export interface PgtableSubject {
  readonly features: Features;
  readonly vmid: number;
  readonly tables: Environment['tables'];
  readonly onlyTheseTables?: boolean;
  readonly words: TableWords;
  readonly countWords: Environment['countWords'];
  readonly shared: Environment['shared'];
  readonly cpus: Environment['cpus'];
  readonly hasStructPage: Environment['hasStructPage'];
  readonly watchedLines: Environment['watchedLines'];
  readonly watchedIpas: Environment['watchedIpas'];
  readonly reschedule: Environment['reschedule'];
}

/** Members of `struct kvm` that are locks, in places of the list of `LOCK_NAMES`. */
const VM_LOCKS: readonly (readonly [string, number])[] = [
  ['mmu_lock', 0],
  ['mn_invalidate_lock', 2],
];

/** The locks of the kernel by their numbers; RCU matters to more than one CPU only. */
export const LOCK_NAMES: readonly string[] = ['mmu_lock', 'RCU', 'mn_invalidate_lock'];

/** Everything around a host thread that works for the VM. */
export function pgtableEnvironment(kernel: Kernel, subject: PgtableSubject): Outcome<Environment> {
  return attempt(() => {
    const { features } = subject;
    const capabilities = new Map<number, Capability>();
    for (const [name, present] of CAPABILITIES) {
      const number = optionalConstant(kernel, `tlbgate_cap_${name}`);
      if (number !== null) capabilities.set(Number(number), { name, present: present(features) });
    }
    const constant = (name: string): bigint => constantOf(kernel, `tlbgate_${name}`);
    const unsigned = (name: string): bigint => BigInt.asUintN(64, constant(name));
    return {
      linearBase: unsigned('page_offset'),
      linearBytes: 1n << 47n,
      structPages: { base: unsigned('vmemmap'), size: constant('struct_page') },
      pageBytes: constant('page_size'),
      objects: new Map(
        [...GLOBALS, icacheFlags(kernel, features), ...hostData(kernel)].map(
          (field): [string, readonly ObjectField[]] => [field.object, [field]],
        ),
      ),
      capabilities,
      staticKeys: new Map(STATIC_KEYS.map((name) => [name, { name, present: false }])),
      sanitised: new Map([
        [unsigned('mmfr0'), { name: 'ID_AA64MMFR0_EL1', value: parange(features) }],
        // 8-bit VMIDs, and nothing else that stage 2 asks for.
        [unsigned('mmfr1'), { name: 'ID_AA64MMFR1_EL1', value: 0n }],
      ]),
      registers: new Map([
        ['daif', 0n],
        ['vttbr_el2', 0n],
        ['hcr_el2', features.vhe ? unsigned('hcr_host') : 0n],
        ['ctr_el0', cacheType(features)],
        ['tpidr_el1', 0n],
        ['tpidr_el2', 0n],
      ]),
      hostBit: constant('hcr_tge'),
      // No thread holds the locks of two VMs at a time, so they may be the same.
      locks: ['tlbgate_kvm', 'tlbgate_second'].flatMap((object) =>
        VM_LOCKS.flatMap(([member, lock]) => {
          const offset = optionalMember(kernel, 'struct kvm', member);
          return offset === null ? [] : [{ object, offset, lock }];
        }),
      ),
      ...subject,
    };
  });
}

/** Static keys that stay disabled: no protected KVM, no interrupt priorities of the GIC. */
const STATIC_KEYS: readonly string[] = [
  'kvm_protected_mode_initialized',
  'gic_nonsecure_priorities',
];

/** A value that nobody changes, in an object of file scope. */
interface Global extends ObjectField {
  readonly object: string;
}

/** Globals that the kernel sets at boot, for memory that begins at physical address 0. */
const GLOBALS: readonly Global[] = [
  { object: 'memstart_addr', name: 'memstart_addr', offset: 0, size: 8, value: 0n },
  // Kernels built for 48 bits of VA have no others; up to 5.10 they ask all the same.
  { object: 'vabits_actual', name: 'vabits_actual', offset: 0, size: 8, value: 48n },
  { object: 'kvm_arm_vmid_bits', name: 'kvm_arm_vmid_bits', offset: 0, size: 4, value: 8n },
  // One CPU, as far as whoever hands out VMIDs can tell.
  { object: 'nr_cpu_ids', name: 'nr_cpu_ids', offset: 0, size: 4, value: 1n },
  { object: '__num_possible_cpus', name: '__num_possible_cpus', offset: 0, size: 4, value: 1n },
  { object: '__cpu_possible_mask', name: '__cpu_possible_mask', offset: 0, size: 32, value: 1n },
  { object: '__per_cpu_offset', name: '__per_cpu_offset', offset: 0, size: 8, value: 0n },
];

/** What the kernel has found out about instruction caches; one it does not know is taken for VIPT. */
function icacheFlags(kernel: Kernel, { icache }: Features): Global {
  const bit = (flag: bigint): bigint => 1n << flag;
  const vpipt = optionalConstant(kernel, 'tlbgate_icache_vpipt');
  const aliasing = bit(constantOf(kernel, 'tlbgate_icache_aliasing'));
  const values = {
    pipt: 0n,
    vipt: aliasing,
    vpipt: vpipt === null ? aliasing : bit(vpipt),
  } as const;
  const name = '__icache_flags';
  return { object: name, name, offset: 0, size: 8, value: values[icache] };
}

/** What EL2 code knows of the PE it runs on: no vCPU is running there. */
function hostData(kernel: Kernel): readonly Global[] {
  const context = optionalMember(kernel, 'struct kvm_host_data', 'host_ctxt');
  const running = optionalMember(kernel, 'struct kvm_cpu_context', '__hyp_running_vcpu');
  if (context === null || running === null) return [];
  const name = 'kvm_host_data.host_ctxt.__hyp_running_vcpu';
  return [{ object: 'kvm_host_data', name, offset: context + running, size: 8, value: 0n }];
}

/** CTR_EL0 with lines of 64 bytes: IDC, DIC, the I-cache policy, DminLine and IminLine. */
function cacheType({ idc, dic, icache }: Features): bigint {
  const policy = { vpipt: 0n, vipt: 2n, pipt: 3n }[icache];
  const flags = (dic ? 1n << 29n : 0n) | (idc ? 1n << 28n : 0n);
  return (1n << 31n) | flags | (4n << 16n) | (policy << 14n) | 4n;
}

/** ID_AA64MMFR0_EL1.PARange; all granules are supported with the value 0 for 4K. */
function parange({ ipaBits }: Features): bigint {
  const value = [32, 36, 40, 42, 44, 48, 52].indexOf(ipaBits);
  if (value < 0) throw new FrontendError('<profile>', 0, 0, `no PARange for ${ipaBits} bits`);
  return BigInt(value);
}
