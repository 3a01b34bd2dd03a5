import { changesOf } from '../../explore/gate-change.ts';
import { figuresOf } from '../../explore/gate-cost.ts';
import { effectOf } from '../../explore/gate-effect.ts';
import { compareSides, gateVerdict } from '../../explore/gate-compare.ts';
import { coverage, loadUnits, scenariosReached } from '../../explore/gate-coverage.ts';
import type { GateResult } from '../../explore/gate-result.ts';
import { runSide, type Side } from '../../explore/gate.ts';
import { applyPatch } from '../../frontend/kernel-c/patch/apply-patch.ts';
import { parsePatch } from '../../frontend/kernel-c/patch/parse-patch.ts';
import { overlayReader } from '../../frontend/kernel-c/read-file.ts';
import { refusalOf } from '../../report/gate-patch-text.ts';
import { inputError, isInputError, type InputError } from '../../scenario/input-error.ts';
import type { LoadedTree } from '../../scenario/kernel/family.ts';
import { exitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { unreadable } from '../subject.ts';
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

/** Not run, and nothing that is run depends on it. */
const WITHOUT_EFFECT =
  /^Documentation\/|^LICENSES\/|^tools\/|^samples\/|(^|\/)(MAINTAINERS|CREDITS|\.mailmap|\.gitignore)$|\.(rst|txt)$/;

/** What the front end reads. */
const C_FILE = /\.[ch]$/;

/** `tlbgate patch`: the tree as it is against the tree with the patch. */
export function patchCommand(path: string, options: GateOptions, io: Io): number | InputError {
  if (path === '-' && options.out !== undefined) {
    return inputError(
      'option-value',
      '--out writes replay files, which name the file of the patch: save the patch, and give its path instead of -.',
    );
  }
  const text = io.read(path);
  if (text === null) return unreadable(path);
  const name = path === '-' ? 'standard input' : path;
  const parsed = parsePatch(text);
  const [complaint] = parsed.complaints;
  if (complaint !== undefined) {
    return inputError('patch', `${name}:${complaint.line}: ${complaint.why}.`);
  }
  if (parsed.files.length === 0) {
    return inputError('patch', `${name} holds no diff: it must be a patch, a mail or an mbox.`);
  }
  const read = treeReader(options.tree, io);
  const applied = applyPatch(parsed, read);
  const work = gateWork(options, read, applied.overlay, io);
  if (isInputError(work)) return work;
  const refusal = refusalOf(applied);
  if (refusal !== null) return inputError('patch', `${name}: ${refusal}.`);
  const outside = [...applied.overlay.keys()].find(
    (file) => !C_FILE.test(file) && !WITHOUT_EFFECT.test(file),
  );
  if (outside !== undefined) {
    return inputError(
      'patch',
      `The patch changes ${outside}, which is not C: assembly, Kconfig and build files are not run, so there is no verdict about it.`,
    );
  }

  const base = openSide(work, read, new Map(), options);
  if (isInputError(base)) return base;
  const patched = openSide(work, read, applied.overlay, options, base);
  if (isInputError(patched)) return patched;
  const asked = askedScenarios(patched, work, options);
  if (isInputError(asked)) return asked;
  // One that needs a function which the patch takes away is named as left out.
  const gone = base.scenarios.filter(
    ({ name }) =>
      options.scenario.length === 0 && !patched.scenarios.some((other) => other.name === name),
  );
  const available = [...asked, ...gone];

  const changes = changesOf(applied).filter(({ path: file }) => !WITHOUT_EFFECT.test(file));
  // Some units are loaded only for a machine that runs them; a change may be in one of those.
  for (const tree of [base, patched]) loadUnits(tree, work.machines);
  const texts = { before: read, after: overlayReader(applied.overlay, read) };
  const effect = effectOf(changes, base, patched, texts, available);
  const scenarios = scenariosReached(available, changes, base, patched, effect);
  const { rules, machines } = work;
  const run = (side: Side, tree: LoadedTree): ReturnType<typeof runSide> =>
    runSide({
      side,
      tree,
      scenarios,
      machines,
      rules,
      statesPerSearch: STATES_PER_SEARCH,
      expired: work.expired,
      onProgress: work.onProgress,
    });
  const before = run('base', base);
  const result = run('patched', patched);
  const covered = coverage(changes, base, patched, texts, effect);
  const figures = figuresOf(base, patched, askedFigures(patched, work, options), machines);
  const gate: GateResult = {
    profile: patched.profile,
    // What a patch does not concern it leaves as it was.
    notRun: [],
    rules,
    machines,
    matrix: work.family.matrix,
    scenarios,
    available: available.length,
    patch: {
      files: applied.files,
      changes,
      base: before,
      compared: compareSides(before, result, rules, changes),
      coverage: covered,
      effect,
    },
    result,
    verdict: gateVerdict(result, covered, effect),
    figures,
    assumed: patched.assumed(),
    statesPerSearch: STATES_PER_SEARCH,
  };
  const out = gateReport(gate, patched, texts, options, path, work.expired, io);
  work.clearProgress();
  if (isInputError(out)) return out;
  io.out(out);
  return exitCode(gate.verdict);
}
