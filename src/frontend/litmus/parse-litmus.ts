import { readHerd } from './herd/read-herd.ts';
import type { HerdOptions } from './herd/options.ts';
import { readIsla, type IslaOptions } from './isla/read-isla.ts';
import type { LitmusTest } from './litmus-test.ts';
import { attempt, reject, type LitmusProblem } from './problem.ts';
import { surveyThread } from './thread/survey.ts';

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

/** Reads an isla `.litmus.toml` test. Never throws. */
export function parseIsla(
  file: string,
  text: string,
  options: IslaOptions = { ets: 'none' },
): ParsedLitmus {
  return parsed(() => readIsla(file, text, options));
}

function parsed(read: () => LitmusTest): ParsedLitmus {
  const result = attempt(() => {
    const test = read();
    for (const [index, thread] of test.threads.entries()) {
      const context = test.setup.threads[index]?.context;
      const line =
        context === undefined ? null : surveyThread(thread, context, 'without faults').misaligned;
      if (line === null) continue;
      const at = { file: test.file, line, column: 1 };
      reject('unsupported', at, 'misaligned accesses are not supported.');
    }
    return test;
  });
  return 'ok' in result
    ? { kind: 'test', test: result.ok }
    : { kind: 'problem', problem: result.problem };
}
