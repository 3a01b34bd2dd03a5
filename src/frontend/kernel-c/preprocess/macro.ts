import type { FrontendError } from '../diagnostic.ts';
import type { LexedFile } from './lex.ts';
import { Flag } from './lex.ts';
import { P, type Symbols, TokenKind, VA_ARGS } from './symbols.ts';

/** A macro as defined; its body is five integers per token, see `BodyFlag`. */
export interface Macro {
  readonly kind: 'object' | 'function' | 'builtin';
  readonly name: number;
  readonly parameters: number;
  readonly variadic: boolean;
  /** Symbol, flags, location, parameter number (or -1), body flags: `BODY_STRIDE` integers each. */
  readonly body: Int32Array;
  /** True when the body has no `#` and no `##`. */
  readonly plain: boolean;
  /** The parameters whose expansion the body asks for. */
  readonly expanded: readonly number[];
  readonly location: number;
  /** Set while its expansion is being scanned. */
  disabled: boolean;
  /** A locked macro: definitions in the sources do not replace it. */
  readonly locked: boolean;
}

export const BODY_STRIDE = 5;

export const BodyFlag = {
  /** `##` follows. */
  pasteRight: 1,
  /** `##` stands before. */
  pasteLeft: 2,
  /** `#` stands before this parameter. */
  stringify: 4,
} as const;

/** Reads what follows `#define`: tokens `from` up to `end` of one line. */
export function defineMacro(
  symbols: Symbols,
  file: LexedFile,
  from: number,
  end: number,
  locked: boolean,
  fail: (token: number, message: string) => FrontendError,
): Macro {
  const name = file.symbols[from] ?? 0;
  if (from >= end || symbols.kinds[name] !== TokenKind.identifier) {
    throw fail(Math.min(from, end - 1), '#define needs a name');
  }
  let at = from + 1;
  const parameters: number[] = [];
  let variadic = false;
  const isFunction =
    at < end && file.symbols[at] === P['('] && ((file.flags[at] ?? 0) & Flag.space) === 0;
  if (isFunction) {
    at += 1;
    while (at < end && file.symbols[at] !== P[')']) {
      const symbol = file.symbols[at] ?? 0;
      if (symbol === P['...']) {
        variadic = true;
        parameters.push(VA_ARGS);
        at += 1;
      } else if (symbols.kinds[symbol] === TokenKind.identifier) {
        parameters.push(symbol);
        at += 1;
        if (at < end && file.symbols[at] === P['...']) {
          variadic = true;
          at += 1;
        }
      } else {
        throw fail(at, `"${symbols.names[symbol] ?? ''}" cannot be a macro parameter`);
      }
      if (at < end && file.symbols[at] === P[',']) at += 1;
      else if (at >= end || file.symbols[at] !== P[')']) {
        throw fail(Math.min(at, end - 1), 'the macro parameter list is not closed by ")"');
      }
    }
    if (at >= end) throw fail(end - 1, 'the macro parameter list is not closed by ")"');
    at += 1;
  }
  const optional = symbols.index.get('__VA_OPT__');
  if (optional !== undefined) {
    const found = file.symbols.subarray(at, end).indexOf(optional);
    if (found >= 0)
      throw fail(at + found, '__VA_OPT__ is not known; lock this macro or teach macro.ts');
  }
  const { body, plain } = readBody(symbols, file, at, end, isFunction, parameters);
  return {
    kind: isFunction ? 'function' : 'object',
    name,
    parameters: parameters.length,
    variadic,
    body,
    plain,
    expanded: expandedParameters(body),
    location: file.base + (file.offsets[from] ?? 0),
    disabled: false,
    locked,
  };
}

/** A macro the preprocessor itself knows, such as `__LINE__`. */
export function builtin(name: number): Macro {
  return {
    kind: 'builtin',
    name,
    parameters: 0,
    variadic: false,
    body: new Int32Array(0),
    plain: true,
    expanded: [],
    location: 0,
    disabled: false,
    locked: true,
  };
}

function expandedParameters(body: Int32Array): readonly number[] {
  const found: number[] = [];
  for (let at = 0; at < body.length; at += BODY_STRIDE) {
    const parameter = body[at + 3] ?? -1;
    if (parameter >= 0 && body[at + 4] === 0 && !found.includes(parameter)) found.push(parameter);
  }
  return found;
}

function readBody(
  symbols: Symbols,
  file: LexedFile,
  from: number,
  end: number,
  isFunction: boolean,
  parameters: readonly number[],
): { readonly body: Int32Array; readonly plain: boolean } {
  const body = new Int32Array((end - from) * BODY_STRIDE);
  let length = 0;
  let plain = true;
  let pasteLeft = 0;
  let stringify = 0;
  for (let at = from; at < end; at++) {
    const symbol = file.symbols[at] ?? 0;
    if (symbol === P['##'] && length > 0 && at + 1 < end) {
      const last = length - 1;
      body[last] = (body[last] ?? 0) | BodyFlag.pasteRight;
      pasteLeft = BodyFlag.pasteLeft;
      plain = false;
      continue;
    }
    if (isFunction && symbol === P['#'] && parameters.includes(file.symbols[at + 1] ?? 0)) {
      stringify = BodyFlag.stringify;
      plain = false;
      if (((file.flags[at] ?? 0) & Flag.space) !== 0) stringify |= 8;
      continue;
    }
    const parameter =
      symbols.kinds[symbol] === TokenKind.identifier ? parameters.indexOf(symbol) : -1;
    body[length] = symbol;
    // A line continued in a body is white space, not the beginning of a directive.
    let flags = (file.flags[at] ?? 0) & Flag.space;
    if (stringify !== 0) flags = (stringify & 8) !== 0 ? Flag.space : 0;
    body[length + 1] = flags;
    body[length + 2] = file.base + (file.offsets[at] ?? 0);
    body[length + 3] = parameter;
    body[length + 4] = pasteLeft | (stringify & BodyFlag.stringify);
    length += BODY_STRIDE;
    pasteLeft = 0;
    stringify = 0;
  }
  return { body: body.slice(0, length), plain };
}
