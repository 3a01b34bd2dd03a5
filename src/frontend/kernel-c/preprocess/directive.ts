import { enableDefined } from './builtin.ts';
import { evaluateCondition } from './condition.ts';
import { borrowScratch, expandRange } from './expand.ts';
import { resolveInclude } from './include.ts';
import { Flag, type LexedFile } from './lex.ts';
import { defineMacro } from './macro.ts';
import { addPack, type Condition, failAt, type FileFrame, type State } from './state.ts';
import { P, spelling, TokenKind } from './symbols.ts';
import { pushToken, STRIDE, type TokenBuffer } from './token-buffer.ts';

const MAX_INCLUDE_DEPTH = 200;

/** Carries out the directive whose `#` is token `hash` and moves the frame past it. */
export function runDirective(state: State, frame: FileFrame, hash: number): void {
  const { file } = frame;
  const end = endOfLine(file, hash);
  moveTo(frame, hash, end);
  if (end === hash + 1) return;
  const name = spelling(state.sources.symbols, file.symbols[hash + 1] ?? 0);
  const fail = (token: number, message: string): Error =>
    failAt(state, locationOf(file, Math.min(token, end - 1)), message);
  switch (name) {
    case 'define':
      return define(state, file, hash + 2, end, false);
    case 'undef':
      return undefine(state, file, hash + 2, fail);
    case 'include':
    case 'include_next':
    case 'import':
      return include(state, frame, hash, end, name === 'include_next');
    case 'ifdef':
    case 'ifndef': {
      const symbol = file.symbols[hash + 2] ?? 0;
      if (hash + 2 >= end || !isName(state, symbol)) throw fail(end, `#${name} needs a name`);
      if (state.macros[symbol] === undefined) state.undefinedTested.add(symbol);
      return enter(state, frame, hash, (state.macros[symbol] !== undefined) === (name === 'ifdef'));
    }
    case 'if':
      return enter(state, frame, hash, condition(state, file, hash, end));
    case 'elif':
    case 'else':
    case 'endif':
      return leaveGroup(state, frame, hash, name);
    case 'error':
      throw fail(hash, `#error ${rest(state, file, hash + 2, end)}`);
    case 'pragma':
      if (spelling(state.sources.symbols, file.symbols[hash + 2] ?? 0) === 'once') {
        state.pragmaOnce.add(file);
      }
      if (spelling(state.sources.symbols, file.symbols[hash + 2] ?? 0) === 'pack') {
        addPack(state, rest(state, file, hash + 4, end - 1).replace(/ /g, ''));
      }
      return;
    case 'warning':
    case 'line':
    case 'ident':
    case 'sccs':
      return;
    default:
      if (state.sources.symbols.kinds[file.symbols[hash + 1] ?? 0] === TokenKind.number) return;
      throw fail(hash + 1, `#${name} is no directive known here`);
  }
}

/** Enters a file found by an include or given by the caller. */
export function enterFile(state: State, file: LexedFile, searchIndex: number): void {
  state.included.add(file.path);
  if (state.pragmaOnce.has(file)) return;
  if (file.guard !== 0 && state.macros[file.guard] !== undefined) return;
  state.frames.push({
    file,
    next: 0,
    nextDirective: 0,
    conditions: state.conditions.length,
    searchIndex,
  });
}

export function define(
  state: State,
  file: LexedFile,
  from: number,
  end: number,
  locked: boolean,
): void {
  const fail = (token: number, message: string): ReturnType<typeof failAt> =>
    failAt(state, locationOf(file, token), message);
  const old = state.macros[file.symbols[from] ?? 0];
  if (old?.locked === true && from < end) {
    if (old.kind !== 'builtin') noteLocked(state, file, from);
    return;
  }
  const macro = defineMacro(state.sources.symbols, file, from, end, locked, fail);
  state.macros[macro.name] = macro;
}

function undefine(
  state: State,
  file: LexedFile,
  at: number,
  fail: (token: number, message: string) => Error,
): void {
  const symbol = file.symbols[at] ?? 0;
  if (!isName(state, symbol)) throw fail(at, '#undef needs a name');
  const old = state.macros[symbol];
  if (old?.locked === true) {
    if (old.kind !== 'builtin') noteLocked(state, file, at);
    return;
  }
  state.macros[symbol] = undefined;
}

function noteLocked(state: State, file: LexedFile, token: number): void {
  state.ignoredDefinitions.push({
    name: spelling(state.sources.symbols, file.symbols[token] ?? 0),
    location: locationOf(file, token),
  });
}

function include(state: State, frame: FileFrame, hash: number, end: number, next: boolean): void {
  const { file } = frame;
  const fail = (message: string): Error => failAt(state, locationOf(file, hash), message);
  const { name, quoted } = includeName(state, file, hash + 2, end, fail);
  if (state.frames.length >= MAX_INCLUDE_DEPTH) {
    throw fail(`includes are nested ${MAX_INCLUDE_DEPTH} deep: a file includes itself`);
  }
  const after = next ? frame.searchIndex : -1;
  const found = resolveInclude(state, name, quoted, file.path, after);
  if (found === null) {
    throw fail(
      `include file "${name}" is neither in the tree nor synthesised; add it to the generated headers or check that the tree is complete`,
    );
  }
  enterFile(state, found.file, found.index);
}

function includeName(
  state: State,
  file: LexedFile,
  from: number,
  end: number,
  fail: (message: string) => Error,
): { readonly name: string; readonly quoted: boolean } {
  const { symbols } = state.sources;
  const words: string[] = [];
  if (
    file.symbols[from] === P['<'] ||
    symbols.kinds[file.symbols[from] ?? 0] === TokenKind.string
  ) {
    for (let at = from; at < end; at++) {
      if (at > from && file.symbols[from] === P['<'] && (file.flags[at] ?? 0) & Flag.space) {
        words.push(' ');
      }
      words.push(spelling(symbols, file.symbols[at] ?? 0));
    }
  } else {
    const expanded = expandLine(state, file, from, end);
    for (let at = 0; at < expanded.length; at += STRIDE) {
      words.push(spelling(symbols, expanded.data[at] ?? 0));
    }
    state.scratchDepth -= 1;
  }
  const text = words.join('').trim();
  const angle = /^<([^>]+)>/.exec(text);
  if (angle !== null) return { name: (angle[1] ?? '').trim(), quoted: false };
  const quote = /^"([^"]+)"/.exec(text);
  if (quote !== null) return { name: quote[1] ?? '', quoted: true };
  throw fail('#include needs "file" or <file>');
}

function condition(state: State, file: LexedFile, hash: number, end: number): boolean {
  enableDefined(state, true);
  const tokens = expandLine(state, file, hash + 2, end);
  enableDefined(state, false);
  const value = evaluateCondition(state, tokens, locationOf(file, hash));
  state.scratchDepth -= 1;
  return value;
}

/** Expands the tokens of a line; the caller gives the scratch buffer back. */
function expandLine(state: State, file: LexedFile, from: number, end: number): TokenBuffer {
  const start = state.arena.length;
  for (let at = from; at < end; at++) {
    pushToken(state.arena, file.symbols[at] ?? 0, file.flags[at] ?? 0, locationOf(file, at), 0);
  }
  const scratch = borrowScratch(state);
  expandRange(state, start, state.arena.length, scratch);
  return scratch;
}

function enter(state: State, frame: FileFrame, hash: number, taken: boolean): void {
  state.conditions.push({ taken, sawElse: false, location: locationOf(frame.file, hash) });
  if (!taken) skipGroup(state, frame);
}

/** An `#elif`, `#else` or `#endif` met while reading: the group before it was taken. */
function leaveGroup(
  state: State,
  frame: FileFrame,
  hash: number,
  name: 'elif' | 'else' | 'endif',
): void {
  const open = innermost(state, frame, hash, name);
  if (name === 'endif') {
    state.conditions.pop();
    return;
  }
  if (name === 'else') open.sawElse = true;
  skipGroup(state, frame);
}

function innermost(state: State, frame: FileFrame, hash: number, name: string): Condition {
  const open = state.conditions[state.conditions.length - 1];
  if (open === undefined || state.conditions.length <= frame.conditions) {
    throw failAt(state, locationOf(frame.file, hash), `#${name} without #if`);
  }
  if (open.sawElse && name !== 'endif') {
    throw failAt(state, locationOf(frame.file, hash), `#${name} after #else`);
  }
  return open;
}

/** Goes from directive to directive until a group is taken or the condition ends. */
function skipGroup(state: State, frame: FileFrame): void {
  const { file } = frame;
  const { symbols } = state.sources;
  let depth = 0;
  for (; frame.nextDirective < file.directives.length; frame.nextDirective++) {
    const hash = file.directives[frame.nextDirective] ?? 0;
    if (hash < frame.next) continue;
    const name = spelling(symbols, file.symbols[hash + 1] ?? 0);
    if (name === 'if' || name === 'ifdef' || name === 'ifndef') {
      depth += 1;
      continue;
    }
    if (name !== 'elif' && name !== 'else' && name !== 'endif') continue;
    if (depth > 0) {
      if (name === 'endif') depth -= 1;
      continue;
    }
    const end = endOfLine(file, hash);
    const open = innermost(state, frame, hash, name);
    if (name === 'endif') {
      state.conditions.pop();
      moveTo(frame, hash, end);
      return;
    }
    if (name === 'else') open.sawElse = true;
    if (!open.taken && (name === 'else' || condition(state, file, hash, end))) {
      open.taken = true;
      moveTo(frame, hash, end);
      return;
    }
  }
  frame.next = file.count;
}

function moveTo(frame: FileFrame, hash: number, end: number): void {
  frame.next = end;
  const { directives } = frame.file;
  let next = frame.nextDirective;
  while (next < directives.length && (directives[next] ?? 0) <= hash) next += 1;
  frame.nextDirective = next;
}

function endOfLine(file: LexedFile, from: number): number {
  let end = from + 1;
  while (end < file.count && ((file.flags[end] ?? 0) & Flag.lineStart) === 0) end += 1;
  return end;
}

function locationOf(file: LexedFile, token: number): number {
  return file.base + (file.offsets[token] ?? file.size);
}

function isName(state: State, symbol: number): boolean {
  return state.sources.symbols.kinds[symbol] === TokenKind.identifier;
}

function rest(state: State, file: LexedFile, from: number, end: number): string {
  const words: string[] = [];
  for (let at = from; at < end; at++) {
    words.push(spelling(state.sources.symbols, file.symbols[at] ?? 0));
  }
  return words.join(' ');
}
