import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { originOf, textAt } from '../../../../src/frontend/kernel-c/preprocess/token-stream.ts';
import { preprocessFiles, spellings, words } from '../units.ts';

describe('macro expansion', () => {
  test.each([
    [
      'objects and functions',
      '#define A 1\n#define F(x) (x+A)\nF(2) F (F(A))',
      '( 2 + 1 ) ( ( 1 + 1 ) + 1 )',
    ],
    ['a function-like name without arguments', '#define F(x) x\nF F(1) (F)(2)', 'F 1 ( F ) ( 2 )'],
    [
      'recursion stops',
      '#define f(x) f(x)+g\n#define g f\ng(1) f(f(2))',
      'f ( 1 ) + f f ( f ( 2 ) + f ) + f',
    ],
    [
      // C11 6.10.3.5, example 3
      'the rescanning example of the standard',
      `#define x 3
#define f(a) f(x * (a))
#undef x
#define x 2
#define g f
#define z z[0]
#define h g(~
#define m(a) a(w)
#define w 0,1
#define t(a) a
#define p() int
#define q(x) x
#define r(x,y) x ## y
#define str(x) # x
f(y+1) + f(f(z)) % t(t(g)(0) + t)(1);
g(x+(3,4)-w) | h 5) & m
(f)^m(m);
p() i[q()] = { q(1), r(2,3), r(4,), r(,5), r(,) };
char c[2][6] = { str(hello), str() };`,
      'f ( 2 * ( y + 1 ) ) + f ( 2 * ( f ( 2 * ( z [ 0 ] ) ) ) ) % f ( 2 * ( 0 ) ) + t ( 1 ) ; f ( 2 * ( 2 + ( 3 , 4 ) - 0 , 1 ) ) | f ( 2 * ( ~ 5 ) ) & f ( 2 * ( 0 , 1 ) ) ^ m ( 0 , 1 ) ; int i [ ] = { 1 , 23 , 4 , 5 , } ; char c [ 2 ] [ 6 ] = { "hello" , "" } ;',
    ],
    [
      'strings keep blanks and escapes',
      '#define S(x) #x\nS( a  +\t"b\\n" \'"\' )',
      '"a + \\"b\\\\n\\" \'\\"\'"',
    ],
    [
      'pasting makes and breaks names',
      '#define C(a,b) a##b\n#define XY 7\nC(X,Y) C(1,e) C(+,+) C(,z)',
      '7 1e ++ z',
    ],
    [
      'pasted names are not expanded by their operands',
      '#define A 1\n#define C(x) A##x\n#define A1 2\nC(A) C(1)',
      'AA 2',
    ],
    [
      'variadic',
      '#define P(f, ...) p(f, __VA_ARGS__)\n#define Q(f, r...) q(f, ## r)\nP(1,2,3) Q(1) Q(1,2) Q(,)',
      'p ( 1 , 2 , 3 ) q ( 1 ) q ( 1 , 2 ) q ( , )',
    ],
    ['arguments span lines and directives', '#define F(x) [x]\nF(a\n#define B b\nB)', '[ a b ]'],
    [
      'splices inside names, numbers and strings',
      'a\\\nb 1\\\n2 "x\\\ny" // c\\\nd\ne',
      'ab 12 "xy" e',
    ],
    ['line and counter', '\n__LINE__ __COUNTER__ __COUNTER__ __FILE__', '2 0 1 "main.c"'],
    ['_Pragma vanishes', '#define P(x) _Pragma(#x) x\nP(once)', 'once'],
  ])('%s', (_name, text, want) => {
    expect(words(text)).toBe(want);
  });
});

describe('conditions', () => {
  test.each([
    ['#if defined A || defined(B)\n1\n#elif !defined C\n2\n#else\n3\n#endif', '2'],
    ['#define A 0x10\n#if A == 16 && (A << 2) > 63 ? 1 : 0\nyes\n#endif', 'yes'],
    ['#if -1 > 0u\nu\n#endif\n#if -1 > 0\ns\n#endif', 'u'],
    ["#if 'a' == 97 && '\\n' == 10 && '\\x41' == 65\nc\n#endif", 'c'],
    ['#if 0 && (1 / 0)\nno\n#else\nok\n#endif', 'ok'],
    ['#ifdef X\n#if 1/0\n#error no\n#endif\n#else\nok\n#endif', 'ok'],
    ['#if 1\n#if 0\na\n#elif 1\nb\n#else\nc\n#endif\n#else\n#if 1\nd\n#endif\n#endif', 'b'],
    [
      '#if UNKNOWN\na\n#endif\n#if __has_attribute(__aligned__)\nb\n#endif\n#ifdef __has_builtin\nc\n#endif',
      'b c',
    ],
    ['#if 0\ndon\'t "lex this\n#endif\nok', 'ok'],
    [
      '#define IS(x) T(P_##x)\n#define P_1 0,\n#define T(x) S(x 1, 0)\n#define S(a, b, ...) b\n#define C 1\n#if IS(1)\nset\n#endif',
      'set',
    ],
  ])('%s', (text, want) => {
    expect(words(text)).toBe(want);
  });
});

describe('includes', () => {
  test('beside the includer, along the path, guarded, and asm-generic when asm is missing', () => {
    const result = preprocessFiles({
      'main.c':
        '#include "a.h"\n#include <a.h>\n#include <asm/x.h>\n#include <asm/y.h>\n#define N <n.h>\n#include N',
      'a.h': 'own',
      'include/a.h': '#ifndef G\n#define G\nfound\n#include <a.h>\n#endif\n',
      'arch/include/asm/x.h': 'arch',
      'include/asm-generic/x.h': 'no',
      'include/asm-generic/y.h': 'generic',
      'include/n.h': '#pragma once\n#include <n.h>\ncomputed',
    });
    expect(spellings(result)).toBe('own found arch generic computed');
  });

  test('include_next and __has_include', () => {
    const result = preprocessFiles({
      'main.c':
        '#include <s.h>\n#if __has_include(<none.h>)\nbad\n#elif __has_include("s.h")\ngood\n#endif',
      'arch/include/s.h': 'first\n#include_next <s.h>',
      'include/s.h': 'second',
    });
    expect(spellings(result)).toBe('first second good');
  });

  test('locked macros win, and the definitions passed over are listed', () => {
    const result = preprocessFiles(
      { 'main.c': '#define WARN_ON(x) (x)\n#undef WARN_ON\n#ifdef WARN_ON\nWARN_ON(1)\n#endif' },
      { locked: '#define WARN_ON(x) event(x)' },
    );
    expect(spellings(result)).toBe('event ( 1 )');
    expect(result.kind === 'ok' && result.value.ignoredDefinitions).toEqual([
      { name: 'WARN_ON', place: { file: 'main.c', line: 1, column: 9 } },
      { name: 'WARN_ON', place: { file: 'main.c', line: 2, column: 8 } },
    ]);
  });

  test('unset CONFIG symbols that were asked for are listed', () => {
    const result = preprocessFiles({
      'main.c': '#ifdef CONFIG_B\n#endif\n#if defined(CONFIG_A)\n#endif',
    });
    expect(result.kind === 'ok' && result.value.unsetConfig).toEqual(['CONFIG_A', 'CONFIG_B']);
  });

  test('appended text sees the macros of the unit', () => {
    const appended = [{ path: '<scenario>', text: 'A;' }];
    expect(words('#define A 1\nx;', { appended })).toBe('x ; 1 ;');
  });
});

describe('origins', () => {
  test('each token knows its outermost use and the macros it came through', () => {
    const result = preprocessFiles({
      'main.c': '#include <w.h>\n\nstore(p,\n  v);',
      'include/w.h': '#define raw(a, b) *a = b\n#define store(a, b) do { raw(a, b); } while (0)\n',
    });
    if (result.kind === 'failed') throw new Error(result.diagnostic.message);
    const { tokens } = result.value;
    const find = (text: string): number =>
      Array.from({ length: tokens.count }, (_, i) => i).find((i) => textAt(tokens, i) === text) ??
      -1;
    expect(originOf(tokens, find('='))).toEqual({
      use: { file: 'main.c', line: 3, column: 1 },
      spelt: { file: 'include/w.h', line: 1, column: 22 },
      macros: [
        { name: 'store', place: { file: 'main.c', line: 3, column: 1 } },
        { name: 'raw', place: { file: 'include/w.h', line: 2, column: 26 } },
      ],
    });
    expect(originOf(tokens, find('v'))).toEqual({
      use: { file: 'main.c', line: 4, column: 3 },
      spelt: { file: 'main.c', line: 4, column: 3 },
      macros: [],
    });
  });
});

describe('one sentence for each thing that is wrong', () => {
  test.each([
    [
      '#include <no.h>',
      'main.c:1:1: include file "no.h" is neither in the tree nor synthesised; add it to the generated headers or check that the tree is complete',
    ],
    ['\n#if 1\nx', 'main.c:2:1: this #if has no #endif in its file'],
    ['#endif', 'main.c:1:1: #endif without #if'],
    ['#if 1\n#else\n#else\n#endif', 'main.c:3:1: #else after #else'],
    ['#error no good', 'main.c:1:1: #error no good'],
    ['#define F(x) x\n  F(1', 'main.c:2:3: the arguments of macro F are not closed by ")"'],
    ['#define F(x) x\nF(1,2)', 'main.c:2:1: macro F takes 1 arguments, 2 given'],
    ['#define C(a,b) a##b\nC(+,;)', 'main.c:2:1: pasting "+" and ";" does not give one token'],
    ['#if 1 +\n#endif', 'main.c:1:7: this #if expression ends too early'],
    ['#if 1 / 0\n#endif', 'main.c:1:9: this #if expression divides by zero'],
    [
      '#define V(...) f(x __VA_OPT__(,) __VA_ARGS__)',
      'main.c:1:20: __VA_OPT__ is not known; lock this macro or teach macro.ts',
    ],
    ['#frob', 'main.c:1:2: #frob is no directive known here'],
    ['#define 3', 'main.c:1:9: #define needs a name'],
    ['#define F(a', 'main.c:1:11: the macro parameter list is not closed by ")"'],
  ])('%s', (text, want) => {
    expect(words(text)).toBe(want);
  });

  test('a file that includes itself', () => {
    expect(words('#include "main.c"')).toContain('includes are nested 200 deep');
  });

  test('an expansion that doubles for ever', () => {
    const lines = ['#define A0 x x'];
    for (let i = 1; i < 40; i++) lines.push(`#define A${i} A${i - 1} A${i - 1}`);
    expect(words(`${lines.join('\n')}\nA39`)).toContain('grows beyond 4 million tokens');
  });
});

test('no text makes the preprocessor crash or hang', () => {
  const piece = fc.constantFrom(
    '#define A ',
    '#define F(x) ',
    '#define G(x, ...) ',
    'F(',
    'G(1,',
    ')',
    'A',
    'x',
    '##',
    '#',
    ' # x ',
    '\n',
    '\n',
    '#if ',
    '#else\n',
    '#endif\n',
    '#elif ',
    'defined',
    '(',
    '1',
    '&&',
    '"',
    "'",
    '\\\n',
    '/*',
    '*/',
    '//',
    '__LINE__',
    '__VA_ARGS__',
    ', ## __VA_ARGS__',
    '#include "main.c"\n',
    '_Pragma(',
    '\\',
    '0x',
    '.5e+',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      expect(typeof words(pieces.join(''))).toBe('string');
    }),
    { numRuns: 200 },
  );
});
