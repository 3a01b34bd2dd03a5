import {
  type Preprocessed,
  preprocess,
  type PreprocessOptions,
} from '../../../src/frontend/kernel-c/preprocess/preprocess.ts';
import { createSources } from '../../../src/frontend/kernel-c/preprocess/sources.ts';
import { textAt } from '../../../src/frontend/kernel-c/preprocess/token-stream.ts';
import type { Outcome } from '../../../src/frontend/kernel-c/diagnostic.ts';

export const OPTIONS: PreprocessOptions = {
  search: ['arch/include', 'include'],
  predefined: '',
  locked: '',
  preIncludes: [],
};

/** Preprocesses `main.c` of a tree given as a record of files. */
export function preprocessFiles(
  files: Readonly<Record<string, string>>,
  options: Partial<PreprocessOptions> = {},
): Outcome<Preprocessed> {
  const sources = createSources((path) => files[path] ?? null);
  return preprocess(sources, 'main.c', { ...OPTIONS, ...options });
}

/** Preprocesses one text and gives the spellings of its tokens, or the diagnostic. */
export function words(text: string, options: Partial<PreprocessOptions> = {}): string {
  return spellings(preprocessFiles({ 'main.c': text }, options));
}

export function spellings(result: Outcome<Preprocessed>): string {
  if (result.kind === 'failed') {
    const { file, line, column, message } = result.diagnostic;
    return `${file}:${line}:${column}: ${message}`;
  }
  const { tokens } = result.value;
  return Array.from({ length: tokens.count }, (_, i) => textAt(tokens, i)).join(' ');
}
