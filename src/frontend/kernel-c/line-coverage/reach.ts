import type { FunctionDefinition, Initializer } from '../parse/ast.ts';
import type { Unit } from '../parse/unit.ts';
import { spelling } from '../preprocess/symbols.ts';
import { STRIDE } from '../preprocess/token-buffer.ts';
import { findFunction, type Program } from '../vm/program.ts';
import { tokensOn } from './tokens-on.ts';

/**
 * Functions and objects of file scope that the code of some functions names, directly or through what
 * those name, by `unit:name`. Every mention counts, so this is more than what can be run; the bodies of
 * intercepted functions are not looked into, for they are not run.
 */
export function reachableFrom(program: Program, entries: readonly string[]): ReadonlySet<string> {
  const reached = new Set<string>();
  const open: { readonly unit: number; readonly from: number; readonly to: number }[] = [];
  const add = (unit: number, name: string): void => {
    const ref = findFunction(program, unit, name);
    if (ref.definition !== null) {
      const key = `${ref.unit}:${name}`;
      if (reached.has(key)) return;
      reached.add(key);
      const { bodyStart, bodyEnd } = ref.definition;
      open.push({ unit: ref.unit, from: bodyStart, to: bodyEnd });
      return;
    }
    for (const [home, { unit: syntax }] of program.units.entries()) {
      if (home !== unit && isStatic(syntax, name)) continue;
      const key = `${home}:${name}`;
      const extent = initializerExtent(syntax, name);
      if (extent === null || reached.has(key)) continue;
      reached.add(key);
      open.push({ unit: home, ...extent });
    }
  };
  for (const entry of entries) add(0, entry);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { unit } = next;
    const syntax = program.units[unit]?.unit;
    if (syntax === undefined) continue;
    const { data, sources } = syntax.stream;
    for (let token = next.from; token < next.to; token++) {
      const name = spelling(sources.symbols, data[token * STRIDE] ?? 0);
      if (/^[A-Za-z_]/.test(name)) add(unit, name);
    }
  }
  return reached;
}

function isStatic(unit: Unit, name: string): boolean {
  return unit.objects.get(name)?.some(({ storage }) => storage === 'static') === true;
}

/** The tokens of the initializer of an object; `null` when it has none. */
export function initializerExtent(
  unit: Unit,
  name: string,
): { readonly from: number; readonly to: number } | null {
  for (const { declarator } of unit.objects.get(name) ?? []) {
    const { initializer } = declarator;
    if (initializer !== null) return { from: initializer.at, to: endOf(unit, initializer) };
  }
  return null;
}

/** The `;` or `,` after an initializer. */
function endOf({ stream }: Unit, { at }: Initializer): number {
  const { data, count, sources } = stream;
  let depth = 0;
  for (let token = at; token < count; token++) {
    const text = spelling(sources.symbols, data[token * STRIDE] ?? 0);
    if (text === '{' || text === '(' || text === '[') depth += 1;
    else if (text === '}' || text === ')' || text === ']') depth -= 1;
    else if (depth === 0 && (text === ';' || text === ',')) return token;
  }
  return count;
}

/** The function whose head or body holds a token. */
export function functionAt(unit: Unit, token: number): FunctionDefinition | null {
  for (const definition of unit.functions.values()) {
    if (definition.at <= token && token < definition.bodyEnd) return definition;
  }
  return null;
}

/** The functions and objects, by `unit:name`, whose text in a program comes from some lines of a file. */
export function ownersOf(
  program: Program,
  file: string,
  lines: readonly number[],
): ReadonlySet<string> {
  const owners = new Set<string>();
  for (const [unit, { unit: syntax }] of program.units.entries()) {
    for (const { token } of tokensOn(syntax.stream, file, lines)) {
      const definition = functionAt(syntax, token);
      if (definition !== null) owners.add(`${unit}:${definition.name}`);
      else {
        const object = objectAt(syntax, token);
        if (object !== null) owners.add(`${unit}:${object}`);
      }
    }
  }
  return owners;
}

/** The object of file scope whose initializer holds a token. */
export function objectAt(unit: Unit, token: number): string | null {
  for (const name of unit.objects.keys()) {
    const extent = initializerExtent(unit, name);
    if (extent !== null && extent.from <= token && token < extent.to) return name;
  }
  return null;
}
