import { Flag, lexFile } from '../preprocess/lex.ts';
import { createSymbols, spelling } from '../preprocess/symbols.ts';

/**
 * What stands on a line before preprocessing: nothing (or a comment), a part of a macro, a condition
 * (`#if` to `#endif`), a part of another directive, or C. The guard of a header is a directive.
 */
export type RawLine = 'blank' | 'macro' | 'condition' | 'directive' | 'code';

const CONDITION = /^(if|ifdef|ifndef|elif|else|endif)$/;

/** What stands on some lines of a file with this text. */
export function rawLines(text: string, lines: readonly number[]): ReadonlyMap<number, RawLine> {
  const symbols = createSymbols();
  const file = lexFile(symbols, '', text, 1);
  const raw = new Map<number, RawLine>(lines.map((line) => [line, 'blank']));
  const directives = new Set(file.directives);
  let kind: RawLine = 'code';
  let line = 1;
  for (let token = 0; token < file.count; token++) {
    const offset = file.offsets[token] ?? 0;
    while ((file.lineStarts[line] ?? Infinity) <= offset) line += 1;
    if (directives.has(token)) {
      const name = spelling(symbols, file.symbols[token + 1] ?? 0);
      const isGuard = file.guard !== 0 && file.symbols[token + 2] === file.guard;
      kind = name === 'define' && !isGuard ? 'macro' : 'directive';
      if (CONDITION.test(name)) kind = 'condition';
    } else if (((file.flags[token] ?? 0) & Flag.lineStart) !== 0) {
      kind = 'code';
    }
    if (raw.has(line)) raw.set(line, kind);
  }
  return raw;
}
