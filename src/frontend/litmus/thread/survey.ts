import { DONE, type Answer, type Context, type Effect } from '../../../program/effect.ts';
import type { Expr } from '../../../program/expr.ts';
import type { LitmusThread } from './litmus-thread.ts';

/** What can be said about a thread before it runs. */
export interface Survey {
  /** Line of an access whose address is known beforehand and not aligned to its size. */
  readonly misaligned: number | null;
  /** Contexts the thread switches to, other than the one it starts with. */
  readonly contexts: readonly Context[];
  /** Pages of the addresses that its virtual accesses are computed from. */
  readonly pages: readonly bigint[];
}

/** Pairs of node and context looked at; a survey of a longer thread is not complete. */
const LIMIT = 2_000;

/**
 * Walks a thread's tree as far as it goes without knowing any value: both ways at every branch and,
 * when `faults` is asked for, with and without a fault at every virtual access.
 */
export function surveyThread(
  thread: LitmusThread,
  start: Context,
  faults: 'with faults' | 'without faults',
): Survey {
  const contexts = new Map<string, Context>();
  const pages = new Set<bigint>();
  let misaligned: number | null = null;
  const seen = new Set<string>();
  const open: { readonly node: number; readonly context: Context }[] = [
    { node: thread.root, context: start },
  ];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const effect = thread.effectAt(at.node);
    if (effect === null) continue;
    let { context } = at;
    if (effect.kind === 'context') {
      context = { ...context, ...effect.change };
      contexts.set(keyOf(context), { ...context, el: 1 });
    }
    if (isAccess(effect)) {
      if (isMisaligned(effect)) misaligned ??= effect.location.line;
      if (effect.at.kind === 'virtual') {
        for (const value of constantsOf(effect.at.address)) pages.add(value & ~0xfffn);
      }
    }
    for (const answer of answersTo(effect, faults === 'with faults')) {
      const node = thread.next(at.node, answer);
      const key = `${node};${keyOf(context)}`;
      if (seen.has(key) || seen.size >= LIMIT) continue;
      seen.add(key);
      open.push({ node, context });
    }
  }
  contexts.delete(keyOf(start));
  return { misaligned, contexts: [...contexts.values()], pages: [...pages] };
}

type Access = Extract<Effect, { kind: 'load' | 'store' | 'rmw' }>;

function isAccess(effect: Effect): effect is Access {
  if (effect.kind === 'load' && effect.translatesFor !== undefined) return false;
  return effect.kind === 'load' || effect.kind === 'store' || effect.kind === 'rmw';
}

function isMisaligned({ at, bytes }: Access): boolean {
  return at.address.kind === 'const' && at.address.value % BigInt(bytes) !== 0n;
}

/** What distinguishes the translations of two contexts. */
function keyOf({ asid, vmid, stage1, stage2 }: Context): string {
  return `${asid},${vmid},${stage1?.root},${stage2?.root}`;
}

function answersTo(effect: Effect, withFaults: boolean): readonly Answer[] {
  const values = (count: number): readonly Answer[] =>
    Array.from({ length: count }, (_, value) => ({ kind: 'value', value: BigInt(value) }));
  if (effect.kind === 'branch' || effect.kind === 'select') return values(2);
  if (effect.kind === 'choose') return values(effect.options);
  const mayFault = withFaults && isAccess(effect) && effect.at.kind === 'virtual';
  return mayFault ? [DONE, fault(1), fault(2)] : [DONE];
}

function fault(stage: 1 | 2): Answer {
  return {
    kind: 'fault',
    fault: { stage, cause: 'translation', level: 3, address: 0n, onWalk: false, access: 'read' },
  };
}

/** The constants that an expression is computed from. */
export function constantsOf(expr: Expr): readonly bigint[] {
  switch (expr.kind) {
    case 'const':
      return [expr.value];
    case 'result':
      return [];
    case 'apply':
      return expr.args.flatMap(constantsOf);
    case 'picked':
      return constantsOf(expr.value);
  }
}
