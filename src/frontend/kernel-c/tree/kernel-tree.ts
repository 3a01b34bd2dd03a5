import type { Outcome } from '../diagnostic.ts';
import { type Preprocessed, preprocess } from '../preprocess/preprocess.ts';
import { createSources, type Sources } from '../preprocess/sources.ts';
import { type Overlay, overlayReader, type ReadFile } from '../read-file.ts';
import { type Config, defaultConfig } from './config.ts';
import { generatedHeaders } from './generated-headers.ts';
import { LOCKED_MACROS, LOCKED_PRELUDE } from './locked-macros.ts';
import { predefinedMacros } from './predefined.ts';

/** A kernel tree ready to be preprocessed, prepared by `make` or not. */
export interface KernelTree {
  readonly sources: Sources;
  /** Headers that were synthesised because the tree holds no generated ones. */
  readonly synthesised: readonly string[];
}

export interface KernelTreeOptions {
  /** A patch's files and anything else that stands in front of the tree. */
  readonly overlay?: Overlay;
  readonly config?: Config;
}

export interface UnitOptions {
  /**
   * `standard` puts the list of `locked-macros.ts` before the tree's own definitions, which is what a
   * unit that is run needs; `none` (the default) preprocesses exactly as a compiler would.
   */
  readonly locks?: 'none' | 'standard';
  /** Further macros that the tree may not redefine, for one profile. */
  readonly furtherLocks?: string;
  /** C texts appended to the unit: scenario code that sees its static functions and macros. */
  readonly appended?: readonly { readonly path: string; readonly text: string }[];
}

export function openKernelTree(read: ReadFile, options: KernelTreeOptions = {}): KernelTree {
  const withPatch = options.overlay === undefined ? read : overlayReader(options.overlay, read);
  const made = generatedHeaders(withPatch, options.config ?? defaultConfig());
  return {
    sources: createSources(overlayReader(made, withPatch)),
    synthesised: [...made.keys()],
  };
}

/** Preprocesses a unit of the tree with the folders and pre-includes that kbuild would give it. */
export function preprocessUnit(
  tree: KernelTree,
  unit: string,
  options: UnitOptions = {},
): Outcome<Preprocessed> {
  const standard = options.locks === 'standard';
  const preIncludes = [
    'include/linux/compiler-version.h',
    'include/linux/kconfig.h',
    'include/linux/compiler_types.h',
  ].filter(
    (path) => path !== 'include/linux/compiler-version.h' || tree.sources.read(path) !== null,
  );
  const base = {
    search: searchPath(unit),
    predefined: predefinedMacros(unit),
    locked: (standard ? LOCKED_MACROS : '') + (options.furtherLocks ?? ''),
    preIncludes,
    prelude: standard ? LOCKED_PRELUDE : '',
  };
  return preprocess(
    tree.sources,
    unit,
    options.appended === undefined ? base : { ...base, appended: options.appended },
  );
}

function searchPath(unit: string): readonly string[] {
  const search = [
    'arch/arm64/include',
    'arch/arm64/include/generated',
    'include',
    'arch/arm64/include/uapi',
    'arch/arm64/include/generated/uapi',
    'include/uapi',
    'include/generated/uapi',
  ];
  // Makefiles add the unit's own folder for trace headers, and KVM's EL2 code its own includes.
  const own = unit.slice(0, Math.max(0, unit.lastIndexOf('/')));
  const hyp = unit.startsWith('arch/arm64/kvm/hyp/') ? ['arch/arm64/kvm/hyp/include'] : [];
  return [...search, ...hyp, own];
}
