import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { programOf, run, textAt } from './run.ts';

/** Differential test: random programs of csmith must print the checksum that gcc's binary prints. */
const SEEDS = Array.from({ length: 8 }, (_, i) => i + 100);
const ready =
  existsSync('/usr/include/csmith/safe_math.h') &&
  has('csmith', '--version') &&
  has('gcc', '-dumpmachine').toString().startsWith('x86_64');

function has(command: string, flag: string): string {
  const { stdout, status } = spawnSync(command, [flag], { encoding: 'utf8' });
  return status === 0 ? stdout : '';
}

/** What the header below needs, for a compiler without a C library. */
const STDINT = `typedef signed char int8_t; typedef short int16_t; typedef int int32_t; typedef long int64_t;
typedef unsigned char uint8_t; typedef unsigned short uint16_t; typedef unsigned int uint32_t;
typedef unsigned long uint64_t;
#define INT8_MIN (-128)
#define INT8_MAX 127
#define UINT8_MAX 255
#define INT16_MIN (-32768)
#define INT16_MAX 32767
#define UINT16_MAX 65535
#define INT32_MIN (-2147483647-1)
#define INT32_MAX 2147483647
#define UINT32_MAX 4294967295U
#define INT64_MIN (-9223372036854775807L-1)
#define INT64_MAX 9223372036854775807L
#define UINT64_MAX 18446744073709551615UL
`;
const LIMITS = `#define CHAR_BIT 8
#define INT_MIN INT32_MIN
#define INT_MAX INT32_MAX
#define FLT_MAX 3.4e+38F
#define DBL_MAX 1.7e+308
extern double ldexp(double, int);
extern double fabs(double);
extern float ldexpf(float, int);
extern float fabsf(float);
`;

/** Stands for csmith's own header: the same checksum for both, over every byte of every global. */
const HEADER = `#include "custom_stdint_x86.h"
#include "custom_limits.h"
#define STATIC static
#define UNDEFINED(__val) (__val)
#define LOG_INDEX
#define LOG_EXEC
#define _CSMITH_BITFIELD(x) ((x>32)?(x%32):x)
#define FUNC_NAME(x) (safe_##x)
#define assert(x)
#include "safe_math.h"
extern int printf(const char *, ...);
extern int strcmp(const char *, const char *);
static uint64_t crc32_context = 0xcbf29ce484222325UL;
static void platform_main_begin(void) {}
static void crc32_gentab(void) {}
static void transparent_crc(uint64_t v, char *name, int flag) {
  for (int i = 0; i < 8; i++, v >>= 8) crc32_context = (crc32_context ^ (v & 255)) * 0x100000001b3UL;
}
static void transparent_crc_bytes(char *p, int n, char *name, int flag) {
  for (int i = 0; i < n; i++) crc32_context = (crc32_context ^ (p[i] & 255)) * 0x100000001b3UL;
}
static void platform_main_end(uint64_t x, int flag) { printf("checksum = %lx\\n", x); }
`;

test.skipIf(!ready)(
  `csmith programs print what gcc's binaries print${ready ? '' : ' (skipped: no csmith or no x86-64 gcc)'}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'tlbgate-'));
    try {
      writeFileSync(join(folder, 'custom_stdint_x86.h'), STDINT);
      writeFileSync(join(folder, 'custom_limits.h'), LIMITS);
      writeFileSync(join(folder, 'csmith.h'), HEADER);
      const started = performance.now();
      let compared = 0;
      for (const seed of SEEDS) {
        if (performance.now() - started > 6000) break;
        const shape = ['--no-float', '--max-funcs', '4', '--max-block-depth', '3', '-o', 'a.c'];
        execFileSync('csmith', ['--seed', String(seed), ...shape], { cwd: folder });
        const flags = ['-w', '-I.', '-I/usr/include/csmith'];
        execFileSync('gcc', ['-O0', '-funsigned-char', ...flags, 'a.c', '-o', 'a'], {
          cwd: folder,
        });
        const host = spawnSync(join(folder, 'a'), [], { timeout: 500, encoding: 'utf8' });
        if (host.status !== 0) continue;
        const text = execFileSync('gcc', ['-E', '-P', ...flags, 'a.c'], { cwd: folder }).toString();
        const program = programOf([text]);
        let printed = '';
        const { end } = run(program, 'main', [1n, 0n], (event) => {
          if (event.kind === 'call' && event.name === 'printf') {
            const format = textAt(program, event.arguments[0] ?? 0n);
            const value = event.arguments[1] ?? 0n;
            printed += format.replace('%lx', value.toString(16));
          }
          return { values: [0n] };
        });
        const sum = (out: string): string =>
          (/checksum = (\w+)/i.exec(out)?.[1] ?? '').toLowerCase();
        if (end.kind === 'stopped' && /may never end/.test(end.diagnostic.message)) continue;
        expect([seed, sum(printed)]).toEqual([seed, sum(host.stdout)]);
        compared += 1;
      }
      expect(compared).toBeGreaterThan(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
