import { attempt, FrontendError, type Outcome } from '../diagnostic.ts';
import { parseUnit, type Unit } from '../parse/unit.ts';
import type { Overlay, ReadFile } from '../read-file.ts';
import { INTERCEPTED } from '../runtime/calls.ts';
import { openKernelTree, preprocessUnit } from '../tree/kernel-tree.ts';
import type { TypeContext } from '../types/context.ts';
import { enumeratorValue, memberOfNamed } from '../types/types.ts';
import { createProgram, type Program } from '../vm/program.ts';
import {
  interceptedBodies,
  lockedDefinitions,
  rejectAssembly,
  rejectHiddenEdits,
} from './hidden-edits.ts';

/** What a family of kernels needs to be loaded: which files, and what is asked of them. */
export interface Profile {
  readonly name: string;
  /** Translation units, the one with the entry first. */
  readonly units: readonly string[];
  /** C texts at the end of the first unit: entries, and constants the profile wants to know. */
  readonly appended: readonly AppendedText[];
  /** C text at the end of other units, by their paths: ways to what is static there. */
  readonly furtherTexts?: ReadonlyMap<string, string>;
  /** Macros that the tree may not redefine, beside those of `tree/locked-macros.ts`. */
  readonly locks: string;
  /** Whether the host runs at EL2. */
  readonly vhe: boolean;
}

/** Path of the tool's own text among the appended ones. */
export const PROFILE_TEXT = '<profile>';

/** What a function of that text is called that takes the place of one of the tree. */
const STAND_IN = /\b(tlbgate_for_)(\w+)\s*\(/g;

/** C text that is read as if it stood at the end of a unit; its lines are counted for themselves. */
export interface AppendedText {
  readonly path: string;
  readonly text: string;
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

/** A unit, and what reading it has shown. */
interface LoadedUnit {
  readonly unit: Unit;
  readonly unsetConfig: readonly string[];
  readonly locked: readonly string[];
  /** Every file that was read for it. */
  readonly files: ReadonlySet<string>;
}

/** Units of one side of a comparison, each parsed once; profiles of one tree share it. */
export interface UnitLoader {
  readonly overlay: Overlay;
  readonly synthesised: readonly string[];
  /** Throws a `FrontendError` when the patch edits something that is not run. */
  readonly unit: (profile: Profile, path: string, appended: readonly AppendedText[]) => LoadedUnit;
}

/**
 * Opens a tree with a patch's files in front of it. Units of `base`, which is the tree with nothing in
 * front of it, are used again where the patch changes none of their files.
 */
export function unitLoader(
  read: ReadFile,
  overlay: Overlay,
  base: UnitLoader | null = null,
): UnitLoader {
  const tree = openKernelTree(read, { overlay });
  rejectAssembly(overlay);
  // A new header may be found before the one that was read, and some headers are made from lists.
  const sharesNothing = [...overlay].some(
    ([path, text]) =>
      (text !== null && read(path) === null) || path.startsWith('arch/arm64/tools/'),
  );
  const known = new Map<string, LoadedUnit>();
  function load(profile: Profile, path: string, appended: readonly AppendedText[]): LoadedUnit {
    if (base !== null && base.overlay.size === 0 && !sharesNothing) {
      const before = base.unit(profile, path, appended);
      if (![...overlay.keys()].some((changed) => before.files.has(changed))) return before;
    }
    if (tree.sources.read(path) === null) {
      throw new FrontendError(
        path,
        0,
        0,
        `the profile ${profile.name} needs this file, and the tree has none`,
      );
    }
    const tokens = value(
      preprocessUnit(tree, path, { locks: 'standard', furtherLocks: profile.locks, appended }),
    );
    const unit = value(parseUnit(tokens.tokens));
    const replaced = new Set([...INTERCEPTED, ...standInsOf(profile).keys()]);
    rejectHiddenEdits(
      [
        ...interceptedBodies(unit, replaced),
        ...lockedDefinitions(tokens.ignoredDefinitions, (file) => tree.sources.read(file)),
      ],
      overlay,
      read,
    );
    return {
      unit,
      unsetConfig: tokens.unsetConfig,
      locked: tokens.ignoredDefinitions.map(({ name }) => name),
      files: new Set(tokens.files),
    };
  }
  return {
    overlay,
    synthesised: tree.synthesised,
    unit(profile, path, appended) {
      const key = JSON.stringify([path, profile.locks, appended]);
      const found = known.get(key) ?? load(profile, path, appended);
      known.set(key, found);
      return found;
    },
  };
}

/**
 * Loads the units of a profile from a tree with a patch's files in front of it. Fails when the patch
 * edits something that is not run.
 */
export function loadKernel(
  profile: Profile,
  read: ReadFile,
  overlay: Overlay,
  loader: UnitLoader | null = null,
): Outcome<Kernel> {
  return attempt(() => {
    const from = loader ?? unitLoader(read, overlay);
    const units = profile.units.map((path, i) =>
      from.unit(profile, path, i === 0 ? profile.appended : furtherText(profile, path)),
    );
    const program = createProgram(
      units.map(({ unit }) => unit),
      {
        intercepts: INTERCEPTED,
        standIns: standInsOf(profile),
        unset: 'stop',
        appended: new Set([PROFILE_TEXT, ...profile.appended.map(({ path }) => path)]),
      },
    );
    const loaded: Loaded = {
      unsetConfig: [...new Set(units.flatMap((unit) => unit.unsetConfig))].sort(),
      lockedMacros: [...new Set(units.flatMap(({ locked }) => locked))].sort(),
      synthesised: from.synthesised,
    };
    return { profile, program, loaded };
  });
}

function furtherText({ furtherTexts }: Profile, path: string): readonly AppendedText[] {
  const text = furtherTexts?.get(path);
  return text === undefined ? [] : [{ path: PROFILE_TEXT, text }];
}

/** Functions of the appended texts that are called in place of those of the tree, by the tree's name. */
function standInsOf({ appended }: Profile): ReadonlyMap<string, string> {
  const definitions = appended
    .filter(({ path }) => path === PROFILE_TEXT)
    .flatMap(({ text }) => [...text.matchAll(STAND_IN)]);
  return new Map(definitions.map(([name, , of = '']) => [of, name.replace(/\s*\($/, '')]));
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

/** As `memberOf`, for what not every tree has. */
export function optionalMember(kernel: Kernel, record: string, member: string): number | null {
  return value(memberOfNamed(firstUnit(kernel), record, member))?.offset ?? null;
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
