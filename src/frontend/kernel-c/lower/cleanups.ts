import {
  addressOf,
  bind,
  type Block,
  type Builder,
  emit,
  fail,
  jump,
  type Label,
  newLabel,
  type OpenBlock,
} from './builder.ts';

/** Runs the cleanups of all blocks deeper than `depth`, innermost first. */
export function leaveTo(builder: Builder, depth: number): void {
  for (let i = builder.blocks.length - 1; i >= depth; i--) {
    const block = builder.blocks[i];
    if (block !== undefined) cleanUp(builder, block);
  }
}

/** Runs the cleanups of a block: those from number `first` to `due`, the last one first. */
export function cleanUp(
  builder: Builder,
  { cleanups }: Block,
  first = 0,
  due = cleanups.length,
): void {
  for (const { function: name, place, at } of cleanups.slice(first, due).reverse()) {
    const from = addressOf(builder, place, at);
    emit(builder, {
      op: 'call',
      at,
      callee: { kind: 'name', name },
      arguments: [{ kind: 'scalar', from, size: 8 }],
      result: { kind: 'none' },
    });
  }
}

/** Jumps to a label, with the cleanups of the variables whose scope the jump leaves. */
export function goTo(builder: Builder, label: Label, at: number): void {
  if (label.scope !== null) {
    leaveFor(builder, scopeOf(builder), label.scope);
    jump(builder, label, at);
  } else {
    jump(builder, detourTo(builder, label), at);
  }
}

/**
 * A label for a jump that is made by inline assembly: it is taken inside of the event, so nothing can be
 * done before it, and cleanups are done where it leads.
 */
export function targetOfAsm(builder: Builder, label: Label, at: number): Label {
  if (label.scope === null) return detourTo(builder, label);
  if (left(scopeOf(builder), label.scope).length > 0) {
    throw fail(builder, at, 'asm goto back past a variable with a cleanup is not known');
  }
  return label;
}

/** Puts a label of the source here, behind the cleanups of the jumps forward to it. */
export function putLabel(builder: Builder, label: Label, at: number): void {
  label.scope = scopeOf(builder);
  if (label.detours.length > 0) {
    jump(builder, label, at);
    for (const { from, label: detour } of label.detours) {
      bind(builder, detour);
      leaveFor(builder, from, label.scope);
      jump(builder, label, at);
    }
  }
  bind(builder, label);
}

/** Where a jump forward leads: which cleanups it passes is only known once its label is met. */
function detourTo(builder: Builder, label: Label): Label {
  const from = scopeOf(builder);
  if (from.every(({ due }) => due === 0)) return label;
  const detour = newLabel(builder);
  label.detours.push({ from, label: detour });
  return detour;
}

function leaveFor(builder: Builder, from: readonly OpenBlock[], to: readonly OpenBlock[]): void {
  for (const { block, first, due } of left(from, to)) cleanUp(builder, block, first, due);
}

/** The cleanups that are due on a way from one scope to another, innermost block first. */
function left(
  from: readonly OpenBlock[],
  to: readonly OpenBlock[],
): readonly { readonly block: Block; readonly first: number; readonly due: number }[] {
  return from
    .map(({ block, due }, depth) => {
      const there = to[depth];
      return { block, first: there?.block === block ? there.due : 0, due };
    })
    .filter(({ first, due }) => first < due)
    .reverse();
}

function scopeOf({ blocks }: Builder): readonly OpenBlock[] {
  return blocks.map((block) => ({ block, due: block.cleanups.length }));
}
