import type { Overlay, ReadFile } from '../read-file.ts';
import { autoconf, type Config } from './config.ts';
import { sysregDefinitions } from './sysreg.ts';

const GENERATED = 'arch/arm64/include/generated/asm';

/**
 * The headers that `make` would generate, for those that the tree does not hold: a prepared tree is
 * used as it is. Values that only decide sizes nobody compares are chosen plainly.
 */
export function generatedHeaders(read: ReadFile, config: Config): Overlay {
  const made = new Map<string, string>();
  const offer = (path: string, text: () => string): void => {
    if (read(path) === null) made.set(path, text());
  };
  offer('include/generated/autoconf.h', () => autoconf(config));
  offer('include/generated/bounds.h', () => bounds(config));
  offer('include/generated/timeconst.h', () => timeConstants(config));
  offer('include/generated/utsrelease.h', () => '#define UTS_RELEASE "0.0.0"\n');
  offer('include/generated/asm-offsets.h', () => '');
  offer('include/generated/vdso-offsets.h', () => '');
  offer('include/generated/rq-offsets.h', () => '#define RQ_nr_pinned 0\n');
  offer('include/stdarg.h', () => STDARG);
  for (const name of ['unistd_32.h', 'unistd_64.h', 'unistd_compat_32.h', 'kernel-hwcap.h']) {
    offer(`${GENERATED}/${name}`, () => '');
  }
  const capabilities = read('arch/arm64/tools/cpucaps');
  if (capabilities !== null) {
    offer(`${GENERATED}/cpucaps.h`, () => cpuCapabilities(capabilities));
    offer(`${GENERATED}/cpucap-defs.h`, () => cpuCapabilities(capabilities));
  }
  const path = 'arch/arm64/tools/sysreg';
  const registers = read(path);
  if (registers !== null) {
    offer(`${GENERATED}/sysreg-defs.h`, () => sysregDefinitions(registers, path));
  }
  // A tree that has the header in its sources must not find a generated one before it.
  if (read('arch/arm64/include/asm/cpucaps.h') !== null) made.delete(`${GENERATED}/cpucaps.h`);
  return made;
}

/** `asm/cpucaps.h`: a number for each name of the tree's list, in its order. */
export function cpuCapabilities(text: string): string {
  const names = text.split('\n').filter((line) => /^[vA-Z0-9_]+$/.test(line));
  const lines = names.map((name, i) => `#define ARM64_${name} ${i}`);
  return `${lines.join('\n')}\n#define ARM64_NCAPS ${names.length}\n`;
}

function bounds(config: Config): string {
  const cpus = Number(config.get('NR_CPUS') ?? '1');
  return `#define NR_PAGEFLAGS 25
#define MAX_NR_ZONES 4
#define NR_CPUS_BITS ${Math.ceil(Math.log2(Math.max(1, cpus)))}
#define SPINLOCK_SIZE 4
#define LRU_GEN_WIDTH 0
#define __LRU_REFS_WIDTH 0
`;
}

function timeConstants(config: Config): string {
  const hz = Number(config.get('HZ') ?? '250');
  return `#define HZ_TO_MSEC_MUL32 U64_C(0x80000000)
#define HZ_TO_MSEC_ADJ32 U64_C(0x0)
#define HZ_TO_MSEC_SHR32 29
#define MSEC_TO_HZ_MUL32 U64_C(0x80000000)
#define MSEC_TO_HZ_ADJ32 U64_C(0x180000000)
#define MSEC_TO_HZ_SHR32 33
#define HZ_TO_MSEC_NUM ${1000 / gcd(1000, hz)}
#define HZ_TO_MSEC_DEN ${hz / gcd(1000, hz)}
#define MSEC_TO_HZ_NUM ${hz / gcd(1000, hz)}
#define MSEC_TO_HZ_DEN ${1000 / gcd(1000, hz)}
#define HZ_TO_USEC_NUM ${1_000_000 / hz}
#define HZ_TO_USEC_DEN 1
#define USEC_TO_HZ_NUM 1
#define USEC_TO_HZ_DEN ${1_000_000 / hz}
#define HZ_TO_NSEC_NUM ${1_000_000_000 / hz}
#define HZ_TO_NSEC_DEN 1
#define NSEC_TO_HZ_NUM 1
#define NSEC_TO_HZ_DEN ${1_000_000_000 / hz}
`;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

const STDARG = `#ifndef _TLBGATE_STDARG_H
#define _TLBGATE_STDARG_H
typedef __builtin_va_list va_list;
#define va_start(v, l) __builtin_va_start(v, l)
#define va_end(v) __builtin_va_end(v)
#define va_arg(v, T) __builtin_va_arg(v, T)
#define va_copy(d, s) __builtin_va_copy(d, s)
#endif
`;
