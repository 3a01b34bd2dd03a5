import type { Symbols } from '../preprocess/symbols.ts';

/** The reserved words of GNU C by what they do; spellings with underscores are the same word. */
export const Keyword = {
  none: 0,
  auto: 1,
  break: 2,
  case: 3,
  char: 4,
  const: 5,
  continue: 6,
  default: 7,
  do: 8,
  double: 9,
  else: 10,
  enum: 11,
  extern: 12,
  float: 13,
  for: 14,
  goto: 15,
  if: 16,
  inline: 17,
  int: 18,
  long: 19,
  register: 20,
  restrict: 21,
  return: 22,
  short: 23,
  signed: 24,
  sizeof: 25,
  static: 26,
  struct: 27,
  switch: 28,
  typedef: 29,
  union: 30,
  unsigned: 31,
  void: 32,
  volatile: 33,
  while: 34,
  bool: 35,
  int128: 36,
  typeof: 37,
  autoType: 38,
  attribute: 39,
  asm: 40,
  extension: 41,
  alignof: 42,
  alignas: 43,
  noreturn: 44,
  staticAssert: 45,
  threadLocal: 46,
  generic: 47,
  label: 48,
  vaList: 49,
  vaArg: 50,
  offsetof: 51,
  typesCompatible: 52,
  choose: 53,
  typeofUnqualified: 54,
} as const;

const SPELLINGS: readonly (readonly [number, string])[] = [
  [Keyword.auto, 'auto'],
  [Keyword.break, 'break'],
  [Keyword.case, 'case'],
  [Keyword.char, 'char'],
  [Keyword.const, 'const __const __const__'],
  [Keyword.continue, 'continue'],
  [Keyword.default, 'default'],
  [Keyword.do, 'do'],
  [Keyword.double, 'double'],
  [Keyword.else, 'else'],
  [Keyword.enum, 'enum'],
  [Keyword.extern, 'extern'],
  [Keyword.float, 'float'],
  [Keyword.for, 'for'],
  [Keyword.goto, 'goto'],
  [Keyword.if, 'if'],
  [Keyword.inline, 'inline __inline __inline__'],
  [Keyword.int, 'int'],
  [Keyword.long, 'long'],
  [Keyword.register, 'register'],
  [Keyword.restrict, 'restrict __restrict __restrict__ _Atomic'],
  [Keyword.return, 'return'],
  [Keyword.short, 'short'],
  [Keyword.signed, 'signed __signed __signed__'],
  [Keyword.sizeof, 'sizeof'],
  [Keyword.static, 'static'],
  [Keyword.struct, 'struct'],
  [Keyword.switch, 'switch'],
  [Keyword.typedef, 'typedef'],
  [Keyword.union, 'union'],
  [Keyword.unsigned, 'unsigned'],
  [Keyword.void, 'void'],
  [Keyword.volatile, 'volatile __volatile __volatile__'],
  [Keyword.while, 'while'],
  [Keyword.bool, '_Bool'],
  [Keyword.int128, '__int128'],
  [Keyword.typeof, 'typeof __typeof __typeof__'],
  [Keyword.typeofUnqualified, 'typeof_unqual __typeof_unqual__'],
  [Keyword.autoType, '__auto_type'],
  [Keyword.attribute, '__attribute __attribute__'],
  [Keyword.asm, 'asm __asm __asm__'],
  [Keyword.extension, '__extension__'],
  [Keyword.alignof, '_Alignof __alignof __alignof__'],
  [Keyword.alignas, '_Alignas'],
  [Keyword.noreturn, '_Noreturn'],
  [Keyword.staticAssert, '_Static_assert'],
  [Keyword.threadLocal, '_Thread_local __thread'],
  [Keyword.generic, '_Generic'],
  [Keyword.label, '__label__'],
  [Keyword.vaList, '__builtin_va_list'],
  [Keyword.vaArg, '__builtin_va_arg'],
  [Keyword.offsetof, '__builtin_offsetof'],
  [Keyword.typesCompatible, '__builtin_types_compatible_p'],
  [Keyword.choose, '__builtin_choose_expr'],
];

/** The keyword of each symbol, 0 for the rest. Symbols that are interned later are no keywords. */
export function keywordTable(symbols: Symbols): Uint8Array {
  const table = new Uint8Array(symbols.names.length);
  for (const [keyword, spellings] of SPELLINGS) {
    for (const word of spellings.split(' ')) {
      const symbol = symbols.index.get(word);
      if (symbol !== undefined) table[symbol] = keyword;
    }
  }
  return table;
}

/** True for words that can begin or continue the specifiers of a declaration. */
export const STARTS_TYPE: Uint8Array = (() => {
  const table = new Uint8Array(64);
  for (const keyword of [
    Keyword.char,
    Keyword.const,
    Keyword.double,
    Keyword.enum,
    Keyword.float,
    Keyword.int,
    Keyword.long,
    Keyword.restrict,
    Keyword.short,
    Keyword.signed,
    Keyword.struct,
    Keyword.union,
    Keyword.unsigned,
    Keyword.void,
    Keyword.volatile,
    Keyword.bool,
    Keyword.int128,
    Keyword.typeof,
    Keyword.typeofUnqualified,
    Keyword.autoType,
    Keyword.vaList,
    Keyword.alignas,
  ]) {
    table[keyword] = 1;
  }
  for (const keyword of [
    Keyword.auto,
    Keyword.extern,
    Keyword.inline,
    Keyword.register,
    Keyword.static,
    Keyword.typedef,
    Keyword.noreturn,
    Keyword.threadLocal,
  ]) {
    table[keyword] = 2;
  }
  return table;
})();
