import { describe, expect, test } from 'vitest';
import {
  advance,
  continueThread,
  stackOf,
  startThread,
} from '../../../../src/frontend/kernel-c/vm/advance.ts';
import { DONE, type VmEvent } from '../../../../src/frontend/kernel-c/vm/event.ts';
import { placeOf } from '../../../../src/frontend/kernel-c/vm/program.ts';
import { fingerprint } from '../../../../src/frontend/kernel-c/vm/state.ts';
import { programOf, result, run, textAt } from './run.ts';

describe('C runs', () => {
  test.each<readonly [string, bigint | string | null]>([
    ['int f(void) { int a = 3; a += 4; a <<= 2; return a-- - --a; }', 2n],
    ['int f(void) { unsigned char c = 250; c += 10; return c; }', 4n],
    ['int f(void) { signed char c = 127; c++; return c; }', -128n],
    ['long f(void) { return -1 < 0u ? 1 : 2; }', 2n],
    ['unsigned long f(void) { return (unsigned int)-1 + 1ul; }', 0x100000000n],
    [
      'int f(void) { int s = 0; for (int i = 0; i < 10; i++) { if (i == 3) continue; if (i == 6) break; s += i; } return s; }',
      12n,
    ],
    ['int f(void) { int i = 0; do i++; while (i < 5); while (i > 2) i--; return i; }', 2n],
    [
      'int f(void) { int s = 0; for (int i = 0; i < 12; i++) switch (i) { case 1: s += 1; case 2: s += 10; break; case 4 ... 6: s += 100; break; default: s += 1000; } return s; }',
      7321n,
    ],
    ['int f(void) { int i = 0; again: if (++i < 4) goto again; return i; }', 4n],
    [
      'int g(int a) { return a * 2; } int f(void) { int (*p)(int) = g; return p(4) + (*p)(1) + (&g)(1); }',
      12n,
    ],
    [
      'int f(void) { int a[3] = { 1, 2, 3 }, *p = a; p++; return *p + p[1] + (int)(&a[2] - a); }',
      7n,
    ],
    [
      'typedef struct { unsigned long pte; } pte_t; static pte_t mk(unsigned long v) { return (pte_t){ v }; } static unsigned long val(pte_t p) { p.pte |= 1; return p.pte; } unsigned long f(void) { pte_t a = mk(6), b = a; b.pte = 9; return val(a) * 100 + val(mk(b.pte)); }',
      709n,
    ],
    [
      'struct s { int a; struct { char b, c; }; union { long l; int i[2]; }; }; int f(void) { struct s x = { .c = 5, .a = 1, .i = { 7, 8 } }; struct s y = x, *p = &y; p->b = 2; return p->a + p->b + p->c + (int)(p->l >> 32); }',
      16n,
    ],
    [
      'struct b { unsigned x : 3, y : 5; int z : 4; }; int f(void) { struct b v = { 0 }; int r = (v.x = 13); v.y = 31; v.z = 15; return r * 100 + v.x + v.y + v.z; }',
      535n,
    ],
    [
      'struct b { _Bool t : 1; unsigned long w : 40; }; long f(void) { struct b v = { 2, -1 }; return v.t + v.w; }',
      0x10000000000n,
    ],
    ['int f(void) { return ({ int t = 4; t * t; }) + ({ 1; }); }', 17n],
    ['int f(void) { __auto_type x = 5ul; typeof(x) y = x; return sizeof(y) + y; }', 13n],
    [
      'int n; int g(void) { n++; return 0; } int f(void) { int r = g() && g(); r += !g() || g(); return n * 10 + r; }',
      21n,
    ],
    ['int f(void) { int a = 0; int b = a ?: 7; return b + (a ? 1 : 2) + (a, 3); }', 12n],
    [
      'static int t[] = { [2] = 5, 6, [0 ... 1] = 9 }; int f(void) { return sizeof(t) / sizeof(t[0]) * 100 + t[0] + t[1] + t[2] + t[3]; }',
      429n,
    ],
    [
      'int a[2][2] = { 1, 2, 3, 4 }; struct { int x; int y[2]; } s[] = { 1, { 2, 3 }, 4, 5, 6 }; int f(void) { return a[1][0] * 100 + s[1].y[1] * 10 + s[0].y[0]; }',
      362n,
    ],
    ['int x = 3; int *p = &x; int *const *q[] = { &p }; int f(void) { **q[0] = 8; return x; }', 8n],
    [
      'int f(void) { static int n = 5; int g(void); n++; return n; } int g(void) { return f() + f(); } int h;',
      6n,
    ],
    ['int g(void) { static int n = 5; return ++n; } int f(void) { g(); return g(); }', 7n],
    [
      'int f(void) { const char *s = "a\\0b"; char t[] = "hey"; return s[2] + t[1] + sizeof(t); }',
      203n,
    ],
    [
      'int log; void put(int *p) { log = log * 10 + *p; } int f(void) { int i; for (i = 0; i < 2; i++) { int a __attribute__((cleanup(put))) = 1; int b __attribute__((cleanup(put))) = 2; if (i) break; } return log; }',
      2121n,
    ],
    [
      'int n; void put(int *p) { n += *p; } int g(void) { int a __attribute__((cleanup(put))) = 5; return n; } int f(void) { int r = g(); return r * 10 + n; }',
      5n,
    ],
    [
      'int f(void) { int r = 0; for (int i = 0; i < 2; i++) r += ({ __label__ l; int t = i; if (t) goto l; t = 10; l: t; }); return r; }',
      11n,
    ],
    [
      'int f(void) { char d[4]; __builtin_memset(d, 7, 4); char e[4]; __builtin_memcpy(e, d, 4); e[3] = 9; return e[0] * 10 + e[3] + __builtin_memcmp(d, e, 4); }',
      78n,
    ],
    [
      'int f(void) { int r; return __builtin_add_overflow(0x7fffffff, 1, &r) * 10 + (r < 0); }',
      11n,
    ],
    [
      'int f(void) { unsigned long r; return __builtin_mul_overflow(3, -1, &r) * 10 + __builtin_ctzl(8) + __builtin_ffs(0); }',
      13n,
    ],
    ['unsigned f(void) { unsigned x = 0x01020304; return __builtin_bswap32(x); }', 0x04030201n],
    [
      'int no_such(void); int f(void) { int x = 3; return __builtin_constant_p(x) ? no_such() : __builtin_constant_p(3); }',
      1n,
    ],
    [
      'int no_such(void); int f(void) { if (0) no_such(); return sizeof(int) == 4 ? 1 : no_such(); }',
      1n,
    ],
    ['int f(void) { enum { A = 3, B } x = B; return x + A; }', 7n],
    [
      'enum { A = 9 }; int f(void) { enum { A = 3, B = A * 2 }; switch (6) { case B: return (-1 < A) * 10 + A; } { int A = 1; return A; } }',
      13n,
    ],
    ['enum { A = 9 }; int f(void) { { enum { A = 3 }; } return A; }', 9n],
    [
      'struct p { int x, y; }; struct s { struct p p; int z, a[3]; }; int f(void) { struct s s = { .p.x = 1, 2, 3, .a[1] = 4, 5 }; return s.p.y * 1000 + s.z * 100 + s.a[1] * 10 + s.a[2]; }',
      2345n,
    ],
    [
      'int n; int next(void) { return ++n; } int f(void) { int a[3] = { [0 ... 2] = next() }; return a[0] * 100 + a[2] * 10 + n; }',
      111n,
    ],
    [
      'struct p { int x; } n; struct p next(void) { n.x++; return n; } int f(void) { struct p a[3] = { [0 ... 2] = next() }; return a[0].x * 100 + a[2].x * 10 + n.x; }',
      111n,
    ],
    [
      'int f(void) { char a[2][3] = { [0 ... 1] = "ab" }; return a[0][1] * 1000 + a[1][0]; }',
      98097n,
    ],
    [
      'struct list { struct list *next; int n; }; int f(void) { enum { N = 4 }; static struct list l = { &l, N * sizeof(l) }; return l.next->n; }',
      64n,
    ],
    [
      'int log; void put(int *p) { log = log * 10 + *p; } int f(void) { int a __attribute__((cleanup(put))) = 1; { int b __attribute__((cleanup(put))) = 2; if (log == 0) goto end; } log = 9; end: return log; }',
      2n,
    ],
    ['int f(void) { int k = 3; static int s[sizeof(k)] = { sizeof(k) }; return s[0]; }', 4n],
    [
      'int f(void) { int k = 3; static int s = k; return s; }',
      'the first value of a static object cannot depend on "k"',
    ],
    ["int f(void) { return 'ab'; }", 0x6162n],
    ['int f(void) { return __builtin_clrsb(-3) * 100 + __builtin_clrsbl(0); }', 2963n],
    ['double d; int f(void) { int x = 0; return x && d > 1 ? 1 : x ? d > 2 : 7; }', 7n],
    [
      'double d; int f(void) { int i; for (i = 0; i > 0 && d > i; i++) ; while (i && d > i) ; return i; }',
      0n,
    ],
    [
      'double d; int f(void) { switch (2) { case 1: if (d > 1) { case 2: return 5; } default: return 6; } }',
      5n,
    ],
    [
      'int x; int f(void) { switch (2) { case 1: return 1; case sizeof(int) + x: return 2; } return 3; }',
      'the value of a case must be a constant',
    ],
    ['int f(void) { return -7 / 2 * 100 + -7 % 3 + (-8 >> 1); }', -305n],
    [
      'int *g(void) { static int a[2]; return a; } int f(void) { g()[1] = 4; return *(g() + 1); }',
      4n,
    ],
    [
      '__int128 m(long a, long b) { return (__int128)a * b; } long f(void) { return m(1l << 62, 8) >> 64; }',
      2n,
    ],
    ['int f(void) { volatile int v = 1; v = v + 1; return v; }', 2n],
    ['int f(void) { int x; if (0) x = 1; return x; }', 'a variable is read before it has a value'],
    ['int f(void) { int x[2]; x[0] = 1; return x[1]; }', 'x is read before it has a value'],
    [
      'int f(void) { int x[2] = { 0 }, i = 200; return x[i]; }',
      '4 bytes at 0xffffc00000000320 reach beyond their object',
    ],
    ['int f(void) { int x = 0; return 1 / x; }', 'division by zero has no defined result'],
    [
      'int f(void) { int x = 40; return 1 << x; }',
      'a shift by 40 of 32 bits has no defined result',
    ],
    ['int f(void) { __builtin_unreachable(); }', '__builtin_unreachable was reached'],
    ['int f(void) { double d = 1.5; return d > 1; }', 'floating point is not calculated'],
    [
      'int g(int n) { return g(n + 1); } int f(void) { return g(0); }',
      'calls are nested more than 256 deep',
    ],
    ['int f(void) { int (*p)(void) = (void *)16; return p(); }', 'no function stands at 0x10'],
    ['int f(void) { return nope; }', '"nope" is not declared in this unit'],
  ])('%s', (text, want) => {
    expect(result(text)).toBe(want);
  });

  test('arguments arrive in registers and memory', () => {
    expect(
      result('int f(unsigned char a, int b) { int *p = &b; return a + *p; }', [0x1ffn, -5n]),
    ).toBe(250n);
  });

  test('units see each other, their statics stay their own', () => {
    const program = programOf([
      'int shared = 1; static int own(void) { return 10; } int other(void); extern int table[]; int f(void) { return own() + other() + shared + table[1]; }',
      'extern int shared; int table[2] = { 0, 1000 }; static int own(void) { return 100; } int other(void) { shared = 5; return own(); }',
    ]);
    expect(run(program, 'f').end).toMatchObject({ kind: 'finished', value: 1115n });
  });
});

describe('the outside is asked', () => {
  test('loads and stores, whole structs in one access, with size, volatility and place', () => {
    const text = `typedef struct { unsigned long v; } pte_t;
#define WRITE(p, x) (*(volatile pte_t *)(p) = (x))
unsigned long f(pte_t *p) {
  pte_t old = *p;
  WRITE(p + 1, old);
  return old.v;
}`;
    const program = programOf([text]);
    const { end, events } = run(program, 'f', [0x1000n], (event) =>
      event.kind === 'load' ? { values: [0x2an] } : DONE,
    );
    expect(end).toMatchObject({ kind: 'finished', value: 0x2an });
    expect(events).toMatchObject([
      { kind: 'load', address: 0x1000n, size: 8, volatile: false, symbol: null },
      { kind: 'store', address: 0x1008n, size: 8, value: 0x2an, volatile: true },
    ]);
    const store = events[1];
    if (store === undefined) throw new Error('no store');
    const origin = placeOf(program, store.at);
    expect([origin.use.line, origin.macros.map((macro) => macro.name)]).toEqual([5, ['WRITE']]);
  });

  test('inline assembly with operands by number and name, and jumps', () => {
    const program = programOf([
      `int f(unsigned long a) {
        unsigned long r = 7, m = 9;
        asm volatile("mrs %0, x\\n\\tadd %0, %[a]" : "=&r" (r) : [a] "rZ" (a + 1), "i" (4) : "memory");
        asm volatile("ldr %w[v], %[m]" : [v] "+r" (r), [m] "+Q" (m));
        asm goto("b %l[out]" : : "r" (r) : : out, far);
        return 1;
      far: return 2;
      out: return r + 3;
      }`,
    ]);
    const { end, events } = run(program, 'f', [5n], (event) => {
      if (event.kind !== 'asm') return DONE;
      return event.labels.length > 0 ? { values: [], label: 'out' } : { values: [100n] };
    });
    expect(end).toMatchObject({ kind: 'finished', value: 103n });
    expect(events).toMatchObject([
      {
        template: 'mrs %0, x\n\tadd %0, %[a]',
        volatile: true,
        clobbers: ['memory'],
        operands: [
          { constraint: '=&r', value: null, output: true },
          { name: 'a', value: 6n, output: false },
          { constraint: 'i', value: 4n, size: 4 },
        ],
      },
      {
        operands: [
          { name: 'v', value: 100n, output: true, memory: false },
          { name: 'm', memory: true, output: true, size: 8 },
        ],
      },
      { labels: ['out', 'far'], operands: [{ value: 100n }] },
    ]);
  });

  test('unknown and intercepted functions, structs and text among the arguments', () => {
    const text =
      'typedef struct { int a, b; } two; two swap(two, const char *, ...); static int noise(int x) { return x; } int f(void) { two t = { 1, 2 }; t = swap(t, "hi", (char)3); return noise(t.a) + t.b; }';
    const program = programOf([text], { intercepts: new Set(['noise']) });
    const { end, events } = run(program, 'f', [], (event) => {
      if (event.kind !== 'call') return DONE;
      return { values: [event.name === 'swap' ? 0x1_0000_0002n : 40n] };
    });
    expect(end).toMatchObject({ kind: 'finished', value: 41n });
    expect(
      events.map((e) => (e.kind === 'call' ? [e.name, e.arguments[0], e.result?.size] : [])),
    ).toEqual([
      ['swap', 0x2_0000_0001n, 8],
      ['noise', 2n, 4],
    ]);
    const first = events[0];
    expect(first?.kind === 'call' && textAt(program, first.arguments[1] ?? 0n)).toBe('hi');
    expect(first?.kind === 'call' && first.arguments[2]).toBe(3n);
  });

  test('objects nobody defines and objects that are shared are named', () => {
    const program = programOf(
      ['extern long offset[4]; int lock; int f(void) { lock = 1; return offset[2]; }'],
      { shared: new Set(['lock']) },
    );
    const { events } = run(program, 'f', [], () => ({ values: [0n] }));
    expect(
      events.map((e) => (e.kind === 'load' || e.kind === 'store' ? [e.kind, e.symbol] : [])),
    ).toEqual([
      ['store', { name: 'lock', offset: 0 }],
      ['load', { name: 'offset', offset: 16 }],
    ]);
  });

  test('names that only a function declares', () => {
    const program = programOf([
      'int f(void) { extern long key; extern int late(int); return key + late(2); }',
    ]);
    const { end, events } = run(program, 'f', [], () => ({ values: [4n] }));
    expect(end).toMatchObject({ kind: 'finished', value: 8n });
    expect(events).toMatchObject([{ symbol: { name: 'key' } }, { name: 'late', arguments: [2n] }]);
  });

  test('objects that the kernel sets at boot stop the run unless they were set', () => {
    const text =
      'static int bits; static int ready = 1; int f(int set) { static int calls; if (set) bits = 8; calls++; return bits + ready + calls; }';
    const strict = programOf([text], { unset: 'stop' });
    expect(run(strict, 'f', [0n]).end).toMatchObject({
      diagnostic: { message: 'bits is read before it has a value' },
    });
    expect(run(strict, 'f', [1n]).end).toMatchObject({ value: 10n });
    expect(run(programOf([text]), 'f', [0n]).end).toMatchObject({ value: 2n });
  });

  test('a stop names the place and the calls that led to it', () => {
    const program = programOf(['int g(int x) {\n return 1 / x; }\nint f(void) {\n return g(0); }']);
    const { end } = run(program, 'f');
    if (end.kind !== 'stopped') throw new Error('it did not stop');
    expect(end.diagnostic).toMatchObject({ file: 'main.c', line: 2 });
    expect(end.stack.map((entry) => [entry.function, entry.origin.use.line])).toEqual([
      ['g', 2],
      ['f', 4],
    ]);
  });

  test('a loop without events ends', () => {
    const { end } = run(programOf(['int f(void) { for (;;); }'], { fuel: 1000 }), 'f');
    expect(end).toMatchObject({
      diagnostic: { message: 'no event in 1000 steps: this loop may never end' },
    });
  });
});

describe('the state is data', () => {
  test('objects of file scope keep their values from one call of a thread to the next', () => {
    const counter = programOf(['static int n = 5; int f(int by) { n += by; return n; }']);
    const first = startThread(counter, 0, 'f', [2n]);
    if (first.kind !== 'finished') throw new Error(first.kind);
    expect(continueThread(counter, 0, 'f', [3n], first.state)).toMatchObject({ value: 10n });
    expect(startThread(counter, 0, 'f', [3n])).toMatchObject({ value: 8n });
  });

  const program = programOf([
    'int n; int g(int *p) { *p += 1; n++; return *p; } int f(long *m) { int a = 3; for (int i = 0; i < 3; i++) { int v = *m; a += v * g(&a); *(m + 1) = a + n; } return a; }',
  ]);

  test('each state can be resumed any number of times, in any order, and gives the same', () => {
    const first = startThread(program, 0, 'f', [0x1000n]);
    const step = (state: typeof first, value: bigint): typeof first => {
      if (state.kind !== 'event') throw new Error(state.kind);
      return advance(program, state.state, { values: [value] });
    };
    const print = (state: typeof first): string =>
      state.kind === 'stopped' ? '' : fingerprint(state.state);
    const before = print(first);
    const one = step(first, 1n);
    const two = step(first, 2n);
    expect(print(step(one, 0n))).toBe(print(step(step(first, 1n), 0n)));
    expect(print(one)).not.toBe(print(two));
    expect(print(first)).toBe(before);
    const finish = (state: typeof first): unknown => {
      let at = state;
      while (at.kind === 'event') at = step(at, 5n);
      return at.kind === 'finished' ? at.value : at;
    };
    expect(finish(two)).toBe(finish(step(first, 2n)));
    expect(first.kind === 'event' && stackOf(program, first.state)[0]?.function).toBe('f');
  });

  test('a structured clone of a state goes on like the state itself', () => {
    const first = startThread(program, 0, 'f', [0x1000n]);
    if (first.kind !== 'event') throw new Error(first.kind);
    const copy = structuredClone(first.state);
    const a = advance(program, first.state, { values: [4n] });
    const b = advance(program, copy, { values: [4n] });
    expect(
      a.kind === 'event' && b.kind === 'event' && fingerprint(b.state) === fingerprint(a.state),
    ).toBe(true);
    const events: VmEvent[] = [a, b].flatMap((x) => (x.kind === 'event' ? [x.event] : []));
    expect(events[0]).toEqual(events[1]);
  });
});
