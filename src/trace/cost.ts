import type { Label } from './label.ts';

/** Compares two cost tuples: negative when the first is cheaper. */
export function compareCosts(a: readonly number[], b: readonly number[]): number {
  const length = Math.max(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** What a run costs a reader: how often the scene changes, how long it is, what comes unasked. */
export function traceCost(labels: readonly Label[]): readonly [number, number, number] {
  let switches = 0;
  let spontaneous = 0;
  let last: string | null = null;
  for (const label of labels) {
    const agent = agentOf(label);
    if (last !== null && agent !== last) switches += 1;
    last = agent;
    if (isSpontaneous(label)) spontaneous += 1;
  }
  return [switches, labels.length, spontaneous];
}

/** Whose step it is, deliveries apart: those are nobody's. */
export function agentOf(label: Label): string {
  return label.event === 'deliver' ? 'delivery' : label.agent;
}

/** Steps that no instruction asks for at this time. */
function isSpontaneous(label: Label): boolean {
  return label.agent === 'memory' || label.event === 'deliver' || label.choice.includes(' stale');
}
