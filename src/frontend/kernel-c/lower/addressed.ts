import type { Compound } from '../parse/ast.ts';
import { isMemory } from './asm.ts';

/**
 * The names whose address is taken somewhere in a body, or that stand as a memory operand of inline
 * assembly. Names, not variables: two variables of one name in different blocks are treated alike.
 */
export function addressedNames(body: Compound): ReadonlySet<string> {
  const found = new Set<string>();
  visit(body, found);
  return found;
}

function visit(node: unknown, found: Set<string>): void {
  if (Array.isArray(node)) {
    for (const item of node) visit(item, found);
    return;
  }
  if (typeof node !== 'object' || node === null) return;
  if ('kind' in node) {
    if (node.kind === 'typedef') return;
    if (node.kind === 'unary' && 'operator' in node && node.operator === '&' && 'operand' in node) {
      root(node.operand, found);
    }
  }
  if ('constraint' in node && 'expression' in node && typeof node.constraint === 'string') {
    if (isMemory(node.constraint)) root(node.expression, found);
  }
  for (const value of Object.values(node)) {
    if (typeof value === 'object') visit(value, found);
  }
}

/** The variable behind `x.y[2]`: it is the one that needs an address. */
function root(node: unknown, found: Set<string>): void {
  let inner = node;
  while (typeof inner === 'object' && inner !== null && 'kind' in inner) {
    if (inner.kind === 'identifier' && 'name' in inner && typeof inner.name === 'string') {
      found.add(inner.name);
      return;
    }
    if ((inner.kind === 'member' || inner.kind === 'index') && 'object' in inner) {
      inner = inner.object;
    } else if (inner.kind === 'comma' && 'right' in inner) {
      inner = inner.right;
    } else if ((inner.kind === 'generic' || inner.kind === 'choose') && inner !== null) {
      // Which branch is chosen is not known here: take them all.
      for (const value of Object.values(inner)) branches(value, found);
      return;
    } else {
      return;
    }
  }
}

function branches(value: unknown, found: Set<string>): void {
  if (Array.isArray(value)) for (const item of value) branches(item, found);
  else if (typeof value === 'object' && value !== null) {
    if ('value' in value) root(value.value, found);
    root(value, found);
  }
}
