import { FrontendError } from '../frontend/kernel-c/diagnostic.ts';
import type { KernelScenario, LoadedTree } from '../scenario/kernel/family.ts';
import type { Effect } from '../program/effect.ts';
import type { MachineSubject } from './check.ts';
import { openedFunctionsIn } from './gate-opened.ts';

/**
 * The C of a tree in one scenario, as something that can be checked, shrunk and reported. `effects` are
 * those of a run of its host alone, from which follows what a reader takes for one step.
 */
export function kernelSubject(
  tree: LoadedTree,
  scenario: KernelScenario,
  effects: readonly Effect[],
): MachineSubject {
  const opened = new Set([...tree.opened, ...openedFunctionsIn(effects)]);
  return {
    id: `${tree.profile}: ${scenario.name}`,
    mirrors: [...opened].map((name) => ({ kernel: 'tree', file: '', function: name })),
    setup: (situation) => {
      const prepared = tree.prepare(
        scenario.shrinks || scenario.narrows === true ? { ...scenario, situation } : scenario,
        situation.features,
      );
      switch (prepared.kind) {
        case 'ready':
          return prepared.setup;
        case 'impossible':
          throw new RangeError(prepared.reason);
        case 'failed': {
          const { file, line, column, message } = prepared.diagnostic;
          throw new FrontendError(file, line, column, message);
        }
      }
    },
  };
}
