import { DONE, type Answer, type Effect } from '../../../program/effect.ts';
import type { LitmusThread } from './litmus-thread.ts';

/** Something about a thread that the machine cannot run. */
export interface ProbeFinding {
  readonly line: number;
  readonly message: string;
}

/** Nodes looked at per thread. */
const NODE_LIMIT = 2_000;

/**
 * Walks the part of a thread's tree that is reached without faults and looks for what is not
 * modelled: an access that is not aligned to its size, as far as its address is known beforehand.
 */
export function probeThread(thread: LitmusThread): ProbeFinding | null {
  const seen = new Set<number>([thread.root]);
  const open = [thread.root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const effect = thread.effectAt(node);
    if (effect === null) continue;
    if (isMisaligned(effect)) {
      return { line: effect.location.line, message: 'misaligned accesses are not supported.' };
    }
    for (const answer of answersTo(effect)) {
      const next = thread.next(node, answer);
      if (seen.has(next) || seen.size >= NODE_LIMIT) continue;
      seen.add(next);
      open.push(next);
    }
  }
  return null;
}

function answersTo(effect: Effect): readonly Answer[] {
  const values = (count: number): readonly Answer[] =>
    Array.from({ length: count }, (_, value) => ({ kind: 'value', value: BigInt(value) }));
  if (effect.kind === 'branch' || effect.kind === 'select') return values(2);
  return effect.kind === 'choose' ? values(effect.options) : [DONE];
}

function isMisaligned(effect: Effect): boolean {
  if (effect.kind !== 'load' && effect.kind !== 'store' && effect.kind !== 'rmw') return false;
  const { address } = effect.at;
  return address.kind === 'const' && address.value % BigInt(effect.bytes) !== 0n;
}
