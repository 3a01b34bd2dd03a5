/**
 * The indentation for an added line whose blanks were collapsed, taken from its neighbours. Purely for
 * people who read the report: to C it makes no difference, and only white space is ever returned.
 */
export function indentFor(bare: string, before: readonly string[], after: string): string {
  if (bare === '' || bare.startsWith('#') || /^\w+:$/.test(bare)) return '';
  const [previous, earlier] = lastWritten(before);
  if (previous === undefined) return indentOf(after);
  if (bare.startsWith('*')) return indentOf(previous) + (/^\s*\/\*/.test(previous) ? ' ' : '');
  const depth = depthAfter(previous, earlier);
  return bare.startsWith('}') ? depth.replace(/\t$/, '') : depth;
}

/** The depth of a statement that follows `previous`. */
function depthAfter(previous: string, earlier: string | undefined): string {
  const depth = indentOf(previous);
  if (/\{\s*$/.test(previous) || isBareHeader(previous)) return `${depth}\t`;
  if (openParentheses(previous) > 0) return `${depth}\t\t`;
  if (openParentheses(previous) < 0 && earlier !== undefined) return indentOf(earlier);
  if (/^\w+:$/.test(previous)) return '\t';
  if (/^\s*\*.*\*\/$|^\s*\*\/$/.test(previous)) return depth.replace(/ $/, '');
  if (earlier !== undefined && isBareHeader(earlier)) return indentOf(earlier);
  return depth;
}

/** `if (...)` and the like without a brace: only the next statement is deeper. */
function isBareHeader(line: string): boolean {
  return (
    /^\s*(?:if|for|while)\b.*\)\s*$|^\s*(?:\} )?else$/.test(line) && openParentheses(line) === 0
  );
}

function openParentheses(line: string): number {
  return (line.match(/\(/g)?.length ?? 0) - (line.match(/\)/g)?.length ?? 0);
}

function lastWritten(lines: readonly string[]): readonly [string | undefined, string | undefined] {
  const found: string[] = [];
  for (let i = lines.length - 1; i >= 0 && found.length < 2; i--) {
    const line = lines[i] ?? '';
    if (line.trim() !== '') found.push(line);
  }
  return [found[0], found[1]];
}

function indentOf(line: string): string {
  return /^[ \t]*/.exec(line)?.[0] ?? '';
}
