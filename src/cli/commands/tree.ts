import { figuresOf } from '../../explore/gate-cost.ts';
import { gateVerdict } from '../../explore/gate-compare.ts';
import type { GateResult } from '../../explore/gate-result.ts';
import { runSide } from '../../explore/gate.ts';
import { isInputError, type InputError } from '../../scenario/input-error.ts';
import { otherFamilies } from '../../scenario/kernel/open-tree.ts';
import { exitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { treeReader } from '../tree-io.ts';
import { gateReport } from './gate-report.ts';
import {
  askedFigures,
  gateWork,
  askedScenarios,
  openSide,
  STATES_PER_SEARCH,
  type GateOptions,
} from './gate-run.ts';

/** `tlbgate tree`: the tree as it is, in every scenario of its profile. */
export function treeCommand(options: GateOptions, io: Io): number | InputError {
  const read = treeReader(options.tree, io);
  const work = gateWork(options, read, new Map(), io);
  if (isInputError(work)) return work;
  const tree = openSide(work, read, new Map(), options);
  if (isInputError(tree)) return tree;
  const scenarios = askedScenarios(tree, work, options);
  if (isInputError(scenarios)) return scenarios;
  const { rules, machines } = work;
  const result = runSide({
    side: 'base',
    tree,
    scenarios,
    machines,
    rules,
    statesPerSearch: STATES_PER_SEARCH,
    expired: work.expired,
    onProgress: work.onProgress,
  });
  const gate: GateResult = {
    profile: tree.profile,
    notRun: options.profile === undefined ? otherFamilies(read, work.family) : [],
    rules,
    machines,
    matrix: work.family.matrix,
    scenarios,
    available: scenarios.length,
    patch: null,
    result,
    verdict: gateVerdict(result, null),
    figures: figuresOf(null, tree, askedFigures(tree, work, options), machines),
    assumed: tree.assumed(),
    statesPerSearch: STATES_PER_SEARCH,
  };
  const out = gateReport(
    gate,
    tree,
    { before: read, after: read },
    options,
    null,
    work.expired,
    io,
  );
  work.clearProgress();
  if (isInputError(out)) return out;
  io.out(out);
  return exitCode(gate.verdict);
}
