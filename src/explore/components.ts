/** A graph whose nodes are 0 to `size - 1`. */
export interface Graph {
  readonly size: number;
  /** Targets of the edges of a node that count. */
  readonly targets: (node: number) => readonly number[];
}

/**
 * Strongly connected components (Tarjan, SIAM J. Comput. 1972), without recursion: state graphs are
 * deep. Only those with an edge inside: a single node counts when it has an edge to itself.
 */
export function components(graph: Graph, roots: Iterable<number>): readonly (readonly number[])[] {
  const index = new Int32Array(graph.size).fill(-1);
  const low = new Int32Array(graph.size);
  const onStack = new Uint8Array(graph.size);
  const stack: number[] = [];
  const found: number[][] = [];
  let counter = 0;

  interface Frame {
    readonly node: number;
    readonly targets: readonly number[];
    next: number;
  }

  function enter(node: number): Frame {
    index[node] = counter;
    low[node] = counter;
    counter += 1;
    stack.push(node);
    onStack[node] = 1;
    return { node, targets: graph.targets(node), next: 0 };
  }

  function close({ node, targets }: Frame): void {
    if (low[node] !== index[node]) return;
    const component: number[] = [];
    for (let member = -1; member !== node;) {
      member = stack.pop() ?? node;
      onStack[member] = 0;
      component.push(member);
    }
    if (component.length > 1 || targets.includes(node)) found.push(component);
  }

  for (const root of roots) {
    if (index[root] !== -1) continue;
    const frames = [enter(root)];
    for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
      const target = frame.targets[frame.next];
      frame.next += 1;
      if (target === undefined) {
        close(frame);
        frames.pop();
        const parent = frames.at(-1);
        if (parent !== undefined) {
          low[parent.node] = Math.min(low[parent.node] ?? 0, low[frame.node] ?? 0);
        }
      } else if (index[target] === -1) frames.push(enter(target));
      else if (onStack[target] === 1) {
        low[frame.node] = Math.min(low[frame.node] ?? 0, index[target] ?? 0);
      }
    }
  }
  return found;
}
