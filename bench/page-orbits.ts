import { stateGraph, type StateGraph } from '../src/explore/state-graph.ts';
import type { Machine } from '../src/machine/machine.ts';
import { peComponent, PE, STATE, type State } from '../src/machine/state.ts';
import { entryId, marksOf } from '../src/machine/translation-entry.ts';
import type { EffectInfo } from '../src/machine/effect-info.ts';
import { AT, flagsOf, get } from '../src/machine/window.ts';
import { bench, PASSES, WINDOW, type SizedQuestion } from './exhaustive.ts';

/**
 * The most that a symmetry over pages could save: states are counted by what is left of them when all that
 * tells pages apart is forgotten. For each page there is a *view*: what is stored in it, its leaf entry, what each TLB may
 * hold of it, what is in flight to it. What is left of a state is the views in any order, and of the rest what
 * names no page: where each thread is (lines of code, not how often they were reached), flags of what is in
 * flight, outstanding TLBIs without their operands, tables and table entries of TLBs in any order.
 *
 * Whoever renames pages, and tables with them, changes nothing of that. So states that any such symmetry
 * takes for one have the same left over, and there are at least as many orbits as there are left-overs. This
 * counts as if pages could be renamed in every state, though threads visit them in order.
 *
 * What a symmetry takes for one also has the same future: as many steps of each agent, to states that are taken for one
 * again. So its orbits lie within the classes of the coarsest partition of which that is true and in
 * which states of a class have the same left over. These are counted as well.
 */
export interface OrbitRow {
  readonly question: string;
  /** vCPUs x pages. */
  readonly size: string;
  /** Of the graph with eager steps alone and accesses in one piece; vCPUs are told apart. */
  readonly states: number;
  /** Different left-overs: there are at least so many orbits. */
  readonly leftOver: number;
  /** Classes by left-over and future: there are at least so many orbits, too. */
  readonly classes: number;
  /** Steps, or pieces, between the states. */
  readonly steps: number;
  /**
   * Those among them that lead to a state which another one has reached first: all that sleep sets can leave out,
   * for the others are needed to reach all states.
   */
  readonly repeated: number;
}

const SIZES = [
  [1, 2],
  [1, 3],
  [1, 4],
  [2, 2],
  [2, 3],
] as const;

/** States, and what is left of them, of the passes of baseline and seed. */
export function orbitRows(limit: number): readonly OrbitRow[] {
  return PASSES.flatMap((question) =>
    SIZES.map(([vcpus, pages]) => orbitsOf({ ...question, vcpus, pages, window: WINDOW }, limit)),
  );
}

function orbitsOf(question: SizedQuestion, limit: number): OrbitRow {
  const machine = bench(question);
  const graph = stateGraph(machine, { limit, reduced: true, wholeAccesses: true });
  if (graph === null) throw new Error(`more than ${limit} states`);
  const leftOf = leftOver(machine);
  const left = numbered(graph.states.map(leftOf));
  const steps = graph.out.reduce((sum, edges) => sum + edges.length, 0);
  return {
    question: question.name,
    size: `${question.vcpus} x ${question.pages}`,
    states: graph.states.length,
    leftOver: left.count,
    classes: withSameFuture(graph, left).count,
    steps,
    repeated: steps - (graph.states.length - 1),
  };
}

/** A partition: the class of each state, and how many there are. */
interface Partition {
  readonly of: Int32Array;
  readonly count: number;
}

function numbered(keys: readonly (string | number)[]): Partition {
  const numbers = new Map<string | number, number>();
  const of = Int32Array.from(keys, (key) => {
    const number = numbers.get(key) ?? numbers.size;
    numbers.set(key, number);
    return number;
  });
  return { of, count: numbers.size };
}

/**
 * Splits classes until the states of each have the same numbers of steps of each agent to each class. Steps are
 * compared by a sum of hashes: where different ones have the same sum, a class is not split, and
 * too few are counted.
 */
function withSameFuture({ out }: StateGraph, start: Partition): Partition {
  let classes = start;
  for (;;) {
    const { of, count } = classes;
    const next = numbered(
      out.map((edges, id) => {
        let a = 0;
        let b = 0;
        for (const { agent, flags, to } of edges) {
          const label = agent * 16 + flags;
          a = (a + mixed(of[to] as number, label)) | 0;
          b = (b + mixed(label, of[to] as number)) | 0;
        }
        return `${of[id]},${a},${b}`;
      }),
    );
    if (next.count === count) return classes;
    classes = next;
  }
}

function mixed(a: number, b: number): number {
  let h = Math.imul(a + 1, 0x9e3779b1) ^ Math.imul(b + 1, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15), 0xc2b2ae35);
  return h ^ (h >>> 13);
}

/** What a component says of each page, and what it says beside that. */
interface Said {
  readonly pages: readonly string[];
  readonly rest: string;
}

/**
 * What is left of a state of a machine when pages are not told apart. To be called when the states have been
 * found: it looks at all cells that were touched until then.
 */
export function leftOver(machine: Machine): (state: State) => string {
  const { inspect, setup } = machine;
  const { memory, tlbs } = inspect;
  const pages = setup.pages
    .filter(({ use, name }) => use === 'guest' && / page \d+$/.test(name))
    .map(({ base }) => base);
  const shift = BigInt(Math.log2(setup.translation.features.granule === '4k' ? 4096 : 0));
  const numberOf = (address: bigint): bigint => address >> shift;
  const addressMask = ((1n << 48n) - 1n) & ~((1n << shift) - 1n);
  const leaves = pages.map(
    (page) => setup.memory.find(({ value }) => (value & addressMask) === page)?.address,
  );
  if (pages.length !== setup.watchedVas.length || leaves.includes(undefined)) {
    throw new Error('the pages of this scenario are not those looked at');
  }

  /** The page that an address of memory belongs to, or -1. */
  function pageOf(address: bigint): number {
    const page = pages.findIndex((base) => numberOf(base) === numberOf(address));
    return page >= 0 ? page : leaves.indexOf(address);
  }

  function said(
    found: readonly (readonly [page: number, text: string])[],
    isOrdered: boolean,
  ): Said {
    const ofPage = (page: number): string => {
      const texts = found.filter(([of]) => of === page).map(([, text]) => text);
      return (isOrdered ? texts : texts.sort()).join();
    };
    return { pages: pages.map((_, page) => ofPage(page)), rest: ofPage(-1) };
  }

  /** A value without the address in it, where that is of a page or of a table. */
  function bitsOf(value: bigint): string {
    return (value & ~addressMask).toString(16);
  }

  function ofMemory(id: number): Said {
    return said(
      Array.from({ length: memory.cellCount() }, (_, cell): readonly [number, string] => {
        const slot = memory.slot(id, cell);
        const page = pageOf(memory.addressOf(cell));
        if (memory.isLineCell(cell)) return [page, `line ${slot}`];
        return [page, bitsOf(memory.coherentValue(slot))];
      }),
      false,
    );
  }

  function ofGhost(state: State): Said {
    inspect.load(state);
    const ghost = inspect.touchGhost();
    const found: (readonly [number, string])[] = [];
    for (let i = 0; i < ghost.pageCount; i += 1) {
      const { base, use, vmid, reused } = ghost.page(i);
      // A table may begin with the leaf entry of a page.
      found.push([pages.indexOf(base), `${use} ${vmid} ${reused}`]);
    }
    for (let cell = 0; cell < memory.cellCount(); cell += 1) {
      const value = ghost.lastStored(cell);
      const byHost = ghost.lastStoredByHost(cell) >= 0;
      const text = value < 0 ? 'none' : `${bitsOf(memory.value(value))} ${byHost}`;
      found.push([pageOf(memory.addressOf(cell)), text]);
    }
    const owners = setup.locks.map((_, lock) => ghost.lockOwner(lock));
    return said([...found, [-1, `owners ${owners.join()}`]], false);
  }

  /** The page whose leaf entry is on a path of cells, or -1. */
  function pageOnPath(path: readonly number[]): number {
    return leaves.findIndex((leaf) =>
      path.some((cell, i) => i % 2 === 0 && memory.addressOf(cell) === leaf),
    );
  }

  function ofTlb(id: number): Said {
    return said(
      tlbs.codes(id).map((code): readonly [number, string] => {
        const { kind, info, path2 } = tlbs.entries.item(entryId(code));
        return [pageOnPath(path2), `${kind} ${info.level} ${info.vmid} ${marksOf(code)}`];
      }),
      false,
    );
  }

  function pageOfInstance({ constantAddress, place }: EffectInfo, cell: number, result: number) {
    if (cell >= 0) return pageOf(memory.addressOf(cell));
    if (result >= 0) return pageOnPath(tlbs.results.item(result).path2);
    if (constantAddress === null) return -1;
    if (place?.kind !== 'virtual') return pageOf(constantAddress);
    return setup.watchedVas.findIndex((va) => numberOf(va) === numberOf(constantAddress));
  }

  function ofWindow(state: State, pe: number): Said {
    inspect.load(state);
    const w = inspect.window(pe);
    const found: (readonly [number, string])[] = [];
    for (let i = 0; i < w.count; i += 1) {
      const info = w.infos[i] as EffectInfo;
      const { kind, location } = info.effect;
      const text = `${kind} ${location.file}:${location.line} ${flagsOf(w, i)}`;
      const page = pageOfInstance(info, get(w, i, AT.cell), get(w, i, AT.result));
      if (page >= 0) found.push([page, `${i} ${text}`]);
      found.push([-1, text]);
    }
    return said(found, true);
  }

  function ofLedger(state: State): Said {
    inspect.load(state);
    const found: (readonly [number, string])[] = [];
    const pending = inspect.pendingDeliveries(state);
    for (let i = 0; i < pending.length; i += 2) {
      const slot = pending[i] as number;
      const { op, context } = tlbs.invalidations.item(inspect.slotInvalidation(slot));
      const issuer = inspect.slotIssuer(slot);
      found.push([-1, `${op.name} ${context.vmid} by ${issuer} to ${pending[i + 1]}`]);
    }
    return said(found, false);
  }

  const texts = new Map<string, number>();

  function numberOfText(text: string): number {
    const number = texts.get(text) ?? texts.size;
    texts.set(text, number);
    return number;
  }

  const known: Map<number, Said>[] = Array.from(machine.initial, () => new Map());

  function component(state: State, at: number, find: () => Said): Said {
    const kept = known[at] as Map<number, Said>;
    const id = state[at] as number;
    let found = kept.get(id);
    if (found === undefined) {
      found = find();
      kept.set(id, found);
    }
    return found;
  }

  return (state) => {
    const all = [
      component(state, STATE.memory, () => ofMemory(state[STATE.memory] as number)),
      component(state, STATE.ghost, () => ofGhost(state)),
      component(state, STATE.ledger, () => ofLedger(state)),
    ];
    const others: number[] = [];
    setup.threads.forEach((_, pe) => {
      const tlb = peComponent(pe, PE.tlb);
      all.push(component(state, peComponent(pe, PE.window), () => ofWindow(state, pe)));
      all.push(component(state, tlb, () => ofTlb(state[tlb] as number)));
      others.push(state[peComponent(pe, PE.context)] as number);
      others.push(state[peComponent(pe, PE.pending)] as number);
    });
    const views = pages.map((_, page) =>
      numberOfText(all.map((each) => each.pages[page]).join('|')),
    );
    const rest = numberOfText(all.map((each) => each.rest).join('|'));
    return [...views.sort((a, b) => a - b), rest, ...others].join();
  };
}
