import { machineOf } from '../../explore/check.ts';
import { kernelSubject } from '../../explore/gate-subject.ts';
import { attempt } from '../../frontend/kernel-c/diagnostic.ts';
import { applyPatch } from '../../frontend/kernel-c/patch/apply-patch.ts';
import { parsePatch } from '../../frontend/kernel-c/patch/parse-patch.ts';
import type { Overlay } from '../../frontend/kernel-c/read-file.ts';
import type { Machine } from '../../machine/machine.ts';
import { refusalOf } from '../../report/gate-patch-text.ts';
import { inputError, isInputError, type InputError } from '../../scenario/input-error.ts';
import { openTree } from '../../scenario/kernel/open-tree.ts';
import type { ScenarioSource } from '../../scenario/kernel/scenario-file.ts';
import type { KernelOrigin, Replay } from '../../scenario/replay-file.ts';
import type { Io } from '../io.ts';
import { scenarioLibrary } from '../scenario-library.ts';
import { candidateOf, unreadable } from '../subject.ts';
import { treeError, treeReader } from '../tree-io.ts';

/** The machine of a replay file: of a candidate, or of a kernel tree with the patch of that time. */
export async function machineOfReplay(
  file: Replay,
  path: string,
  io: Io,
): Promise<Machine | InputError> {
  if (file.kernel != null) return kernelMachine(file, file.kernel, path, io);
  const candidate = await candidateOf(file.scenario, path, io);
  return isInputError(candidate) ? candidate : machineOf(file.scenario, candidate);
}

function kernelMachine(
  { scenario }: Replay,
  origin: KernelOrigin,
  path: string,
  io: Io,
): Machine | InputError {
  const { tree, patch, profile, name } = origin;
  const read = treeReader(tree, io);
  let overlay: Overlay = new Map();
  if (patch !== null) {
    const text = io.read(patch);
    if (text === null) return unreadable(patch);
    const applied = applyPatch(parsePatch(text), read);
    const refusal = refusalOf(applied);
    if (refusal !== null) return inputError('patch', `${patch}: ${refusal}.`);
    overlay = applied.overlay;
  }
  const files: ScenarioSource[] = [...scenarioLibrary()];
  for (const own of origin.files) {
    const text = io.read(own);
    if (text === null) return unreadable(own);
    files.push({ path: own, text });
  }
  const loaded = openTree(read, overlay, { profile, files });
  if (loaded.kind === 'failed') return treeError(tree, loaded.diagnostic);
  const kernelScenario = loaded.value.scenarios.find((one) => one.name === name);
  if (kernelScenario === undefined) {
    return inputError(
      'scenario-impossible',
      `${path}: the tree ${tree} has no scenario "${name}": it is another tree than that of the run.`,
    );
  }
  const made = attempt(() => machineOf(scenario, kernelSubject(loaded.value, kernelScenario, [])));
  return made.kind === 'ok' ? made.value : treeError(tree, made.diagnostic);
}
