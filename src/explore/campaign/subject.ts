import type { Candidate } from '../../candidates/candidate.ts';
import { findMutant, splitName } from '../../candidates/mutants/find-mutant.ts';
import { worldOf } from '../../scenario/build.ts';
import { ImpossibleScenario } from '../../scenario/impossible-scenario.ts';
import type { Scenario } from '../../scenario/scenario.ts';

/** A candidate in a campaign. */
export interface Subject {
  readonly candidate: Candidate;
  /** What a scenario names it by: its id, or the path of the user's module. */
  readonly source: string;
  /** Only machines on which it is expected to hold: what is found there is news. */
  readonly onlyNews: boolean;
}

/** The candidate a scenario is about, with the mutation its name asks for; null when there is none. */
export function mutantOrItself(candidate: Candidate, scenario: Scenario): Candidate | null {
  const { family, mutation } = splitName(scenario.candidate);
  if (mutation === null) return candidate;
  try {
    return findMutant(candidate, mutation, worldOf({ ...scenario, candidate: family }, candidate));
  } catch (problem) {
    if (problem instanceof ImpossibleScenario) return null;
    throw problem;
  }
}

/** The candidate of one of the subjects that a scenario is about, or null. */
export function candidateAmong(subjects: readonly Subject[], scenario: Scenario): Candidate | null {
  const { family } = splitName(scenario.candidate);
  const subject = subjects.find(({ source }) => source === family);
  return subject === undefined ? null : mutantOrItself(subject.candidate, scenario);
}
