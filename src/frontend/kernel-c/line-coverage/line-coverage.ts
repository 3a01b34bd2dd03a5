import { attempt } from '../diagnostic.ts';
import type { CompiledFunction } from '../lower/bytecode.ts';
import { parseBody, type Unit } from '../parse/unit.ts';
import { textAt } from '../preprocess/token-stream.ts';
import { compiled, type Program } from '../vm/program.ts';
import { type RawLine, rawLines } from './raw-lines.ts';
import { functionAt, objectAt } from './reach.ts';
import { type StatementStart, statementStarts } from './statements.ts';
import { type LineToken, tokensOn } from './tokens-on.ts';

/** What became of a line of source in the runs of a program. */
export type LineCoverage =
  /** Nothing on it is ever executed: blank, comment, brace, declaration, directive. */
  | { readonly kind: 'no-code' }
  | { readonly kind: 'executed' }
  /** Executed, but a branch that is written on it went the same way every time. */
  | { readonly kind: 'one-way'; readonly why: string }
  | { readonly kind: 'missed'; readonly why: string };

/**
 * What the runs so far made of some lines of a file. A line is executed when every statement that has
 * a part on it was, in some run of some unit; it is one-way when a branch on it was not taken both ways.
 * A line of a macro counts where the macro is used. The programs are those of one side of a
 * comparison, `text` the file as that side has it.
 */
export function coverLines(
  programs: readonly Program[],
  file: string,
  text: string,
  lines: readonly number[],
): ReadonlyMap<number, LineCoverage> {
  const notes = new Map<number, LineNotes>();
  const raw = rawLines(text, lines);
  let known = false;
  for (const program of programs) {
    for (const [unit, { unit: syntax }] of program.units.entries()) {
      if (syntax.stream.sources.byPath.get(file) == null) continue;
      known = true;
      noteUnit({ program, unit, syntax, file }, raw, notes);
    }
  }
  const why = 'no unit that was loaded reads this file';
  return new Map(
    lines.map((line): [number, LineCoverage] => {
      const found = judge(raw.get(line) ?? 'blank', notes.get(line));
      return [line, found.kind === 'missed' && !known ? { kind: 'missed', why } : found];
    }),
  );
}

/** A part of a statement that stands on one line, or a use of a macro, in all units that have it. */
interface Part {
  executed: boolean;
  why: string;
  /** Which ways its branches went, by column: 1 for yes, 2 for no. */
  readonly branches: Map<number, number>;
}

/** What the streams hold of a line: nothing at all when it is left out of every unit. */
interface LineNotes {
  /** By the column at which they begin. */
  readonly parts: Map<number, Part>;
}

function judge(raw: RawLine, notes: LineNotes | undefined): LineCoverage {
  if (raw !== 'macro' && raw !== 'code') return { kind: 'no-code' };
  if (notes === undefined) {
    return raw === 'macro'
      ? { kind: 'missed', why: 'the macro is used nowhere in the code that was loaded' }
      : { kind: 'missed', why: 'the configuration leaves it out' };
  }
  const parts = [...notes.parts.values()];
  const missed = parts.find(({ executed }) => !executed);
  if (missed !== undefined) return { kind: 'missed', why: missed.why };
  for (const { branches } of parts) {
    for (const outcomes of branches.values()) {
      if (outcomes !== 3)
        return { kind: 'one-way', why: 'a condition on it goes one way in every run' };
    }
  }
  return parts.length === 0 ? { kind: 'no-code' } : { kind: 'executed' };
}

interface UnitOf {
  readonly program: Program;
  readonly unit: number;
  readonly syntax: Unit;
  readonly file: string;
}

/** Code that tokens belong to: a function, or the first value of an object. */
interface Owner {
  readonly key: string;
  readonly name: string;
  /** `null` when it cannot be lowered, or was never asked for. */
  readonly code: CompiledFunction | null;
  readonly statements: readonly StatementStart[];
  readonly why: string;
  /** For the first value of an object: the object, as the VM knows it. */
  readonly object: string | null;
}

/** Tokens that say nothing alone. */
const SHAPE: ReadonlySet<string> = new Set(['{', '}', ';', '(', ')', ',', 'else', 'do']);

/** Our own text in place of a check of the kernel's. */
const LOCKED = '<locked>';

/** Checks that are to hold always: nobody expects to see them fail. */
const CHECK = /WARN|BUG/;

function noteUnit(
  of: UnitOf,
  raw: ReadonlyMap<number, RawLine>,
  notes: Map<number, LineNotes>,
): void {
  const owners = new Map<string, Owner>();
  const groups = new Map<string, { owner: Owner; line: number; tokens: LineToken[] }>();
  for (const found of tokensOn(of.syntax.stream, of.file, [...raw.keys()])) {
    let note = notes.get(found.line);
    if (note === undefined) notes.set(found.line, (note = { parts: new Map() }));
    if (found.spelt.file === LOCKED) continue;
    const owner = ownerOf(of, found.token, owners);
    if (owner === null) continue;
    // The text of a macro falls into statements where it is used; a use, with its arguments, is one
    // thing, for a macro may put them into several branches of which one is taken.
    const ofUse = found.use !== 0 && raw.get(found.line) === 'code';
    const group = ofUse
      ? `${found.line} ${owner.key} use ${found.use}`
      : `${found.line} ${owner.key} ${statementAt(owner, found.token)?.at ?? -1}`;
    const known = groups.get(group);
    if (known === undefined) groups.set(group, { owner, line: found.line, tokens: [found] });
    else known.tokens.push(found);
  }
  for (const { owner, line, tokens } of groups.values()) {
    const part = partOf(of, owner, tokens);
    if (part === null) continue;
    const parts = notes.get(line)?.parts;
    const column = Math.min(...tokens.map((token) => token.column));
    const known = parts?.get(column);
    if (known === undefined) parts?.set(column, part);
    else merge(known, part);
  }
}

function merge(known: Part, more: Part): void {
  known.executed ||= more.executed;
  for (const [column, outcomes] of more.branches) {
    known.branches.set(column, (known.branches.get(column) ?? 0) | outcomes);
  }
}

function ownerOf(of: UnitOf, token: number, owners: Map<string, Owner>): Owner | null {
  const { program, unit, syntax } = of;
  const definition = functionAt(syntax, token);
  if (definition !== null) {
    if (token < definition.bodyStart) return null;
    const key = `${unit}:${definition.name}`;
    const known = owners.get(key);
    if (known !== undefined) return known;
    const body = parseBody(syntax, definition);
    const code = attempt(() => compiled(program, { unit, name: definition.name, definition }));
    const owner: Owner = {
      key,
      name: definition.name,
      code: code.kind === 'ok' ? code.value : null,
      statements: body.kind === 'ok' ? statementStarts(body.value) : [],
      why: `no scenario that was run comes here in ${definition.name}()`,
      object: null,
    };
    owners.set(key, owner);
    return owner;
  }
  const name = objectAt(syntax, token);
  if (name === null) return null;
  const local = `${unit}:${name}`;
  const object = program.initializers.get(local) == null ? name : local;
  const code = program.initializers.get(object) ?? null;
  const why = `no scenario that was run reads this part of ${name}`;
  return { key: `object ${local}`, name, code, statements: [], why, object };
}

function statementAt({ statements }: Owner, token: number): StatementStart | null {
  let found: StatementStart | null = null;
  for (const start of statements) {
    if (start.at > token) break;
    found = start;
  }
  return found;
}

/** Statements that are code even when nothing was made of them. */
const ALWAYS_CODE: ReadonlySet<string> = new Set(['expression', 'return', 'goto', 'asm']);

/** What became of some tokens of one statement; `null` when there is nothing to execute. */
function partOf(of: UnitOf, owner: Owner, tokens: readonly LineToken[]): Part | null {
  const written = tokens.filter((token) => token.written);
  const isShape = ({ token }: LineToken): boolean => SHAPE.has(textAt(of.syntax.stream, token));
  if (written.length === tokens.length && tokens.every(isShape)) return null;
  const part = (executed: boolean, why = owner.why): Part => ({
    executed,
    why,
    branches: new Map(),
  });
  const { code } = owner;
  if (code === null) return part(false);
  if (owner.object !== null) return part(isRead(of.program, owner.object, code, tokens));
  const reached = of.program.reached.get(code);
  const at = new Map(tokens.map((token) => [token.token, token]));
  let any = false;
  const made = part(false);
  code.code.forEach((instruction, pc) => {
    const token = at.get(instruction.at);
    if (token === undefined || instruction.op === 'unset') return;
    any = true;
    if (reached?.instructions[pc] !== 1) return;
    made.executed = true;
    if (instruction.op !== 'branch' || !token.written) return;
    if (token.macros.some((name) => CHECK.test(name))) return;
    const outcomes = reached.outcomes[pc] ?? 0;
    made.branches.set(token.column, (made.branches.get(token.column) ?? 0) | outcomes);
  });
  if (any) return made;
  return written.length === 0 ? null : fromStatements(of, owner, code, written, part);
}

/** Whether the part of an object that some tokens give was read; all of it where that is not known. */
function isRead(
  program: Program,
  object: string,
  code: CompiledFunction,
  tokens: readonly LineToken[],
): boolean {
  const read = program.read.get(object);
  if (read === undefined) return false;
  const at = new Set(tokens.map(({ token }) => token));
  const own = [...(program.firstStores.get(code) ?? [])].filter(([pc]) =>
    at.has(code.code[pc]?.at ?? -1),
  );
  if (own.length === 0) return read.includes(1);
  return own.some(([, [offset, size]]) => read.subarray(offset, offset + size).includes(1));
}

/** Tokens without code of their own are executed with their statements. */
function fromStatements(
  of: UnitOf,
  owner: Owner,
  code: CompiledFunction,
  tokens: readonly LineToken[],
  part: (executed: boolean, why?: string) => Part,
): Part | null {
  const reached = of.program.reached.get(code);
  let any = false;
  let executed = false;
  let isCode = false;
  for (const { token } of tokens) {
    const statement = statementAt(owner, token);
    const next = owner.statements.find(({ at }) => at > token)?.at ?? Infinity;
    const from = statement?.at ?? 0;
    isCode ||= statement !== null && ALWAYS_CODE.has(statement.kind);
    code.code.forEach(({ op, at }, pc) => {
      if (at < from || at >= next || op === 'unset') return;
      any = true;
      executed ||= reached?.instructions[pc] === 1;
    });
  }
  if (any) return part(executed);
  return isCode ? part(false, `no code is made of it in ${owner.name}()`) : null;
}
