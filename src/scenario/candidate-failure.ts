import type { Candidate, FaultOutcome } from '../candidates/candidate.ts';
import type { HostCode } from '../candidates/host-code.ts';

/** The code of a candidate threw: no verdict on the idea, but a mistake in how it is written down. */
export class CandidateFailure extends Error {
  override readonly name = 'CandidateFailure';

  /** `where`: `host`, `fault` or `expected`, the function of the candidate that threw. */
  constructor(id: string, where: string, problem: unknown) {
    const detail =
      problem instanceof Error ? `${problem.name}: ${problem.message}` : String(problem);
    super(`the candidate ${id} throws in its function "${where}" (${firstLine(detail)})`, {
      cause: problem,
    });
  }
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').replace(/[.\s]+$/, '');
}

/** The candidate with every exception of its code turned into a `CandidateFailure`. */
export function guarded(candidate: Candidate): Candidate {
  const { id } = candidate;
  return {
    ...candidate,
    expected: (features) => {
      try {
        return candidate.expected(features);
      } catch (problem) {
        throw failure(id, 'expected', problem);
      }
    },
    host: (kvm, request) => guardedCode(id, 'host', () => candidate.host(kvm, request)),
    fault: (kvm, fault) =>
      guardedCode<FaultOutcome>(id, 'fault', () => candidate.fault(kvm, fault)),
  };
}

function* guardedCode<Result>(
  id: string,
  where: string,
  code: () => HostCode<Result>,
): HostCode<Result> {
  try {
    return yield* code();
  } catch (problem) {
    throw failure(id, where, problem);
  }
}

function failure(id: string, where: string, problem: unknown): CandidateFailure {
  return problem instanceof CandidateFailure ? problem : new CandidateFailure(id, where, problem);
}
