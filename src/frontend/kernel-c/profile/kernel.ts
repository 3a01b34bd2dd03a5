import { attempt, FrontendError, type Outcome } from '../diagnostic.ts';
import { parseUnit, type Unit } from '../parse/unit.ts';
import type { Overlay, ReadFile } from '../read-file.ts';
import { INTERCEPTED } from '../runtime/calls.ts';
import { openKernelTree, preprocessUnit } from '../tree/kernel-tree.ts';
import type { TypeContext } from '../types/context.ts';
import { enumeratorValue, memberOfNamed } from '../types/types.ts';
import { createProgram, type Program } from '../vm/program.ts';
import { interceptedBodies, lockedDefinitions, rejectHiddenEdits } from './hidden-edits.ts';

/** What a family of kernels needs to be loaded: which files, and what is asked of them. */
export interface Profile {
  readonly name: string;
  /** Translation units, the one with the entry first. */
  readonly units: readonly string[];
  /** C text at the end of the first unit: entries, and constants the profile wants to know. */
  readonly appended: string;
  /** Macros that the tree may not redefine, beside those of `tree/locked-macros.ts`. */
  readonly locks: string;
  /** Whether the host runs at EL2. */
  readonly vhe: boolean;
}

/** The units of a tree, parsed and linked. */
export interface Kernel {
  readonly profile: Profile;
  readonly program: Program;
  readonly loaded: Loaded;
}

/** What loading took for granted. */
export interface Loaded {
  /** CONFIG symbols that a unit asked for and that are not set. */
  readonly unsetConfig: readonly string[];
  /** Macros that the tree defines and that are used in our form. */
  readonly lockedMacros: readonly string[];
  /** Headers that were made because the tree was not prepared. */
  readonly synthesised: readonly string[];
}

/**
 * Loads the units of a profile from a tree with a patch's files in front of it. Fails when the patch
 * edits something that is not run.
 */
export function loadKernel(profile: Profile, read: ReadFile, overlay: Overlay): Outcome<Kernel> {
  return attempt(() => {
    const tree = openKernelTree(read, { overlay });
    const unsetConfig = new Set<string>();
    const lockedMacros = new Set<string>();
    const units = profile.units.map((path, i): Unit => {
      if (tree.sources.read(path) === null) {
        throw new FrontendError(
          path,
          0,
          0,
          `the profile ${profile.name} needs this file, and the tree has none`,
        );
      }
      const appended = { path: '<profile>', text: profile.appended };
      const tokens = value(
        preprocessUnit(tree, path, {
          locks: 'standard',
          furtherLocks: profile.locks,
          ...(i === 0 ? { appended } : {}),
        }),
      );
      for (const name of tokens.unsetConfig) unsetConfig.add(name);
      for (const { name } of tokens.ignoredDefinitions) lockedMacros.add(name);
      const unit = value(parseUnit(tokens.tokens));
      rejectHiddenEdits(
        [
          ...interceptedBodies(unit, INTERCEPTED),
          ...lockedDefinitions(tokens.ignoredDefinitions, (file) => tree.sources.read(file)),
        ],
        overlay,
        read,
      );
      return unit;
    });
    const program = createProgram(units, { intercepts: INTERCEPTED, unset: 'stop' });
    const loaded: Loaded = {
      unsetConfig: [...unsetConfig].sort(),
      lockedMacros: [...lockedMacros].sort(),
      synthesised: tree.synthesised,
    };
    return { profile, program, loaded };
  });
}

/** The value of an enumerator in the profile's text. */
export function constantOf(kernel: Kernel, name: string): bigint {
  const found = value(enumeratorValue(firstUnit(kernel), name));
  if (found !== null) return found;
  throw missing(kernel, `the enumerator ${name}`);
}

/** As `constantOf`, for what not every tree has. */
export function optionalConstant(kernel: Kernel, name: string): bigint | null {
  return value(enumeratorValue(firstUnit(kernel), name));
}

/** Offset of a member of a struct, in bytes. */
export function memberOf(kernel: Kernel, record: string, member: string): number {
  const found = value(memberOfNamed(firstUnit(kernel), record, member));
  if (found === null) throw missing(kernel, `${record}.${member}`);
  return found.offset;
}

function firstUnit({ program, profile }: Kernel): TypeContext {
  const unit = program.units[0];
  if (unit === undefined) throw new FrontendError('<profile>', 0, 0, `${profile.name} has no unit`);
  return unit;
}

function missing({ profile }: Kernel, what: string): FrontendError {
  return new FrontendError(
    profile.units[0] ?? '<profile>',
    0,
    0,
    `this tree has no ${what}, which the profile ${profile.name} relies on`,
  );
}

function value<T>(outcome: Outcome<T>): T {
  if (outcome.kind === 'ok') return outcome.value;
  const { file, line, column, message } = outcome.diagnostic;
  throw new FrontendError(file, line, column, message);
}
