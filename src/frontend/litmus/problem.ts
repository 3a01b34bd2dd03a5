/**
 * Why a litmus test was not read. `unsupported`: we understand what is written but do not model it;
 * `syntax`: we do not understand it.
 */
export interface LitmusProblem {
  readonly kind: 'syntax' | 'unsupported';
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based. */
  readonly column: number;
  /** One sentence. */
  readonly message: string;
}

/** A position in a source text: everything an error message needs. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

const MARK: unique symbol = Symbol('litmus problem');

interface ProblemError extends Error {
  readonly [MARK]: LitmusProblem;
}

/** Gives up on a test; only `attempt` sees what is thrown. */
export function reject(kind: LitmusProblem['kind'], at: Position, message: string): never {
  const problem: LitmusProblem = { kind, message, ...positionOf(at) };
  throw Object.assign(new Error(describeProblem(problem)), { [MARK]: problem });
}

/** Runs a reader: its value, or the problem it gave up with. Other errors are bugs and pass. */
export function attempt<T>(
  read: () => T,
): { readonly ok: T } | { readonly problem: LitmusProblem } {
  try {
    return { ok: read() };
  } catch (error) {
    if (isProblemError(error)) return { problem: error[MARK] };
    throw error;
  }
}

/** `file:line:column: sentence`. */
export function describeProblem(problem: LitmusProblem): string {
  return `${problem.file}:${problem.line}:${problem.column}: ${problem.message}`;
}

function isProblemError(error: unknown): error is ProblemError {
  return error instanceof Error && MARK in error;
}

function positionOf(at: Position): Position {
  return { file: at.file, line: at.line, column: at.column };
}
