import { pathToFileURL } from 'node:url';
import type { Candidate } from '../candidates/candidate.ts';
import { CANDIDATES, findCandidate } from '../candidates/catalogue.ts';
import { splitName } from '../candidates/mutants/find-mutant.ts';
import { mutantOrItself } from '../explore/campaign/subject.ts';
import { BY_OPERATION } from '../explore/library.ts';
import { guarded } from '../scenario/candidate-failure.ts';
import { readScenario } from '../scenario/codec.ts';
import { inputError, isInputError, type InputError } from '../scenario/input-error.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { didYouMean } from '../util/closest.ts';
import type { Io } from './io.ts';

/** What a command is about: a candidate, and the scenario if one was given. */
export interface Subject {
  readonly candidate: Candidate;
  readonly scenario: Scenario | null;
  /** Where the candidate is found again: its id, or the path of a module. */
  readonly source: string;
}

/** A candidate by id, a scenario file (`.json`), or a module of the user's (`.mjs`, `.js`, `.ts`). */
export async function findSubject(name: string, io: Io): Promise<Subject | InputError> {
  const known = findCandidate(name);
  if (known !== null) return { candidate: known, scenario: null, source: known.id };
  if (/\.[cm]?[jt]s$/.test(name)) return loadModule(name, io);
  const looksLikeFile = name.endsWith('.json') || name.startsWith('.') || name.startsWith('/');
  if (!looksLikeFile) return unknownCandidate(name, 'argument');
  const text = io.read(name);
  if (text === null) return unreadable(name);
  const scenario = readScenario(text, name);
  if (isInputError(scenario)) return scenario;
  const candidate = await candidateOf(scenario, name, io);
  return isInputError(candidate) ? candidate : { candidate, scenario, source: scenario.candidate };
}

/** The candidate a scenario names: one of ours, or a module, or a mutant of one. */
export async function candidateOf(
  scenario: Scenario,
  where: string,
  io: Io,
): Promise<Candidate | InputError> {
  const { family, mutation } = splitName(scenario.candidate);
  const known = findCandidate(family);
  if (known === null && !/\.[cm]?[jt]s$/.test(family)) return unknownCandidate(family, where);
  const loaded = known === null ? await loadModule(family, io) : { candidate: known };
  if (isInputError(loaded)) return loaded;
  return (
    mutantOrItself(loaded.candidate, scenario) ??
    inputError(
      'candidate-unknown',
      `${where} is about a mutant that ${family} does not have in this scenario ("${mutation ?? ''}"): its code may have changed since the file was written.`,
    )
  );
}

/** The sentence about a candidate nobody knows. */
function unknownCandidate(name: string, where: string): InputError {
  const ids = CANDIDATES.map(({ id }) => id);
  return inputError(
    'candidate-unknown',
    `There is no candidate "${name}" (${where}).${didYouMean(name, ids) || ' `tlbgate list` shows them.'}`,
  );
}

/** The sentence about a file that cannot be read. */
export function unreadable(path: string): InputError {
  return inputError(
    'file-unreadable',
    `The file "${path}" cannot be read: check that it exists and that you may read it.`,
  );
}

async function loadModule(path: string, io: Io): Promise<Subject | InputError> {
  if (io.read(path) === null) return unreadable(path);
  let exported: unknown;
  try {
    exported = (await import(pathToFileURL(path).href)) as unknown;
  } catch (problem) {
    const detail = problem instanceof Error ? problem.message.split('\n')[0] : String(problem);
    return inputError('candidate-module', `The module "${path}" cannot be loaded: ${detail}.`);
  }
  const candidates = Object.values(exported as object).filter(isCandidate);
  const [candidate] = candidates;
  if (candidate === undefined || candidates.length > 1) {
    return inputError(
      'candidate-module',
      `The module "${path}" exports ${candidates.length} candidates, but must export one: see docs/writing-a-candidate.md.`,
    );
  }
  return { candidate: guarded(candidate), scenario: null, source: path };
}

function isCandidate(value: unknown): value is Candidate {
  if (typeof value !== 'object' || value === null) return false;
  const { id, title, why, operation, mirrors, host, fault, expected } = value as {
    readonly [field in keyof Candidate]?: unknown;
  };
  return (
    [id, title, why].every((text) => typeof text === 'string') &&
    typeof operation === 'string' &&
    Object.hasOwn(BY_OPERATION, operation) &&
    Array.isArray(mirrors) &&
    [host, fault, expected].every((code) => typeof code === 'function')
  );
}
