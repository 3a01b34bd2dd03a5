/**
 * A growing run of tokens, four integers each: symbol, flags, location, origin. The origin is 0 for a
 * token written in a file outside any macro, else the macro invocation it came from.
 */
export interface TokenBuffer {
  data: Int32Array;
  /** Integers in use: four per token. */
  length: number;
}

export const STRIDE = 4;

export function createBuffer(tokens: number): TokenBuffer {
  return { data: new Int32Array(tokens * STRIDE), length: 0 };
}

export function pushToken(
  buffer: TokenBuffer,
  symbol: number,
  flags: number,
  location: number,
  origin: number,
): void {
  const at = buffer.length;
  if (at + STRIDE > buffer.data.length) reserve(buffer, STRIDE);
  const data = buffer.data;
  data[at] = symbol;
  data[at + 1] = flags;
  data[at + 2] = location;
  data[at + 3] = origin;
  buffer.length = at + STRIDE;
}

/** Makes room for `more` further integers. */
export function reserve(buffer: TokenBuffer, more: number): void {
  const needed = buffer.length + more;
  if (needed <= buffer.data.length) return;
  const wider = new Int32Array(Math.max(needed, buffer.data.length * 2));
  wider.set(buffer.data.subarray(0, buffer.length));
  buffer.data = wider;
}

/** Appends the integers `from` to `end` of a buffer, which may be the same one. */
export function copyTokens(
  into: TokenBuffer,
  source: TokenBuffer,
  from: number,
  end: number,
): number {
  const start = into.length;
  reserve(into, end - from);
  into.data.set(source.data.subarray(from, end), start);
  into.length = start + (end - from);
  return start;
}
