import type { State } from '../machine/state.ts';
import type { Machine } from '../machine/machine.ts';
import { isLine } from '../machine/memory.ts';
import type { PageSetup } from '../machine/setup.ts';
import { entryId, MARK, marksOf, type TranslationEntry } from '../machine/translation-entry.ts';
import { pageShift } from '../arm64/granule.ts';

/** What one memory location holds, for whom. */
export interface CellView {
  readonly address: bigint;
  /** At the point of coherency. */
  readonly ram: bigint;
  /** Value of the dirty line, if the line is dirty. */
  readonly dirty: bigint | null;
  /** Values a cacheable read may hit while the line is not dirty. */
  readonly clean: readonly bigint[];
  /** Whether the location has a cache line at all; otherwise all observers see `ram`. */
  readonly isLine: boolean;
}

/** A leaf translation that a PE may hold. */
export interface LeafView {
  readonly pe: number;
  readonly entry: TranslationEntry;
  readonly stale: boolean;
  readonly dead: boolean;
}

/** What can be seen in a state. */
export interface StateView {
  readonly cells: readonly CellView[];
  readonly leaves: readonly LeafView[];
  readonly pages: readonly {
    readonly setup: PageSetup;
    readonly use: string;
    readonly reused: boolean;
  }[];
}

/** Looks at a state. PE 0 .. hosts-1 run the host and use no guest translation of their own. */
export function observe(machine: Machine, state: State): StateView {
  const { inspect, setup } = machine;
  const { memory, tlbs } = inspect;
  inspect.load(state);
  const cells: CellView[] = [];
  for (let cell = 0; cell < memory.cellCount(); cell += 1) {
    const slot = inspect.slot(cell);
    const address = memory.addressOf(cell);
    if (!isLine(slot)) {
      cells.push({ address, ram: memory.value(slot >> 1), dirty: null, clean: [], isLine: false });
      continue;
    }
    const line = memory.line(slot);
    cells.push({
      address,
      ram: memory.value(line.poc),
      dirty: line.dirty < 0 ? null : memory.value(line.dirty),
      clean: line.clean.map((id) => memory.value(id)),
      isLine: true,
    });
  }
  const leaves: LeafView[] = [];
  for (let pe = 0; pe < inspect.threads.length; pe += 1) {
    for (const code of tlbs.codes(inspect.tlb(pe))) {
      const entry = tlbs.entries.item(entryId(code));
      // Where there is one stage, its leaves are what is used.
      const isUsed =
        entry.kind === (machine.setup.translation.stage2 === null ? 's1-leaf' : 's2-leaf');
      if (entry.kind !== 'combined' && !isUsed) continue;
      const marks = marksOf(code);
      leaves.push({
        pe,
        entry,
        stale: (marks & MARK.stale) !== 0,
        dead: (marks & MARK.dead) !== 0,
      });
    }
  }
  const ghost = inspect.touchGhost();
  const pages = setup.pages.map((page, index) => {
    const { use, reused } = ghost.page(index);
    return { setup: page, use, reused };
  });
  return { cells, leaves, pages };
}

/** The setup's page that holds an address. */
export function pageAt(machine: Machine, address: bigint): PageSetup | null {
  const shift = BigInt(pageShift(machine.setup.translation.features.granule));
  return machine.setup.pages.find((page) => page.base >> shift === address >> shift) ?? null;
}

/** `0x8000`. */
export function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** A small value as a number, a large one in hexadecimal. */
export function show(value: bigint): string {
  return value < 1000n ? value.toString() : hex(value);
}

/** What a step changed, one line each, in a fixed order; empty when nothing a reader looks at did. */
export function changesBetween(
  machine: Machine,
  before: StateView,
  after: StateView,
): readonly string[] {
  const lines: string[] = [];
  for (const [index, now] of after.cells.entries()) {
    const old = before.cells[index];
    if (old === undefined) continue;
    const page = pageAt(machine, now.address);
    if (now.isLine) {
      if (old.ram !== now.ram) {
        lines.push(`RAM[${hex(now.address)}]: ${show(old.ram)} -> ${show(now.ram)}`);
      }
      if (now.dirty !== null && now.dirty !== old.dirty) {
        lines.push(`D-cache[${hex(now.address)}] = ${show(now.dirty)} dirty`);
      }
    } else if (old.ram !== now.ram && (page?.use === 'table' || page?.use === 'free')) {
      lines.push(`entry at ${hex(now.address)}: ${entryText(old.ram)} -> ${entryText(now.ram)}`);
    }
  }
  lines.push(...tlbChanges(before.leaves, after.leaves));
  for (const [index, now] of after.pages.entries()) {
    const old = before.pages[index];
    if (old === undefined) continue;
    if (old.use !== now.use) lines.push(`${now.setup.name}: ${old.use} -> ${now.use}`);
    if (now.reused && !old.reused) lines.push(`${now.setup.name}: has a new owner`);
  }
  return lines;
}

function entryText(bits: bigint): string {
  return (bits & 1n) === 0n ? show(bits) : hex(bits);
}

/** What changed in what the TLBs may hold, one line each. */
export function tlbChanges(
  before: readonly LeafView[],
  after: readonly LeafView[],
  address: (address: bigint) => string = hex,
): readonly string[] {
  const lines: string[] = [];
  const name = ({ pe, entry }: LeafView): string =>
    `TLB of cpu${pe}: ${address(entry.info.inputBase)} -> ${address(entry.output)}`;
  const summary = (
    leaves: readonly LeafView[],
  ): Map<string, { stale: boolean; current: boolean }> => {
    const map = new Map<string, { stale: boolean; current: boolean }>();
    for (const leaf of leaves) {
      const key = name(leaf);
      const { stale, current } = map.get(key) ?? { stale: false, current: false };
      map.set(key, { stale: stale || leaf.stale, current: current || !leaf.stale });
    }
    return map;
  };
  const old = summary(before);
  const now = summary(after);
  for (const [key, state] of now) {
    const was = old.get(key);
    if (was === undefined) lines.push(`${key} may be cached`);
    else if (state.stale && !was.stale) lines.push(`${key} is stale now`);
    else if (state.current && !was.current) lines.push(`${key} may be cached again`);
  }
  for (const key of old.keys()) if (!now.has(key)) lines.push(`${key} is gone`);
  return lines;
}
