import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { attempt, type Outcome } from '../../../../src/frontend/kernel-c/diagnostic.ts';
import { parseUnit } from '../../../../src/frontend/kernel-c/parse/unit.ts';
import {
  openKernelTree,
  preprocessUnit,
} from '../../../../src/frontend/kernel-c/tree/kernel-tree.ts';
import { NO_LOCALS, typeName } from '../../../../src/frontend/kernel-c/types/context.ts';
import { layoutOf } from '../../../../src/frontend/kernel-c/types/layout.ts';
import { sizeOf } from '../../../../src/frontend/kernel-c/types/size.ts';
import {
  enumeratorValue,
  memberOfNamed,
  sizeOfNamed,
  typesOf,
} from '../../../../src/frontend/kernel-c/types/types.ts';
import { needing, type Tree, tree58, tree61, tree612 } from '../trees.ts';
import { unitOf } from '../parse/show.ts';

function value<T>(outcome: Outcome<T>): T {
  if (outcome.kind === 'failed') throw new Error(outcome.diagnostic.message);
  return outcome.value;
}

/** The value of `x` in `int x = ...`, or what stopped it. */
function constant(expression: string, before = ''): string {
  const context = typesOf(unitOf(`${before}\nint x = ${expression};`));
  const initializer = context.unit.objects.get('x')?.[0]?.declarator.initializer;
  if (initializer?.kind !== 'expression') throw new Error('no initializer');
  const outcome = attempt(() => context.rules.constant(context, initializer.expression, NO_LOCALS));
  if (outcome.kind === 'failed') return outcome.diagnostic.message;
  return outcome.value === null ? 'not constant' : String(outcome.value.value);
}

function typeOf(expression: string, before = ''): string {
  const context = typesOf(unitOf(`${before}\n__typeof__(${expression}) x;`));
  const declarator = context.unit.objects.get('x')?.[0]?.declarator;
  if (declarator === undefined) throw new Error('no x');
  const outcome = attempt(() =>
    typeName(context, context.rules.resolve(context, declarator.type, NO_LOCALS)),
  );
  return outcome.kind === 'failed' ? outcome.diagnostic.message : outcome.value;
}

describe('sizes of arm64 Linux', () => {
  test.each([
    ['typedef char T;', 1],
    ['typedef long long T;', 8],
    ['typedef unsigned __int128 T;', 16],
    ['typedef long double T;', 16],
    ['typedef void *T;', 8],
    ['typedef int T[3][2];', 24],
    ['typedef __builtin_va_list T;', 32],
    ['typedef enum { A } T;', 4],
    ['typedef enum { A = 0x100000000 } T;', 8],
    ['typedef enum { A } __attribute__((packed)) T;', 1],
    ['typedef struct { char a; long b; } T;', 16],
    ['typedef struct { char a; long b; } __attribute__((packed)) T;', 9],
    ['typedef struct { char a; long b __attribute__((packed)); } T;', 9],
    ['typedef struct { char a; } __attribute__((aligned(64))) T;', 64],
    ['typedef struct { char a __attribute__((aligned)); } T;', 16],
    ['typedef union { char a[5]; int b; } T;', 8],
    ['typedef struct { int a; char b[]; } T;', 4],
    ['typedef struct { int n; struct { int p; }; union { long q; char r; }; } T;', 16],
    ['typedef struct { unsigned a:3, b:30; } T;', 8],
    ['typedef struct { unsigned a:3; unsigned long b:40; } T;', 8],
    ['typedef struct { char a; unsigned :0; char b; } T;', 8],
    ['typedef struct { unsigned a:3, b:30; } __attribute__((packed)) T;', 5],
    ['typedef struct {} T;', 0],
    ['typedef int T __attribute__((mode(DI)));', 8],
  ])('%s', (text, size) => {
    expect(value(sizeOfNamed(typesOf(unitOf(text)), 'T'))).toBe(size);
  });

  test('members are found through anonymous ones, bit-fields with their bits', () => {
    const context = typesOf(
      unitOf('struct s { int a; union { long b; struct { char c, d; }; }; int e:3, f:5; };'),
    );
    expect(value(memberOfNamed(context, 'struct s', 'd'))?.offset).toBe(9);
    expect(value(memberOfNamed(context, 'struct s', 'f'))).toMatchObject({
      offset: 16,
      bits: { start: 3, width: 5 },
    });
    expect(value(memberOfNamed(context, 'struct s', 'g'))).toBe(null);
    expect(value(sizeOfNamed(context, 'struct t'))).toBe(null);
  });
});

test('#pragma pack limits the alignment of members until it is popped', () => {
  const text = `#pragma pack(push, 1)
struct a { char c; long l; int x:7; unsigned y:29; };
#pragma pack(2)
struct b { char c; long l; };
#pragma pack(pop)
struct c { char c; long l; };
_Pragma("pack(4)") struct d { char c; long l; };
`;
  const context = typesOf(unitOf(text));
  const sizes = ['a', 'b', 'c', 'd'].map((tag) => value(sizeOfNamed(context, `struct ${tag}`)));
  expect(sizes).toEqual([14, 10, 16, 12]);
});

describe('constants', () => {
  test.each([
    ['1 + 2 * 3 << 1', '14'],
    ['-1 > 0u', '1'],
    ['(unsigned char)300 + (signed char)200', '-12'],
    ['~0UL >> 60', '15'],
    ['1 ? 2 : y()', '2'],
    ['0 && y()', '0'],
    ['sizeof(int[3]) + sizeof(x)', '16'],
    ['__builtin_offsetof(struct s, t[1].b)', '12'],
    ['(unsigned long)&((struct s *)0)->t[1].b', '12'],
    ['(char *)&((struct s *)16)->t - (char *)16', '0'],
    ['__builtin_constant_p(1) + __builtin_constant_p(y())', '1'],
    ['__builtin_choose_expr(0, y(), 4)', '4'],
    ['__builtin_types_compatible_p(typeof(int), const int)', '1'],
    ['__builtin_types_compatible_p(const char *, char *)', '0'],
    ['__builtin_types_compatible_p(long, long long)', '0'],
    ['__builtin_types_compatible_p(typeof(arr), typeof(&arr[0]))', '0'],
    ['_Generic((char)1, unsigned char: 1, char: 2, default: 3)', '2'],
    ['_Generic(&arr[0], int *: 1, default: 3)', '1'],
    ['__builtin_ctzl(0x100) + __builtin_clz(1) + __builtin_popcountll(~0ull)', '103'],
    ['__builtin_expect(!!5, 1)', '1'],
    ['B + (int)sizeof(enum e)', '10'],
    // The kernel's test for constant expressions: a conditional with a null pointer constant.
    ['sizeof(int) == sizeof(*(8 ? ((void *)((long)(3) * 0l)) : (int *)8))', '1'],
    ['sizeof(int) == sizeof(*(8 ? ((void *)((long)(x) * 0l)) : (int *)8))', '0'],
    ['({ 7; })', '7'],
    ['x + 1', 'not constant'],
    ['1 / 0', 'not constant'],
    ['sizeof(struct never)', 'struct never is only declared here, its members are not known'],
    ['__builtin_offsetof(struct s, z)', 'struct s has no member "z"'],
  ])('%s', (expression, want) => {
    expect(
      constant(
        expression,
        'struct s { struct { int a, b; } t[2]; }; struct never; enum e { A, B = A + 6 }; int y(void); int arr[4];',
      ),
    ).toBe(want);
  });
});

test('an object declared by its own type, as EXPORT_SYMBOL does it, has the type of its definition', () => {
  expect(typeOf('y', 'char y; extern __typeof__(y) y;')).toBe(typeOf('y', 'char y;'));
  expect(typeOf('y', 'int y[3]; extern const __typeof__(y) y;')).toBe(typeOf('y', 'int y[3];'));
});

describe('types of expressions', () => {
  const before =
    'struct s { int a; unsigned b:3; unsigned long c:40; const char d[4]; } v; volatile struct s *p; int f(char, ...); unsigned short h; int *q; long arr[3];';
  test.each([
    ['h + h', 'int'],
    ['v.b + 1', 'int'],
    ['v.b', 'unsigned int'],
    ['1u + 1l', 'long'],
    ['1ul + 1ll', 'unsigned long long'],
    ['p->a', 'volatile int'],
    ['&p->a', 'volatile int *'],
    ['v.d', 'const char[4]'],
    ['*v.d', 'const char'],
    ['f', 'int (char)'],
    ['f(1)', 'int'],
    ['q - q', 'long'],
    ['q + 1', 'int *'],
    ['1[q]', 'int'],
    ['arr', 'long[3]'],
    ['&arr', 'long[3] *'],
    ['1 ? q : 0', 'int *'],
    ['1 ? q : (void *)0', 'int *'],
    ['1 ? q : (void *)p', 'void *'],
    ['(h, q)', 'int *'],
    ['h << 1l', 'int'],
    ['h < 1l', 'int'],
    ['({ __auto_type t = &h; *t; })', 'unsigned short'],
    ['({ long t[2]; &t; })', 'long[2] *'],
    ['(struct s){ 0 }', 'struct s'],
    ['(int[]){ 1, 2, [4] = 3 }', 'int[5]'],
    ['"abc"', 'char[4]'],
    ['__builtin_add_overflow(h, h, &h)', 'bool'],
    ['v.e', 'struct s has no member "e"'],
    ['nope', '"nope" is not declared in this unit'],
    ['h()', 'unsigned short cannot be called'],
    ['*h', 'unsigned short cannot be dereferenced'],
  ])('%s', (expression, want) => {
    expect(typeOf(expression, before)).toBe(want);
  });
});

test('enumerators count on from the last value', () => {
  const context = typesOf(unitOf('enum { A, B = 1 << 4, C, D = -3, E };'));
  expect(
    ['A', 'B', 'C', 'D', 'E', 'F'].map((name) => value(enumeratorValue(context, name))),
  ).toEqual([0n, 16n, 17n, -3n, -2n, null]);
});

test('a struct that contains itself is an error and not a hang', () => {
  const outcome = sizeOfNamed(typesOf(unitOf('struct s { struct s x; };')), 'struct s');
  expect(outcome).toMatchObject({
    kind: 'failed',
    diagnostic: { message: 'struct s contains itself' },
  });
});

const gcc = (() => {
  try {
    return execFileSync('gcc', ['-dumpmachine']).toString().startsWith('x86_64');
  } catch {
    return false;
  }
})();

test.skipIf(!gcc)(
  `random structs have the sizes and offsets gcc gives them${gcc ? '' : ' (skipped: no x86-64 gcc, whose layout is the same)'}`,
  () => {
    const scalar = fc.constantFrom(
      'char',
      'short',
      'int',
      'long',
      'unsigned char',
      'unsigned long',
      'void *',
      '__int128',
      'enum { A }',
    );
    const attribute = fc.constantFrom(
      '',
      '',
      '',
      '__attribute__((packed))',
      '__attribute__((aligned(8)))',
      '__attribute__((aligned(32)))',
    );
    const plain = fc.tuple(scalar, fc.constantFrom('', '[3]', '[0]'), attribute).map(
      ([t, a, attr]) =>
        (n: string) =>
          `${t.replace('A', `A_${n}`)} ${n}${a} ${attr};`,
    );
    const bits = fc
      .tuple(
        fc.constantFrom(['unsigned char', 8], ['unsigned short', 16], ['int', 32], [
          'unsigned long',
          64,
        ] as const),
        fc.nat({ max: 63 }),
      )
      .map(
        ([[t, w], b]) =>
          (n: string) =>
            `${t} ${n}:${(b % Number(w)) + 1};`,
      );
    const member = fc.oneof({ weight: 3, arbitrary: plain }, { weight: 2, arbitrary: bits });
    const body = fc.array(member, { minLength: 1, maxLength: 7 });
    const record = fc.tuple(
      fc.constantFrom('struct', 'union'),
      body,
      fc.option(fc.tuple(fc.constantFrom('struct', 'union'), body)),
      attribute,
    );
    const structs = fc
      .sample(record, { numRuns: 150, seed: 7 })
      .map(([kind, members, inner, attr], i) => {
        const lines = members.map((make, j) => make(`m${i}_${j}`));
        if (inner !== null)
          lines.push(`${inner[0]} { ${inner[1].map((make, j) => make(`n${i}_${j}`)).join(' ')} };`);
        return `${kind} s${i} { ${lines.join(' ')} } ${attr};`;
      });
    const text = structs.join('\n');
    const context = typesOf(unitOf(text));
    const plainMembers = structs.map((s) =>
      [...s.matchAll(/ \*?([mn]\d+_\d+)(?=[[ ;])/g)].map((m) => m[1] ?? ''),
    );
    const ours = structs.map((_, i) => {
      const size = value(sizeOfNamed(context, `${structs[i]?.split(' ')[0]} s${i}`));
      const record = context.unit.tags.get(`s${i}`) ?? -1;
      const offsets = (plainMembers[i] ?? []).map(
        (m) => value(memberOfNamed(context, `${structs[i]?.split(' ')[0]} s${i}`, m))?.offset,
      );
      return [size, layoutOf(context, record, 0).alignment, ...offsets].join(' ');
    });
    const main = structs.map((s, i) => {
      const name = `${s.split(' ')[0]} s${i}`;
      const parts = ['sizeof', '_Alignof']
        .map((w) => `${w}(${name})`)
        .concat((plainMembers[i] ?? []).map((m) => `__builtin_offsetof(${name}, ${m})`));
      return `printf("${parts.map(() => '%lu').join(' ')}\\n", ${parts.join(', ')});`;
    });
    const folder = mkdtempSync(join(tmpdir(), 'tlbgate-'));
    try {
      writeFileSync(
        join(folder, 'a.c'),
        `int printf(const char *, ...);\n${text}\nint main(void) { ${main.join('\n')} return 0; }\n`,
      );
      execFileSync('gcc', ['-w', '-o', 'a', 'a.c'], { cwd: folder });
      const theirs = execFileSync(join(folder, 'a')).toString().trim().split('\n');
      structs.forEach((s, i) => expect([s, ours[i]]).toEqual([s, theirs[i]]));
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

const UNITS: readonly (readonly [Tree, string])[] = [
  [tree58, 'arch/arm64/kvm/mmu.c'],
  [tree61, 'arch/arm64/kvm/hyp/pgtable.c'],
  [tree612, 'arch/arm64/kvm/mmu.c'],
];

describe.each(UNITS)('a bare kernel tree', (tree, unit) => {
  test.skipIf(tree.root === null)(
    `${needing(tree, 'every struct lays out and every static assertion holds')}`,
    () => {
      const tokens = value(preprocessUnit(openKernelTree(tree.read), unit));
      const context = typesOf(value(parseUnit(tokens.tokens)));
      let records = 0;
      for (const record of context.unit.tags.values()) {
        if (context.unit.records[record]?.members === null) continue;
        layoutOf(context, record, 0);
        records += 1;
      }
      expect(records).toBeGreaterThan(900);
      for (const { test: condition, message } of context.unit.asserts) {
        const found = context.rules.constant(context, condition, NO_LOCALS);
        expect([message, found !== null && found.value !== 0n]).toEqual([message, true]);
      }
      // pte_t is the struct by value that all page-table code passes around.
      const pte = context.unit.typedefs.get('pte_t');
      if (pte === undefined) throw new Error('no pte_t');
      expect(sizeOf(context, context.rules.resolve(context, pte, NO_LOCALS), 0)).toBe(8);
    },
  );
});
