import type { Candidate } from '../candidate.ts';
import type { World } from '../world/world.ts';
import { mutants } from './mutate.ts';

/** Stands between the name of a candidate and what a mutant does to it. */
const MARK = '#';

/** A name in two parts: of the candidate, and of what a mutant of it does; null where it is none. */
export function splitName(name: string): {
  readonly family: string;
  readonly mutation: string | null;
} {
  const at = name.indexOf(MARK);
  if (at < 0) return { family: name, mutation: null };
  return { family: name.slice(0, at), mutation: name.slice(at + MARK.length) };
}

/**
 * The mutant of a candidate that does this, or null. Which mutants there are depends on the world, for
 * their places are found by running the code in it.
 */
export function findMutant(candidate: Candidate, mutation: string, world: World): Candidate | null {
  const id = `${candidate.id}${MARK}${mutation}`;
  return mutants(candidate, world).find((mutant) => mutant.id === id)?.candidate ?? null;
}
