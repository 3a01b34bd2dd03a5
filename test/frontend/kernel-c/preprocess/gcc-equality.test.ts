import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { lexFile } from '../../../../src/frontend/kernel-c/preprocess/lex.ts';
import {
  createSymbols,
  type Symbols,
} from '../../../../src/frontend/kernel-c/preprocess/symbols.ts';
import { textAt } from '../../../../src/frontend/kernel-c/preprocess/token-stream.ts';
import { defaultConfig } from '../../../../src/frontend/kernel-c/tree/config.ts';
import { generatedHeaders } from '../../../../src/frontend/kernel-c/tree/generated-headers.ts';
import {
  openKernelTree,
  preprocessUnit,
} from '../../../../src/frontend/kernel-c/tree/kernel-tree.ts';
import { predefinedMacros } from '../../../../src/frontend/kernel-c/tree/predefined.ts';
import { needing, type Tree, tree58, tree61, tree612 } from '../trees.ts';
import { words } from '../units.ts';

/** The reference here is the preprocessor of the host's gcc, told to forget all it knows of the host. */
const gcc = hasGcc();

function hasGcc(): boolean {
  try {
    return execFileSync('gcc', ['--version']).length > 0;
  } catch {
    return false;
  }
}

function spellingsOf(symbols: Symbols, text: string): string[] {
  const file = lexFile(symbols, 'gcc', text.replace(/^#.*$/gm, ''), 0);
  return Array.from(file.symbols, (symbol) => symbols.names[symbol] ?? '');
}

describe.skipIf(!gcc)(`token by token as gcc -E${gcc ? '' : ' (skipped: no gcc here)'}`, () => {
  test.each([
    ['#define f(x) x f\nf(1)(2)(3)'],
    ['#define NIL(xxx) xxx\n#define G_0(arg) NIL(G_1)(arg)\n#define G_1(arg) NIL(arg)\nG_0(42)'],
    ['#define EMPTY\n#define D(x) x EMPTY()\n#define A() 123\nD(A)() EMPTY A()'],
    ['#define a a b\n#define b b a\na b'],
    ['#define L(x) #x\n#define M(x) L(x)\n#define V a "q\\"" \'\\\\\' b\nM(V) L(V)\nM( V + 1)'],
    [
      '#define C(a, b) a ## b\n#define D(a, b) C(a, b)\n#define x y\nC(x, x) D(x, x) C(,) D(C(a, b), c) [C(, x)]',
    ],
    ['#define e(f, a...) p(f, ##a)\ne(1) e(1, ) e(1, x, y) e()'],
    ['#define I(x) __I(x)\n#define __I(x) x\n#define O I(I(O) I(2))\nO'],
    [
      '#define t(x, y, z) x ## y ## z\nt(1,2,3) t(,4,5) t(6,,7) t(8,9,) t(10,,) t(,11,) t(,,12) t(,,)',
    ],
    ['#define s(x) #x\ns(a + b) s("\\n" @ \'"\') s( ) s(a/**/b)'],
  ])('%s', (text) => {
    const folder = mkdtempSync(join(tmpdir(), 'tlbgate-'));
    try {
      writeFileSync(join(folder, 'main.c'), `${text}\n`);
      const out = execFileSync('gcc', ['-E', '-P', '-undef', '-nostdinc', 'main.c'], {
        cwd: folder,
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      expect(words(text)).toBe(spellingsOf(createSymbols(), out.toString()).join(' '));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

const UNITS: readonly (readonly [Tree, readonly string[]])[] = [
  [tree58, ['arch/arm64/kvm/mmu.c', 'arch/arm64/kvm/hyp/tlb.c']],
  [tree61, ['arch/arm64/kvm/hyp/pgtable.c', 'arch/arm64/kvm/hyp/nvhe/tlb.c']],
  [tree612, ['arch/arm64/kvm/mmu.c', 'arch/arm64/mm/contpte.c']],
];

describe.each(UNITS)('a bare kernel tree', (tree, units) => {
  test.skipIf(tree.root === null || !gcc).each(units)(
    `${needing(tree, '%s gives the tokens of gcc -E')}`,
    (unit) => {
      const root = tree.root ?? '';
      const folder = mkdtempSync(join(tmpdir(), 'tlbgate-'));
      try {
        const opened = openKernelTree(tree.read);
        const result = preprocessUnit(opened, unit);
        if (result.kind === 'failed') throw new Error(JSON.stringify(result.diagnostic));
        const { tokens } = result.value;
        const want = spellingsOf(opened.sources.symbols, gccOutput(root, tree, unit, folder));
        expect(tokens.count).toBe(want.length);
        let same = 0;
        while (same < want.length && textAt(tokens, same) === want[same]) same += 1;
        expect(same).toBe(want.length);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );
});

function gccOutput(root: string, tree: Tree, unit: string, folder: string): string {
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  for (const [path, text] of generatedHeaders(tree.read, defaultConfig())) put(path, text ?? '');
  const generated = 'arch/arm64/include/generated';
  const wrap = (generic: string, into: string, instead: readonly string[]): void => {
    for (const header of readdirSync(join(root, generic))) {
      const taken = instead.some((place) => existsSync(join(root, place, header)));
      if (taken || !header.endsWith('.h') || existsSync(join(folder, into, header))) continue;
      put(`${into}/${header}`, `#include <asm-generic/${header}>\n`);
    }
  };
  const uapi = 'arch/arm64/include/uapi/asm';
  wrap('include/asm-generic', `${generated}/asm`, ['arch/arm64/include/asm', uapi]);
  wrap('include/uapi/asm-generic', `${generated}/uapi/asm`, [uapi]);
  put('predefined.h', predefinedMacros(unit));
  const pre = ['compiler-version.h', 'kconfig.h', 'compiler_types.h']
    .map((name) => `include/linux/${name}`)
    .filter((path) => existsSync(join(root, path)))
    .flatMap((path) => ['-include', path]);
  const search = [
    'arch/arm64/include',
    join(folder, generated),
    'include',
    join(folder, 'include'),
    'arch/arm64/include/uapi',
    join(folder, generated, 'uapi'),
    'include/uapi',
    ...(unit.includes('/hyp/') ? ['arch/arm64/kvm/hyp/include'] : []),
  ].flatMap((path) => ['-I', path]);
  const fixed = ['-E', '-P', '-undef', '-nostdinc', '-std=gnu11'];
  return execFileSync(
    'gcc',
    [...fixed, '-imacros', join(folder, 'predefined.h'), ...pre, ...search, unit],
    { cwd: root, maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] },
  ).toString();
}
