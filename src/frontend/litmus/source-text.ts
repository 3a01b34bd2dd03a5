import type { Position } from './problem.ts';

/** A text with the positions of its offsets. */
export interface SourceText {
  readonly file: string;
  readonly text: string;
  /** Line and column of an offset. */
  position(offset: number): Position;
}

/**
 * A source text. `start` is where the text itself begins in its file, for texts that are quoted
 * inside another format (a code string of a TOML file).
 */
export function sourceText(
  file: string,
  text: string,
  start: { readonly line: number; readonly column: number } = { line: 1, column: 1 },
): SourceText {
  const lineStarts = [0];
  for (let i = 0; i < text.length; i += 1) if (text[i] === '\n') lineStarts.push(i + 1);
  return {
    file,
    text,
    position(offset) {
      let low = 0;
      let high = lineStarts.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if ((lineStarts[middle] ?? 0) <= offset) low = middle;
        else high = middle - 1;
      }
      const column = offset - (lineStarts[low] ?? 0);
      return {
        file,
        line: start.line + low,
        column: low === 0 ? start.column + column : column + 1,
      };
    },
  };
}

/** The text with everything the pattern matches blanked out, so that offsets stay what they were. */
export function blank(text: string, pattern: RegExp): string {
  return text.replace(pattern, (match) => match.replace(/[^\n]/g, ' '));
}
