/** Which mistake of the user's it is: stable, for scripts. */
export type InputErrorCode =
  | 'checkpoint-other'
  | 'checkpoint-unwritable'
  | 'json-syntax'
  | 'not-an-object'
  | 'format-unknown'
  | 'field-unknown'
  | 'field-missing'
  | 'field-value'
  | 'feature-syntax'
  | 'feature-unknown'
  | 'feature-value'
  | 'feature-conflict'
  | 'feature-not-modelled'
  | 'scenario-impossible'
  | 'candidate-unknown'
  | 'candidate-module'
  | 'candidate-throws'
  | 'rule-unknown'
  | 'guest-syntax'
  | 'option-value'
  | 'file-unreadable'
  | 'file-unwritable'
  | 'trace-does-not-fit'
  | 'tree'
  | 'patch'
  | 'usage';

/** A mistake in what the user gave us: `message` is one sentence that says what, where, and what to do. */
export interface InputError {
  readonly kind: 'error';
  readonly code: InputErrorCode;
  readonly message: string;
}

/** Makes one. */
export function inputError(code: InputErrorCode, message: string): InputError {
  return { kind: 'error', code, message };
}

/** Tells a result from a mistake. */
export function isInputError(value: unknown): value is InputError {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    value.kind === 'error' &&
    'message' in value
  );
}
