import { describe, expect, test } from 'vitest';
import { applyPatch } from '../../../../src/frontend/kernel-c/patch/apply-patch.ts';
import { parsePatch } from '../../../../src/frontend/kernel-c/patch/parse-patch.ts';
import { cpuCapabilities } from '../../../../src/frontend/kernel-c/tree/generated-headers.ts';
import {
  openKernelTree,
  preprocessUnit,
} from '../../../../src/frontend/kernel-c/tree/kernel-tree.ts';
import { sysregDefinitions } from '../../../../src/frontend/kernel-c/tree/sysreg.ts';
import { spellings } from '../units.ts';

/** A tree in kernel style, written by us: just enough for the include rules to show. */
const TREE: Readonly<Record<string, string>> = {
  'include/linux/kconfig.h': '#include <generated/autoconf.h>\n',
  'include/linux/compiler_types.h': '#define __user\n',
  'include/asm-generic/bug.h': '#define BUG_ON(c) trap(c)\n#define BUILD_BUG_ON(c) assert(c)\n',
  'arch/arm64/include/asm/page.h': '#define PAGE_SHIFT CONFIG_ARM64_PAGE_SHIFT\n',
  'arch/arm64/tools/cpucaps': '# comment\n\nHAS_FWB\nWORKAROUND_X\n',
  'arch/arm64/tools/sysreg':
    'Sysreg\tVTCR_EL2\t3\t4\t2\t1\t2\nRes0\t63:20\nEnum\t19:16\tPS\n\t0b0000\t32\n\t0b0101\t48\nEndEnum\nUnsignedEnum\t15:14\tTG0\n\t0b00\tK4\nEndEnum\nField\t13\tHA\nRes1\t12\nRes0\t11:0\nEndSysreg\n',
  'mm/unmap.c':
    '#include <asm/bug.h>\n#include <asm/page.h>\n#include <asm/cpucaps.h>\n#include <asm/sysreg-defs.h>\nBUG_ON(x); BUILD_BUG_ON(y); PAGE_SHIFT ARM64_WORKAROUND_X VTCR_EL2_PS_48 KBUILD_MODNAME\n',
};

const read = (path: string): string | null => TREE[path] ?? null;

describe('a bare tree', () => {
  test('generated headers are made up, asm/bug.h is the generic one, the config is ours', () => {
    const tree = openKernelTree(read);
    expect(tree.synthesised).toContain('include/generated/autoconf.h');
    expect(tree.synthesised).toContain('arch/arm64/include/generated/asm/sysreg-defs.h');
    expect(spellings(preprocessUnit(tree, 'mm/unmap.c'))).toBe(
      'trap ( x ) ; assert ( y ) ; 12 1 UL ( 0b0101 ) "unmap"',
    );
  });

  test('what the tree holds is used as it is', () => {
    const own = (path: string): string | null =>
      path === 'include/generated/autoconf.h' ? '#define CONFIG_ARM64_PAGE_SHIFT 16\n' : read(path);
    const tree = openKernelTree(own);
    expect(tree.synthesised).not.toContain('include/generated/autoconf.h');
    expect(spellings(preprocessUnit(tree, 'mm/unmap.c'))).toContain('; 16 1');
  });

  test('locked macros stand in front of the tree, and it is said what they hide', () => {
    const result = preprocessUnit(openKernelTree(read), 'mm/unmap.c', { locks: 'standard' });
    const text = spellings(result);
    expect(text).toContain('void __tlbgate_bug ( void ) ;');
    expect(text).toContain('do { if ( x ) __tlbgate_bug ( ) ; } while ( 0 ) ; ( ( void ) 0 ) ;');
    expect(result.kind === 'ok' && result.value.ignoredDefinitions).toMatchObject([
      { name: 'BUG_ON', place: { file: 'include/asm-generic/bug.h', line: 1 } },
      { name: 'BUILD_BUG_ON', place: { file: 'include/asm-generic/bug.h', line: 2 } },
    ]);
  });

  test('a patch of a header is seen through the overlay', () => {
    const diff =
      '--- a/arch/arm64/include/asm/page.h\n+++ b/arch/arm64/include/asm/page.h\n@@ -1 +1 @@\n-#define PAGE_SHIFT CONFIG_ARM64_PAGE_SHIFT\n+#define PAGE_SHIFT 14\n';
    const { overlay } = applyPatch(parsePatch(diff), read);
    const tree = openKernelTree(read, { overlay });
    expect(spellings(preprocessUnit(tree, 'mm/unmap.c'))).toContain('; 14 1');
  });

  test('a folder that is no kernel tree is one sentence', () => {
    const result = preprocessUnit(
      openKernelTree(() => null),
      'mm/unmap.c',
    );
    expect(result).toMatchObject({
      kind: 'failed',
      diagnostic: { message: 'the tree has no file mm/unmap.c: is it a kernel tree?' },
    });
  });
});

test('capabilities are numbered in the order of the list', () => {
  expect(cpuCapabilities(TREE['arch/arm64/tools/cpucaps'] ?? '')).toBe(
    '#define ARM64_HAS_FWB 0\n#define ARM64_WORKAROUND_X 1\n#define ARM64_NCAPS 2\n',
  );
});

describe('system registers', () => {
  test('encodings, fields, values and reserved bits', () => {
    const text = sysregDefinitions(TREE['arch/arm64/tools/sysreg'] ?? '', 'sysreg');
    for (const line of [
      '#define REG_VTCR_EL2 S3_4_C2_C1_2',
      '#define SYS_VTCR_EL2 sys_reg(3, 4, 2, 1, 2)',
      '#define VTCR_EL2_PS GENMASK(19, 16)',
      '#define VTCR_EL2_TG0_SIGNED false',
      '#define VTCR_EL2_HA_SHIFT 13',
      '#define VTCR_EL2_HA_WIDTH 1',
      '#define VTCR_EL2_RES0 (UL(0) | GENMASK_ULL(63, 20) | GENMASK_ULL(11, 0))',
      '#define VTCR_EL2_RES1 (UL(0) | GENMASK_ULL(12, 12))',
    ]) {
      expect(text).toContain(`${line}\n`);
    }
  });

  test('fields of a feature have its name in front', () => {
    const text = sysregDefinitions(
      'Sysreg\tA\t3\t0\t0\t0\t0\nPrefix\tFEAT_X\nRes0\t63:1\nEnum\t0\tF\n\t0b1\tON\nEndEnum\nEndPrefix\nRes0\t63:2\nField\t1:0\tF\nEndSysreg',
      'sysreg',
    );
    for (const line of [
      '#define FEAT_X_A_F GENMASK(0, 0)',
      '#define FEAT_X_A_F_ON UL(0b1)',
      '#define FEAT_X_A_RES0 (UL(0) | GENMASK_ULL(63, 1))',
      '#define A_F GENMASK(1, 0)',
      '#define A_RES0 (UL(0) | GENMASK_ULL(63, 2))',
    ]) {
      expect(text).toContain(`${line}\n`);
    }
  });

  test('a value that only begins in binary is passed on, as the script of the tree does', () => {
    const text = 'Sysreg A 3 0 0 0 0\nEnum 3:0 F\n0b0002 TWO\nEndEnum\nRes0 63:4\nEndSysreg';
    expect(sysregDefinitions(text, 'sysreg')).toContain('#define A_F_TWO UL(0b0002)\n');
  });

  test('a statement that is not known is named', () => {
    expect(() => sysregDefinitions('Sysreg A 3 0 0 0 0\nFrob 1', 'tools/sysreg')).toThrow(
      'tools/sysreg:2:1: "Frob 1": this statement is not known',
    );
  });
});
