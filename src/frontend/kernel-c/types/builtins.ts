import {
  BOOL,
  CHAR,
  INT,
  LONG,
  pointerTo,
  type Type,
  UNSIGNED_INT,
  UNSIGNED_LONG,
  VOID,
  integerType,
} from './type.ts';

const POINTER = pointerTo(VOID);

const RETURNS: ReadonlyMap<string, Type> = new Map<string, Type>([
  ['constant_p', INT],
  ['expect', LONG],
  ['expect_with_probability', LONG],
  ['unreachable', VOID],
  ['trap', VOID],
  ['va_start', VOID],
  ['va_end', VOID],
  ['va_copy', VOID],
  ['prefetch', VOID],
  ['return_address', POINTER],
  ['frame_address', POINTER],
  ['extract_return_addr', POINTER],
  ['alloca', POINTER],
  ['object_size', UNSIGNED_LONG],
  ['dynamic_object_size', UNSIGNED_LONG],
  ['memcpy', POINTER],
  ['memmove', POINTER],
  ['memset', POINTER],
  ['memcmp', INT],
  ['memchr', POINTER],
  ['strcmp', INT],
  ['strncmp', INT],
  ['strlen', UNSIGNED_LONG],
  ['strcpy', pointerTo(CHAR)],
  ['strncpy', pointerTo(CHAR)],
  ['strcat', pointerTo(CHAR)],
  ['strchr', pointerTo(CHAR)],
  ['bswap16', integerType('unsigned short')],
  ['bswap32', UNSIGNED_INT],
  ['bswap64', UNSIGNED_LONG],
  ['add_overflow', BOOL],
  ['sub_overflow', BOOL],
  ['mul_overflow', BOOL],
  ['abs', INT],
  ['labs', LONG],
  ['assume_aligned', POINTER],
  ['has_attribute', INT],
  ['classify_type', INT],
  ['stack_save', POINTER],
]);

/** What a call of a compiler builtin gives; `null` for a name that is none or is not known. */
export function builtinReturns(name: string): Type | null {
  if (name.startsWith('__sync_')) return UNSIGNED_LONG;
  if (!name.startsWith('__builtin_')) return null;
  const bare = name.slice('__builtin_'.length);
  if (/^(?:ffs|clz|ctz|popcount|parity|clrsb)(?:l|ll)?$/.test(bare)) return INT;
  return RETURNS.get(bare.replace(/^__(.*)_chk$/, '$1')) ?? null;
}
