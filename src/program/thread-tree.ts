import type { Answer, Effect } from './effect.ts';

/**
 * A thread as a tree of effects: a node is the thread before its next effect, an edge is an answer.
 * The machine stores one integer per thread and never knows which front end is behind it.
 */
export interface ThreadTree {
  readonly name: string;
  readonly root: number;
  /**
   * The front end's later effects refer to results of earlier ones (`Expr` of kind `result`), so the
   * machine keeps every instance until the thread ends. False for generators.
   */
  readonly symbolic: boolean;
  /**
   * The tree keeps what anybody asks about the faults its thread took, so the machine may forget which
   * walk one came from.
   */
  readonly keepsFaults?: boolean;
  /** The effect asked for at this node; `null` when the thread has ended. Computed once per node. */
  effectAt(node: number): Effect | null;
  /** The node after `answer`; the same node for the same answer. */
  next(node: number, answer: Answer): number;
}

/** A key under which equal answers are the same edge. */
export function answerKey(answer: Answer): string {
  switch (answer.kind) {
    case 'done':
      return 'd';
    case 'value':
      return `v${answer.value}`;
    case 'fault': {
      const f = answer.fault;
      return `f${f.stage},${f.cause},${f.level},${f.address},${f.onWalk ? 1 : 0},${f.access}`;
    }
  }
}
