/**
 * The features of a scenario cannot hold it: a block at a level the granule has none at, a tree of a
 * size no start level fits. It is said of what the scenario asks for before any host code runs, and
 * never of what host code does; that is a `CandidateFailure`.
 */
export class ImpossibleScenario extends Error {
  override readonly name = 'ImpossibleScenario';
}

/**
 * Builds something of a scenario. What refuses a value down there (encoders, layouts) says so with a
 * RangeError; here that becomes what it means. Nothing of a candidate may run in `build` unguarded.
 */
export function orImpossible<Result>(build: () => Result): Result {
  try {
    return build();
  } catch (problem) {
    if (problem instanceof RangeError) throw new ImpossibleScenario(problem.message);
    throw problem;
  }
}
