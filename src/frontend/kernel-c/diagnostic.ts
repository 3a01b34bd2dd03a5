/**
 * What the front end says when it stops: one place and one sentence that names what was not
 * understood, where it stands and what to do about it.
 */
export interface Diagnostic {
  readonly kind: 'diagnostic';
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** The outcome of an entry point of the front end: a value, or the reason there is none. */
export type Outcome<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'failed'; readonly diagnostic: Diagnostic };

/** The one error thrown inside the front end; entry points turn it into a `failed` outcome. */
export class FrontendError extends Error {
  readonly diagnostic: Diagnostic;

  constructor(file: string, line: number, column: number, message: string) {
    super(`${file}:${line}:${column}: ${message}`);
    this.name = 'FrontendError';
    this.diagnostic = { kind: 'diagnostic', file, line, column, message };
  }
}

/** Runs `work` and turns a `FrontendError` into data; any other exception is a bug and passes on. */
export function attempt<T>(work: () => T): Outcome<T> {
  try {
    return { kind: 'ok', value: work() };
  } catch (error) {
    if (error instanceof FrontendError) return { kind: 'failed', diagnostic: error.diagnostic };
    throw error;
  }
}
