import type { SourceLocation } from '../../../program/source-location.ts';
import type { StackEntry } from '../vm/advance.ts';

/**
 * Where the innermost of some open calls has come to, with the calls it was reached through. Lines are
 * those of the tree as patched, at the outermost macro use.
 */
export function locationOf(stack: readonly StackEntry[], text: string): SourceLocation {
  const [inner, ...callers] = stack;
  if (inner === undefined) return { file: '<thread>', line: 0, function: '<thread>', text };
  const macro = inner.origin.macros[0]?.name;
  const words = macro === undefined ? text : `${macro}(): ${text}`;
  const caller = callerOf(callers, inner.function);
  const here = placed(inner, words);
  return caller === null ? here : { ...here, caller };
}

function callerOf(stack: readonly StackEntry[], callee: string): SourceLocation | null {
  const [inner, ...callers] = stack;
  if (inner === undefined) return null;
  const caller = callerOf(callers, inner.function);
  const here = placed(inner, `${callee}()`);
  return caller === null ? here : { ...here, caller };
}

function placed({ function: name, origin }: StackEntry, text: string): SourceLocation {
  return { file: origin.use.file, line: origin.use.line, function: shownName(name), text };
}

/** The functions of a scenario file have longer names in the unit, so that several files fit into one. */
function shownName(name: string): string {
  return /^tlbgate_(host\d?|setup)_\d+$/.exec(name)?.[1] ?? name;
}
