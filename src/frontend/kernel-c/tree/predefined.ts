/**
 * What gcc for arm64 defines by itself, as far as kernel headers ask for it, and what kbuild adds on the
 * command line. Version 12.2 is named because every tree from v5.1 on accepts it.
 */
export function predefinedMacros(unit: string): string {
  const base = (unit.split('/').at(-1) ?? unit).replace(/\.c$/, '');
  const word = base.replace(/\W/g, '_');
  return `${COMPILER}
#define __KERNEL__ 1
#define KBUILD_MODFILE "${unit.replace(/\.c$/, '')}"
#define KBUILD_BASENAME "${word}"
#define KBUILD_MODNAME "${word}"
#define __KBUILD_MODNAME kmod_${word}
#define KASAN_SHADOW_SCALE_SHIFT
#define CC_USING_PATCHABLE_FUNCTION_ENTRY 1
${unit.includes('/nvhe/') ? NVHE : ''}${unit.includes('/vhe/') ? VHE : ''}`;
}

const NVHE =
  '#define __KVM_NVHE_HYPERVISOR__ 1\n#define __DISABLE_EXPORTS 1\n#define DISABLE_BRANCH_PROFILING 1\n';
const VHE = '#define __KVM_VHE_HYPERVISOR__ 1\n';

const COMPILER = `#define __STDC__ 1
#define __STDC_VERSION__ 201112L
#define __STDC_HOSTED__ 1
#define __GNUC__ 12
#define __GNUC_MINOR__ 2
#define __GNUC_PATCHLEVEL__ 0
#define __VERSION__ "12.2.0"
#define __OPTIMIZE__ 1
#define __GNUC_STDC_INLINE__ 1
#define __LP64__ 1
#define _LP64 1
#define __aarch64__ 1
#define __AARCH64EL__ 1
#define __ARM_ARCH 8
#define __ARM_64BIT_STATE 1
#define __linux__ 1
#define __linux 1
#define linux 1
#define __unix__ 1
#define __unix 1
#define unix 1
#define __gnu_linux__ 1
#define __ELF__ 1
#define __CHAR_UNSIGNED__ 1
#define __CHAR_BIT__ 8
#define __ORDER_LITTLE_ENDIAN__ 1234
#define __ORDER_BIG_ENDIAN__ 4321
#define __ORDER_PDP_ENDIAN__ 3412
#define __BYTE_ORDER__ __ORDER_LITTLE_ENDIAN__
#define __SIZEOF_SHORT__ 2
#define __SIZEOF_INT__ 4
#define __SIZEOF_LONG__ 8
#define __SIZEOF_LONG_LONG__ 8
#define __SIZEOF_POINTER__ 8
#define __SIZEOF_SIZE_T__ 8
#define __SIZEOF_PTRDIFF_T__ 8
#define __SIZEOF_WCHAR_T__ 4
#define __SIZEOF_INT128__ 16
#define __SIZE_TYPE__ long unsigned int
#define __PTRDIFF_TYPE__ long int
#define __WCHAR_TYPE__ unsigned int
#define __INTPTR_TYPE__ long int
#define __UINTPTR_TYPE__ long unsigned int
#define __INT8_TYPE__ signed char
#define __INT16_TYPE__ short int
#define __INT32_TYPE__ int
#define __INT64_TYPE__ long int
#define __UINT8_TYPE__ unsigned char
#define __UINT16_TYPE__ short unsigned int
#define __UINT32_TYPE__ unsigned int
#define __UINT64_TYPE__ long unsigned int
#define __SCHAR_MAX__ 0x7f
#define __SHRT_MAX__ 0x7fff
#define __INT_MAX__ 0x7fffffff
#define __LONG_MAX__ 0x7fffffffffffffffL
#define __LONG_LONG_MAX__ 0x7fffffffffffffffLL
#define __SIZE_MAX__ 0xffffffffffffffffUL
#define __INT_WIDTH__ 32
#define __LONG_WIDTH__ 64
#define __BIGGEST_ALIGNMENT__ 16
#define __GCC_HAVE_DWARF2_CFI_ASM 1
#define __GCC_ASM_FLAG_OUTPUTS__ 1
#define __REGISTER_PREFIX__
#define __USER_LABEL_PREFIX__
`;
