import { attempt } from '../../frontend/kernel-c/diagnostic.ts';
import type { Assumption, KernelFamily, LoadedTree } from './family.ts';
import { valueOf } from './placed-scenario.ts';

/** Between the names of families that are run together, as `--profile` takes them. */
export const JOINT = '+';

/**
 * Several families as one, for a patch to what they share: each runs its own scenarios on its own units,
 * and a changed line counts as executed when any of them has executed it. Names of scenarios differ.
 */
export function joinedFamily(families: readonly KernelFamily[]): KernelFamily {
  const name = families.map((family) => family.name).join(JOINT);
  return {
    name,
    kernels: families.map(({ kernels }) => kernels).join('; '),
    matrix: [...new Set(families.flatMap(({ matrix }) => matrix))],
    extraMachines: distinct(families.flatMap(({ extraMachines }) => extraMachines)),
    concerned: (path) =>
      families.some(({ concerned }) => concerned(path) !== 'no') ? 'shared' : 'no',
    fits: (read) => families.every((family) => family.fits(read)),
    open: (read, overlay, options) =>
      attempt(() =>
        joinedTree(
          name,
          families.map((family) => valueOf(family.open(read, overlay, options))),
        ),
      ),
  };
}

function joinedTree(profile: string, trees: readonly LoadedTree[]): LoadedTree {
  const [first] = trees;
  if (first === undefined) throw new RangeError('no tree to join');
  return {
    profile,
    scenarios: trees.flatMap(({ scenarios }) => scenarios),
    figures: trees.flatMap(({ figures }) => figures),
    opened: [...new Set(trees.flatMap(({ opened }) => opened))],
    kernels: () => trees.flatMap((tree) => tree.kernels()),
    prepare: (scenario, features) => {
      const owner = trees.find(({ scenarios, figures }) =>
        [...scenarios, ...figures].some((each) => each.name === scenario.name),
      );
      if (owner === undefined) throw new RangeError(`no scenario "${scenario.name}" in this tree`);
      return owner.prepare(scenario, features);
    },
    assumed: () => merged(trees.map((tree) => tree.assumed())),
    // Units are known by path and what is appended to them, so one loader of a tree is as good as another.
    units: first.units,
  };
}

function merged(lists: readonly (readonly Assumption[])[]): readonly Assumption[] {
  const all = new Map(
    lists.flat().map((one) => [`${one.kind} ${one.name} ${one.value}`, one] as const),
  );
  return [...all].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

function distinct(machines: readonly (readonly string[])[]): readonly (readonly string[])[] {
  return [...new Map(machines.map((words) => [words.join(' '), words])).values()];
}
