import { readHerd } from './herd/read-herd.ts';
import type { HerdOptions } from './herd/options.ts';
import type { LitmusTest } from './litmus-test.ts';
import { attempt, type LitmusProblem } from './problem.ts';

/** A test, or why there is none. */
export type ParsedLitmus =
  | { readonly kind: 'test'; readonly test: LitmusTest }
  | { readonly kind: 'problem'; readonly problem: LitmusProblem };

/** Reads a herd7 `.litmus` test. Never throws. */
export function parseHerd(
  file: string,
  text: string,
  options: HerdOptions = { variants: [] },
): ParsedLitmus {
  return parsed(() => readHerd(file, text, options));
}

function parsed(read: () => LitmusTest): ParsedLitmus {
  const result = attempt(read);
  return 'ok' in result
    ? { kind: 'test', test: result.ok }
    : { kind: 'problem', problem: result.problem };
}
