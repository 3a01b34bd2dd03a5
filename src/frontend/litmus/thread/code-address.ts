import type { Expr } from '../../../program/expr.ts';
import type { Code } from '../assembly/code.ts';
import { reject } from '../problem.ts';

/**
 * The address a thread goes on at, for the instruction at `pc`. Gives up on an address that depends
 * on a load: to leave such runs out would make the test look stronger than it is.
 */
export function codeAddressOf(code: Code, pc: number, target: Expr): bigint {
  if (target.kind === 'const') return target.value;
  const at = code.slots[pc]?.at ?? { file: '', line: 0, column: 0 };
  return reject('unsupported', at, 'going on at an address that was loaded is not supported.');
}
