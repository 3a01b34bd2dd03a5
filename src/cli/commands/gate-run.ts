import { DEFAULT_FEATURES, type Features } from '../../arm64/features.ts';
import { gateMachines } from '../../explore/gate-machines.ts';
import type { SideProgress } from '../../explore/gate.ts';
import type { Overlay, ReadFile } from '../../frontend/kernel-c/read-file.ts';
import type { Rule } from '../../rules/rule.ts';
import { ALL_RULES } from '../../rules/all-rules.ts';
import { applyFeatures } from '../../scenario/codec.ts';
import { inputError, isInputError, type InputError } from '../../scenario/input-error.ts';
import type { KernelFamily, KernelScenario, LoadedTree } from '../../scenario/kernel/family.ts';
import { scenarioNames } from '../../scenario/kernel/placed-scenario.ts';
import { readScenarioFile, type ScenarioSource } from '../../scenario/kernel/scenario-file.ts';
import { familyOf } from '../../scenario/kernel/open-tree.ts';
import { didYouMean } from '../../util/closest.ts';
import type { Io } from '../io.ts';
import { progressLine } from '../progress.ts';
import { findRule } from '../rule-option.ts';
import { scenarioLibrary } from '../scenario-library.ts';
import { unreadable } from '../subject.ts';
import { treeError } from '../tree-io.ts';

/** What the command line gave. */
export interface GateOptions {
  readonly tree: string;
  readonly profile?: string;
  readonly scenario: readonly string[];
  readonly feature: readonly string[];
  readonly rule?: string;
  readonly budget?: number;
  readonly out?: string;
  readonly json?: boolean;
}

/** Most states of one search. */
export const STATES_PER_SEARCH = 2_000_000;

/** What both commands work with. */
export interface GateWork {
  readonly family: KernelFamily;
  /** The user's scenario files. */
  readonly files: readonly ScenarioSource[];
  readonly rules: readonly Rule[];
  readonly machines: readonly Features[];
  readonly expired: () => boolean;
  readonly onProgress: (progress: SideProgress) => void;
  readonly clearProgress: () => void;
}

/** Reads the options; `overlay` holds the files that a patch makes. */
export function gateWork(
  options: GateOptions,
  read: ReadFile,
  overlay: Overlay,
  io: Io,
): GateWork | InputError {
  const family = familyOf(read, overlay, options.profile ?? null);
  if (family.kind === 'failed') return treeError(options.tree, family.diagnostic);
  const files = scenarioFiles(options, io);
  if (isInputError(files)) return files;
  const rules = options.rule === undefined ? ALL_RULES : findRule(options.rule);
  if (isInputError(rules)) return rules;
  const features = applyFeatures(DEFAULT_FEATURES, options.feature, '--feature');
  if (isInputError(features)) return features;
  const named = new Set(options.feature.map((word) => word.split('=')[0]));
  const isFree = (word: string): boolean => !named.has(word.split('=')[0]);
  const extra: Features[] = [];
  for (const words of family.value.extraMachines) {
    const made = applyFeatures(features, words, '--feature');
    if (words.every(isFree) && !isInputError(made)) extra.push(made);
  }
  const deadline = options.budget === undefined ? Infinity : io.now() + options.budget * 1000;
  const progress = progressLine(io);
  return {
    family: family.value,
    files,
    rules,
    machines: [...gateMachines(family.value.matrix.filter(isFree), features), ...extra],
    expired: () => io.now() > deadline,
    onProgress: ({ side, scenario, features: machine, done, all }) => {
      progress.show({
        features: machine,
        scenario: `${side}: ${scenario}`,
        machinesDone: done,
        machines: all,
      });
    },
    clearProgress: progress.clear,
  };
}

/** Loads one side; `base` is the other one, when that is loaded already. */
export function openSide(
  { family, files }: GateWork,
  read: ReadFile,
  overlay: Overlay,
  options: GateOptions,
  base: LoadedTree | null = null,
): LoadedTree | InputError {
  const outcome = family.open(read, overlay, {
    files: [...scenarioLibrary(), ...files],
    ...(base === null ? {} : { base }),
  });
  return outcome.kind === 'ok' ? outcome.value : treeError(options.tree, outcome.diagnostic);
}

/** A word of `--scenario` that names a file. */
export function isFile(word: string): boolean {
  return word.endsWith('.c');
}

/** The user's scenario files. */
function scenarioFiles(
  { scenario: words }: GateOptions,
  io: Io,
): readonly ScenarioSource[] | InputError {
  const files: ScenarioSource[] = [];
  for (const path of words.filter(isFile)) {
    const text = io.read(path);
    if (text === null) return unreadable(path);
    const settings = readScenarioFile({ path, text });
    if (settings.kind === 'failed') return treeError(path, settings.diagnostic);
    files.push({ path, text });
  }
  return files;
}

/** The scenarios that are asked for, by file or by name; all of them when none is. */
export function askedScenarios(
  tree: LoadedTree,
  { files }: GateWork,
  options: GateOptions,
): readonly KernelScenario[] | InputError {
  if (options.scenario.length === 0) return tree.scenarios;
  const names = [...tree.scenarios, ...tree.figures].map(({ name }) => name);
  const wanted = new Set<string>();
  for (const word of options.scenario) {
    const found = isFile(word)
      ? files.filter(({ path }) => path === word).flatMap(namesOf)
      : names.filter((name) => name.includes(word));
    const known = found.filter((name) => names.includes(name));
    for (const name of known) wanted.add(name);
    if (known.length > 0) continue;
    return inputError(
      'option-value',
      isFile(word)
        ? `The scenario in ${word} is not for this tree: it must name the profile ${tree.profile}, and the tree must have the functions that it, or every scenario file of that profile, needs.`
        : `No scenario of the profile ${tree.profile} has "${word}" in its name.${didYouMean(word, names) || ` There are: ${names.join('; ')}.`}`,
    );
  }
  return tree.scenarios.filter(({ name }) => wanted.has(name));
}

function namesOf(source: ScenarioSource): readonly string[] {
  const settings = readScenarioFile(source);
  return settings.kind === 'ok' ? scenarioNames(settings.value) : [];
}

/** The scenarios for counting only, as far as they are asked for. */
export function askedFigures(
  { figures }: LoadedTree,
  { files }: GateWork,
  { scenario: words }: GateOptions,
): readonly KernelScenario[] {
  if (words.length === 0) return figures;
  const named = new Set(
    files.filter(({ path }) => words.includes(path)).flatMap((file) => namesOf(file)),
  );
  return figures.filter(
    ({ name }) => named.has(name) || words.some((word) => !isFile(word) && name.includes(word)),
  );
}
