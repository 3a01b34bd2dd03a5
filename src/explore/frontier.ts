/** In which order a search explores the states it has reached. */
export type Order =
  /** As they were reached: in a plain search the first violation has the fewest events. */
  | 'breadth-first'
  /**
   * The one reached last first: no trace is short, but ends are met from the start, so a search that is
   * cut off has still seen some.
   */
  | 'depth-first'
  /**
   * In ascending order of cost (Dijkstra's algorithm with whole numbers): the violation found is one of
   * least cost.
   */
  | 'cheapest-first';

/** States that are reached and not explored yet; states are numbered in the order they are reached. */
export interface Frontier {
  /**
   * State `id` has been reached at a cost. True when it was not known at so small a cost; it will then
   * be explored, again if need be.
   */
  reach(id: number, cost: number): boolean;
  /** The next state to explore, or -1 when there is none. */
  next(): number;
  /** The cost of the state that `next` returned last. */
  cost(): number;
  /**
   * Whether a state has been explored, or is being explored. Breadth first: whether it is no deeper than
   * the one that `next` returned last, so that the answer is the same in whatever order the states of
   * one depth are explored.
   */
  isExplored(id: number): boolean;
  /**
   * How deep the search is: steps, or pieces, from the initial state; cheapest first, the cost; depth
   * first, the states that wait.
   */
  depth(): number;
  /** Where the search is; null where a search is not kept. */
  place(): FrontierPlace | null;
}

/** Where a breadth-first search is in the list of the states it has reached. */
export interface FrontierPlace {
  /** States explored; those after them are reached and not explored yet. */
  readonly explored: number;
  readonly depth: number;
  /** The last state as deep as that. */
  readonly lastOfDepth: number;
}

/** Breadth first, from a place on; `reached` states have been reached. */
export function breadthFirst(
  from: FrontierPlace = { explored: 0, depth: 0, lastOfDepth: 0 },
  reached = 0,
): Frontier {
  let { explored, depth, lastOfDepth } = from;
  let count = reached;
  return {
    reach(id) {
      if (id < count) return false;
      count = id + 1;
      return true;
    },
    next() {
      if (explored >= count) return -1;
      if (explored > lastOfDepth) {
        depth += 1;
        lastOfDepth = count - 1;
      }
      explored += 1;
      return explored - 1;
    },
    cost: () => 0,
    isExplored: (id) => id <= lastOfDepth,
    depth: () => depth,
    place: () => ({ explored, depth, lastOfDepth }),
  };
}

/** An empty frontier. */
export function frontier(order: Order): Frontier {
  if (order === 'breadth-first') return breadthFirst();
  let explored = new Uint8Array(1024);
  let count = 0;

  function isExplored(id: number): boolean {
    return explored[id] === 1;
  }

  function explore(id: number): number {
    if (id >= explored.length) {
      const bigger = new Uint8Array(Math.max(id + 1, explored.length * 2));
      bigger.set(explored);
      explored = bigger;
    }
    explored[id] = 1;
    return id;
  }

  if (order === 'depth-first') {
    const stack: number[] = [];
    return {
      reach(id) {
        if (id < count) return false;
        count = id + 1;
        stack.push(id);
        return true;
      },
      next() {
        const id = stack.pop();
        return id === undefined ? -1 : explore(id);
      },
      cost: () => 0,
      isExplored,
      depth: () => stack.length,
      place: () => null,
    };
  }
  const costs: number[] = [];
  const byCost: (number[] | undefined)[] = [];
  let level = 0;
  let place = 0;
  return {
    reach(id, cost) {
      const known = costs[id];
      if (known !== undefined && known <= cost) return false;
      costs[id] = cost;
      (byCost[cost] ??= []).push(id);
      return true;
    },
    next() {
      for (; level < byCost.length; level += 1, place = 0) {
        const ids = byCost[level] ?? [];
        while (place < ids.length) {
          const id = ids[place] as number;
          place += 1;
          if (costs[id] === level && !isExplored(id)) return explore(id);
        }
      }
      return -1;
    },
    cost: () => level,
    isExplored,
    depth: () => level,
    place: () => null,
  };
}
