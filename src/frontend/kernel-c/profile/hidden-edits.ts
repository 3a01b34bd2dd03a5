import { FrontendError } from '../diagnostic.ts';
import type { Unit } from '../parse/unit.ts';
import { originOf } from '../preprocess/token-stream.ts';
import type { Place } from '../preprocess/sources.ts';
import type { Overlay, ReadFile } from '../read-file.ts';

/** A definition that is not used as the tree has it. */
export interface HiddenDefinition {
  readonly name: string;
  readonly file: string;
  /** First and last line, from 1. */
  readonly first: number;
  readonly last: number;
}

/** Functions of a unit whose meaning stands in the runtime although they have a body. */
export function interceptedBodies(
  unit: Unit,
  intercepted: ReadonlySet<string>,
): readonly HiddenDefinition[] {
  return [...unit.functions.values()]
    .filter(({ name }) => intercepted.has(name))
    .map(({ name, at, bodyEnd }) => {
      const first = originOf(unit.stream, at).use;
      const last = originOf(unit.stream, bodyEnd - 1).use;
      return { name, file: first.file, first: first.line, last: Math.max(first.line, last.line) };
    });
}

/** Macros that are locked although the tree defines them. */
export function lockedDefinitions(
  ignored: readonly { readonly name: string; readonly place: Place }[],
  read: ReadFile,
): readonly HiddenDefinition[] {
  return ignored.map(({ name, place: { file, line } }) => {
    const lines = (read(file) ?? '').split('\n');
    let last = line;
    while (lines[last - 1]?.endsWith('\\') === true) last += 1;
    return { name, file, first: line, last };
  });
}

/** Throws when a patch edits assembly, which is not run. */
export function rejectAssembly(overlay: Overlay): void {
  for (const path of overlay.keys()) {
    if (path.endsWith('.S')) {
      throw new FrontendError(path, 0, 0, 'the patch edits assembly, which is not run');
    }
  }
}

/**
 * Throws when a patch edits what is not run: a function with a meaning of its own here, or a locked
 * macro. A verdict about such a patch would not be about what it changes.
 */
export function rejectHiddenEdits(
  definitions: readonly HiddenDefinition[],
  overlay: Overlay,
  read: ReadFile,
): void {
  for (const { name, file, first, last } of definitions) {
    const patched = overlay.get(file);
    if (patched === undefined || patched === null) continue;
    const text = patched
      .split('\n')
      .slice(first - 1, last)
      .join('\n');
    if (`\n${read(file) ?? ''}\n`.includes(`\n${text}\n`)) continue;
    throw new FrontendError(
      file,
      first,
      0,
      `the patch edits ${name}, which is not run as it stands: its meaning is fixed in src/frontend/kernel-c/runtime/meanings or tree/locked-macros.ts`,
    );
  }
}
