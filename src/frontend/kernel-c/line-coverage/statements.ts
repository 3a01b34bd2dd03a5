import type { Compound } from '../parse/ast.ts';

/** The beginning of a statement, declaration or part of one: its first token and what it is. */
export interface StatementStart {
  readonly at: number;
  readonly kind: string;
}

const STATEMENTS: ReadonlySet<string> = new Set([
  'compound',
  'declaration',
  'expression',
  'empty',
  'local-labels',
  'if',
  'while',
  'do',
  'for',
  'switch',
  'case',
  'default',
  'label',
  'goto',
  'goto-address',
  'break',
  'continue',
  'return',
  'asm',
]);

/**
 * Where the statements of a body begin, in the order of its tokens, those inside of statement
 * expressions too. A statement goes from its beginning to the next one.
 */
export function statementStarts(body: Compound): readonly StatementStart[] {
  const starts = new Map<number, StatementStart>();
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      for (const item of node) visit(item);
      return;
    }
    if (typeof node !== 'object' || node === null) return;
    const { kind, at } = node as { readonly kind?: unknown; readonly at?: unknown };
    if (typeof kind === 'string' && typeof at === 'number' && STATEMENTS.has(kind)) {
      // The innermost one that begins at a token is the one whose code stands there.
      starts.set(at, { at, kind });
    }
    for (const value of Object.values(node)) visit(value);
  };
  visit(body);
  return [...starts.values()].sort((a, b) => a.at - b.at);
}
