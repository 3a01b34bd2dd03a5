import type { Features } from '../../arm64/features.ts';
import type { Diagnostic, Outcome } from '../../frontend/kernel-c/diagnostic.ts';
import type { Kernel, UnitLoader } from '../../frontend/kernel-c/profile/kernel.ts';
import type { Overlay, ReadFile } from '../../frontend/kernel-c/read-file.ts';
import type { MachineSetup } from '../../machine/setup.ts';
import type { Scenario } from '../scenario.ts';
import type { ScenarioSource } from './scenario-file.ts';

/** One situation in which the C of a tree is run: of a family's library, or of a user's file. */
export interface KernelScenario {
  readonly name: string;
  /** What it is for, in one sentence. */
  readonly why: string;
  /** The family that can run it. */
  readonly profile: string;
  /** Functions that the host threads begin with; they stand in C text appended to the first unit. */
  readonly entries: readonly string[];
  /**
   * Guest, agents, world and bounds in the terms of the candidates' scenarios, for reports. Its
   * `features` mean nothing: a scenario is run on many machines.
   */
  readonly situation: Scenario;
  /** The world is made from `situation`, so that a smaller situation is a smaller scenario. */
  readonly shrinks: boolean;
  /**
   * What vCPUs do, how many there are, the window and whether the lock is given away are those of
   * `situation`, while the host's code and the tables are always the same. Absent: they are not.
   */
  readonly narrows?: boolean;
}

/** The machine of a scenario, or why there is none. */
export type Prepared =
  | { readonly kind: 'ready'; readonly setup: MachineSetup }
  /** Such a machine cannot have this scenario, or this tree cannot have such a machine. */
  | { readonly kind: 'impossible'; readonly reason: string }
  /** The front end stopped at something that it does not understand. */
  | { readonly kind: 'failed'; readonly diagnostic: Diagnostic };

/** Something the front end took for granted because no C of the tree says it. */
export interface Assumption {
  readonly kind:
    | 'global'
    | 'capability'
    | 'static-key'
    | 'register'
    | 'config'
    | 'intercept'
    | 'locked-macro'
    | 'reading'
    | 'header';
  readonly name: string;
  /** What it was taken to be. */
  readonly value: string;
}

/** One side of a comparison: a tree, with a patch or without, ready to be run. */
export interface LoadedTree {
  /** Name of the family. */
  readonly profile: string;
  readonly scenarios: readonly KernelScenario[];
  /** Scenarios too large to be searched, in which the host runs alone to be counted. */
  readonly figures: readonly KernelScenario[];
  /** Functions whose statements are steps of a report; calls of any other function are one step. */
  readonly opened: readonly string[];
  /** Units that were loaded so far: some families load others for other machines, when asked. */
  readonly kernels: () => readonly Kernel[];
  readonly prepare: (scenario: KernelScenario, features: Features) => Prepared;
  /** What was taken for granted so far. */
  readonly assumed: () => readonly Assumption[];
  /** Its units, for the other side of the comparison. */
  readonly units: UnitLoader;
}

/** What a tree may be opened with. */
export interface OpenOptions {
  /** The scenario files that may be run on it: those of the package and of the user. */
  readonly files?: readonly ScenarioSource[];
  /** The same tree without a patch, whose units are used again where the patch changes nothing. */
  readonly base?: LoadedTree;
}

/** Kernels that are alike enough to be loaded, run and reported in one way. */
export interface KernelFamily {
  /** As `--profile` names it. */
  readonly name: string;
  /** Which kernels it is for, in words. */
  readonly kernels: string;
  /** Features whose combinations are all checked when nobody names any. */
  readonly matrix: readonly string[];
  /** Further machines, as `name=value`, for what the code asks beside the matrix. */
  readonly extraMachines: readonly (readonly string[])[];
  /**
   * What a change of a file of the tree means to this family: nothing, something to it and to others, or
   * something to it alone.
   */
  readonly concerned: (path: string) => 'no' | 'shared' | 'alone';
  /** Whether the tree has the files and names that this family is known by. */
  readonly fits: (read: ReadFile) => boolean;
  /** Loads a tree with a patch's files in front of it. */
  readonly open: (read: ReadFile, overlay: Overlay, options: OpenOptions) => Outcome<LoadedTree>;
}
