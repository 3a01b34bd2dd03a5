import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseBody, parseUnit } from '../../../../src/frontend/kernel-c/parse/unit.ts';
import {
  openKernelTree,
  preprocessUnit,
} from '../../../../src/frontend/kernel-c/tree/kernel-tree.ts';
import { needing, type Tree, tree58, tree61, tree612 } from '../trees.ts';
import { check, showBody, type, unitOf } from './show.ts';

describe('expressions', () => {
  test.each([
    ['a = b + c * d - e;', '(a = ((b + (c * d)) - e));'],
    ['a = b ? c : d ? e : f;', '(a = (b ? c : (d ? e : f)));'],
    ['a = b ?: c;', '(a = (b ?  : c));'],
    ['a ||= 1;'.replace('||=', '|='), '(a |= 1);'],
    ['a = b, c <<= 1;', '((a = b) , (c <<= 1));'],
    ['*p++ = -x & ~y | !z;', '((* (p ++)) = (((- x) & (~ y)) | (! z)));'],
    ['a << b + c < d == e && f || g;', '(((((a << (b + c)) < d) == e) && f) || g);'],
    ['a->b.c[1](2, 3)++;', '(a->b.c[1](2, 3) ++);'],
    ['x = (u64)y + (y) + (u64)(y);', '(x = ((<u64>y + y) + <u64>y));'],
    [
      'x = sizeof(u64) + sizeof(x) + sizeof x[0] + sizeof(u64 *);',
      '(x = (((size<u64> + size(x)) + size(x[0])) + size<*u64>));',
    ],
    ['x = __alignof__(u64);', '(x = alignment<u64>);'],
    ['g((pte_t){ .v = 1 }.v);', 'g(<pte_t>{.v=1}.v);'],
    ['x = ({ u64 t = y; t; });', '(x = ({t: u64 = y; t;}));'],
    ['x = _Generic(y, u64: 1, default: 2);', '(x = generic(y; u64: 1; default: 2));'],
    ['x = __builtin_offsetof(pte_t, v.w[3]);', '(x = offsetof<pte_t>.v.w[3]);'],
    ['x = __builtin_types_compatible_p(u64, typeof(y));', '(x = compatible<u64 | typeof(y)>);'],
    ['x = __builtin_choose_expr(1, a, b);', '(x = choose(1, a, b));'],
    ['x = __builtin_va_arg(l, u64);', '(x = va-arg<u64>(l));'],
    ['p = &&out; goto *p; out: ;', '(p = &&out); goto *p; out: ;'],
    [
      "x = 'a' + '\\n' + 0x10u + 1UL + 0xffffffff + 4294967296;",
      '(x = (((((97 + 10) + 16:unsigned int) + 1:unsigned long) + 4294967295:unsigned int) + 4294967296:long));',
    ],
    ['s = "a\\x41\\101" "\\n";', '(s = "aAA\\n");'],
  ])('%s', (body, want) => {
    expect(showBody('typedef unsigned long u64; typedef struct { u64 v; } pte_t;', body)).toBe(
      want,
    );
  });
});

describe('statements', () => {
  test.each([
    ['if (a) if (b) c; else d;', 'if a if b c; else d;'],
    [
      'for (int i = 0, *p = q; i < n; i++) continue;',
      'for [i: int = 0, p: *int = q; | (i < n) | (i ++)] continue;',
    ],
    ['for (;;) break;', 'for [ |  | ] break;'],
    ['do x--; while (0);', 'do (x --); while 0;'],
    [
      'switch (x) { case 1 ... 3: a; break; default: b; }',
      'switch x {case 1...3: a; break; default: b;}',
    ],
    ['again: x; goto again;', 'again: x; goto again;'],
    ['{ __label__ l; l: ; }', '{labels l; l: ;}'],
    [
      'asm volatile("ldr %0, [%[p]]" : "=r" (x) : [p] "r" (p) : "memory", "cc");',
      'asm! "ldr %0, [%[p]]" : =r(x) : [p]r(p) : memory,cc : ;',
    ],
    [
      'asm goto("b %l[out]" : : "i" (1) : : out); out: return;',
      'asm "b %l[out]" :  : i(1) :  : out; out: return;',
    ],
    ['asm("nop");', 'asm "nop" :  :  :  : ;'],
    ['__attribute__((fallthrough)); x;', '; x;'],
    ['u64 __attribute__((cleanup(put))) x __attribute__((unused)) = 1;', 'x: u64 = 1;'],
    ['__auto_type x = y;', 'x: auto = y;'],
    [
      'static const u64 t[2][3] = { [0 ... 1] = { 1, 2 }, };',
      'static t: [2][3]const u64 = {[0...1]={1, 2}};',
    ],
    ['typedef int u64; u64 x; ', 'typedef u64: int; x: u64;'],
    ['u64 u64 = 1; u64 * x;', 'u64: u64 = 1; (u64 * x);'],
    ['{ int u64; u64 = 1; } u64 * x;', '{u64: int; (u64 = 1);} x: *u64;'],
    ['_Static_assert(sizeof(u64) == 8, "u64");', 'assert (size<u64> == 8);'],
  ])('%s', (body, want) => {
    expect(showBody('typedef unsigned long u64;', body)).toBe(want);
  });
});

describe('declarations', () => {
  const typeOf = (text: string): string => {
    const object = unitOf(`typedef int T; ${text}`).objects.get('x')?.[0];
    return object === undefined ? 'none' : type(object.declarator.type);
  };

  test.each([
    ['T *x[3];', '[3]*T'],
    ['T (*x)[3];', '*[3]T'],
    ['T (*x)(T, ...);', '*fn(T, ...)T'],
    ['T *(*x(T (*)(void)))[2];', 'fn(*fn()T)*[2]*T'],
    ['T (*x[2])(T a[4], T f(T));', '[2]*fn(*T, *fn(T)T)T'],
    ['long unsigned volatile int const x;', 'const volatile unsigned long'],
    ['T const * volatile const x;', 'const volatile *const T'],
    ['extern __typeof__(1 + 2) x __attribute__((section(".data")));', 'typeof((1 + 2))'],
    ['unsigned __int128 x; __uint128_t y;', 'unsigned int128'],
    ['T x __attribute__((aligned(16)));', 'attributed T'],
    ['T (x)(void);', 'fn()T'],
    ['T x(T (y));', 'fn(T)T'],
    ['__extension__ T x asm("y");', 'T'],
  ])('%s', (text, want) => {
    expect(typeOf(text)).toBe(want);
  });

  test('records, enums and functions of a unit', () => {
    const unit = unitOf(`
struct list { struct list *next; };
union u { int a; struct { char b, c:3, :0; }; } __attribute__((packed));
enum e { A, B = 5, C = B + 1 };
static inline struct list *head(struct list *l) { return l->next; }
int twice(int x) { return 2 * x; }
extern int twice(int x);
asm(".globl x");
`);
    expect(unit.records.map((r) => [r.kind, r.tag, r.members?.map((m) => m.name)])).toEqual([
      ['struct', 'list', ['next']],
      ['union', 'u', ['a', null]],
      ['struct', null, ['b', 'c', null]],
    ]);
    expect(unit.records[1]?.attributes?.packed).toBe(true);
    expect([...unit.enumerators.keys()]).toEqual(['A', 'B', 'C']);
    expect([...unit.functions.values()].map((f) => [f.name, f.storage, f.inline])).toEqual([
      ['head', 'static', true],
      ['twice', null, false],
    ]);
    expect([...unit.objects.keys()]).toEqual(['twice']);
    expect(unit.assembly[0]?.template).toBe('.globl x');
  });
});

describe('one sentence for each thing that is wrong', () => {
  test.each([
    ['int f(void) { return 1 }', '1:24: ";" is missing after return before "}"'],
    ['int f(void) { x = ; }', '1:19: an expression is missing before ";"'],
    ['int f(void) { if x; }', '1:18: "(" is missing after if before "x"'],
    ['foo x;', '1:1: a type is missing before "foo"'],
    ['struct { int x', '1:14: ";" is missing after a member at the end'],
    ['int f(void) { {', '1:13: "{" is never closed'],
    [
      '#define M(x) (x\nint a = 1;\nint b = M(2);',
      '3:13: ")" is missing after an expression before ";"',
    ],
    ['enum { 1 };', '1:8: a name is missing in an enum before "1"'],
    [
      `int x = ${'('.repeat(5000)}1${')'.repeat(5000)};`,
      '1:409: this is nested too deeply; simplify it',
    ],
    [
      `int f(void) ${'{'.repeat(5000)}${'}'.repeat(5000)}`,
      '1:413: this is nested too deeply; simplify it',
    ],
    [`int f(void) { ${'if (1) '.repeat(3000)}; }`, ''],
  ])('%#', (text, want) => {
    const said = check(text);
    if (want === '') expect(said).toContain('nested too deeply');
    else expect(said).toBe(want);
  });
});

test('no text makes the parser crash or hang', () => {
  const piece = fc.constantFrom(
    'int ',
    'T ',
    'x',
    'y ',
    'struct ',
    'enum ',
    'union ',
    '{',
    '}',
    '(',
    ')',
    '[',
    ']',
    ';',
    ',',
    '=',
    '*',
    '&',
    '...',
    '.',
    ':',
    '?',
    '1',
    '"s"',
    'typedef ',
    'static ',
    'for',
    'if',
    'else ',
    'asm',
    'sizeof',
    'return ',
    'goto ',
    '__attribute__((packed))',
    '__attribute__',
    'typeof',
    '_Generic',
    'case ',
    'do ',
    'while',
    '__extension__ ',
    'const ',
    '->',
    '++',
    '_Static_assert',
    '__builtin_offsetof',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), fc.boolean(), (pieces, inside) => {
      const text = pieces.join('');
      const source = `typedef int T; ${inside ? `void f(void) { ${text} }` : text}`;
      expect(typeof check(source)).toBe('string');
    }),
    { numRuns: 400 },
  );
});

const UNITS: readonly (readonly [Tree, readonly string[]])[] = [
  [tree58, ['arch/arm64/kvm/mmu.c', 'arch/arm64/kvm/hyp/tlb.c']],
  [
    tree61,
    [
      'arch/arm64/kvm/hyp/pgtable.c',
      'arch/arm64/kvm/hyp/vhe/tlb.c',
      'arch/arm64/kvm/hyp/nvhe/tlb.c',
      'arch/arm64/kvm/mmu.c',
    ],
  ],
  [
    tree612,
    ['arch/arm64/kvm/hyp/pgtable.c', 'arch/arm64/kvm/hyp/vhe/tlb.c', 'arch/arm64/kvm/mmu.c'],
  ],
];

describe.each(UNITS)('a bare kernel tree', (tree, units) => {
  test.skipIf(tree.root === null).each(units)(
    `${needing(tree, 'every function body of %s parses')}`,
    (unit) => {
      const tokens = preprocessUnit(openKernelTree(tree.read), unit);
      if (tokens.kind === 'failed') throw new Error(JSON.stringify(tokens.diagnostic));
      const parsed = parseUnit(tokens.value.tokens);
      if (parsed.kind === 'failed') throw new Error(JSON.stringify(parsed.diagnostic));
      const failed = [...parsed.value.functions.values()].flatMap((definition) => {
        const body = parseBody(parsed.value, definition);
        return body.kind === 'failed' ? [body.diagnostic] : [];
      });
      expect(failed).toEqual([]);
      expect(parsed.value.functions.size).toBeGreaterThan(4000);
    },
  );
});
