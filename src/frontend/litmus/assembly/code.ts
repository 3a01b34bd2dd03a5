import { reject, type Position } from '../problem.ts';
import { decode } from './decode.ts';
import { readsOf, REGISTER_COUNT, type Instruction } from './instruction.ts';

/** A line of code as a front end found it: an instruction, or only labels. */
export interface CodeLine {
  readonly labels: readonly string[];
  /** Empty when the line has only labels. */
  readonly text: string;
  readonly at: Position;
}

/** A run of instructions at consecutive addresses: the main code of a thread, or a handler. */
export interface CodeBlock {
  readonly name: string;
  /** Thread it belongs to: a branch finds labels of its own thread only. */
  readonly owner: number;
  readonly address: bigint;
  readonly lines: readonly CodeLine[];
}

/** One instruction of a thread. */
export interface CodeSlot {
  readonly instruction: Instruction;
  readonly address: bigint;
  /** Labels at the instruction, as herd7 prints them with a fault. */
  readonly labels: readonly string[];
  readonly text: string;
  readonly at: Position;
  /** Index of the block it belongs to. */
  readonly block: number;
  /** Resolved target of a branch: an index of `slots`. */
  readonly target: number;
}

/** The code of a thread. A program counter is an index of `slots`. */
export interface Code {
  readonly slots: readonly CodeSlot[];
  /** Index of the first slot of each block. */
  readonly starts: readonly number[];
  /** Labels of the thread of the first block (the first definition of each), as indices of `slots`. */
  readonly labels: ReadonlyMap<string, number>;
  /** Index of the slot at an address. */
  slotAt(address: bigint): number | undefined;
  /** Whether an instruction other than the one at `pc` reads the register. */
  readElsewhere(register: number, pc: number): boolean;
}

/** Bytes per instruction. */
const INSTRUCTION_BYTES = 4n;

interface Draft extends Omit<CodeSlot, 'target'> {
  readonly target: string | null;
}

/** Decodes the blocks of a thread and resolves its branches. */
export function assemble(blocks: readonly CodeBlock[]): Code {
  const drafts: Draft[] = [];
  const starts: number[] = [];
  const definitions: { readonly label: string; readonly slot: number }[] = [];
  blocks.forEach((block, index) => {
    starts.push(drafts.length);
    let address = block.address;
    let pending: string[] = [];
    for (const line of block.lines) {
      for (const label of line.labels) {
        pending.push(label);
        definitions.push({ label, slot: drafts.length });
      }
      if (line.text === '') continue;
      for (const instruction of decode(line.text, line.at)) {
        const target = instruction.kind === 'branch' ? instruction.target : null;
        const shared = { instruction, address, text: line.text, at: line.at, block: index };
        drafts.push({ ...shared, labels: pending, target });
      }
      pending = [];
      address += INSTRUCTION_BYTES;
    }
    // Falling off the end of a block ends the thread: a slot that nothing continues from.
    drafts.push(endOf(index, address, pending, block, blocks));
  });
  // A label means the one of its own block, then that of the earliest block that has it.
  const ownerOf = (slot: number): number | undefined => blocks[drafts[slot]?.block ?? -1]?.owner;
  const labels = new Map(
    definitions
      .filter(({ slot }) => ownerOf(slot) === blocks[0]?.owner)
      .reverse()
      .map(({ label, slot }) => [label, slot]),
  );
  const slots = drafts.map((draft, index): CodeSlot => ({
    ...draft,
    target:
      draft.target === null
        ? -1
        : (relative(draft.target, draft, drafts) ??
          resolve(
            draft.target,
            index,
            draft,
            definitions.filter(({ slot }) => ownerOf(slot) === ownerOf(index)),
            (slot) => drafts[slot]?.block,
          )),
  }));
  const byAddress = new Map<bigint, number>();
  slots.forEach((slot, index) => {
    if (!byAddress.has(slot.address)) byAddress.set(slot.address, index);
  });
  const readers = countReaders(slots);
  return {
    slots,
    starts,
    labels,
    slotAt: (address) => byAddress.get(address),
    readElsewhere(register, pc) {
      const here = slots[pc];
      const own = here === undefined ? 0 : readsOf(here.instruction).includes(register) ? 1 : 0;
      return (readers[register] ?? 0) > own;
    },
  };
}

/** The text of the slot behind the last instruction of a block. */
export const END_TEXT = '';

function endOf(
  block: number,
  address: bigint,
  labels: readonly string[],
  from: CodeBlock,
  blocks: readonly CodeBlock[],
): Draft {
  const at = from.lines.at(-1)?.at ??
    blocks[0]?.lines.at(-1)?.at ?? { file: '', line: 0, column: 0 };
  return { instruction: { kind: 'nop' }, address, labels, text: END_TEXT, at, block, target: null };
}

/** `.+8`: so many bytes from the branch itself. */
function relative(target: string, from: Draft, drafts: readonly Draft[]): number | null {
  const match = /^\.(?:([+-])\s*(\d+))?$/.exec(target);
  if (match === null) return null;
  const distance = BigInt(match[2] ?? '0');
  const address = from.address + (match[1] === '-' ? -distance : distance);
  const slot = drafts.findIndex((draft) => draft.address === address);
  return slot < 0 ? null : slot;
}

/** GNU numeric labels (`1f`, `1b`) mean the nearest definition in a direction. */
function resolve(
  target: string,
  from: number,
  { at, block }: { readonly at: Position; readonly block: number },
  definitions: readonly { readonly label: string; readonly slot: number }[],
  blockOf: (slot: number) => number | undefined,
): number {
  const numeric = /^(\d+)([fb])$/i.exec(target);
  const forward = numeric?.[2]?.toLowerCase() === 'f';
  const label = numeric?.[1] ?? target;
  const all = definitions.filter((definition) => definition.label === label);
  const own = all.filter(({ slot }) => blockOf(slot) === block).map(({ slot }) => slot);
  const found =
    numeric === null
      ? (own[0] ?? all[0]?.slot)
      : forward
        ? own.find((slot) => slot > from)
        : own.filter((slot) => slot <= from).at(-1);
  return found ?? reject('syntax', at, `there is no label \`${target}\` in this thread.`);
}

function countReaders(slots: readonly CodeSlot[]): readonly number[] {
  const readers = Array.from({ length: REGISTER_COUNT }, () => 0);
  for (const slot of slots) {
    for (const register of new Set(readsOf(slot.instruction))) {
      readers[register] = (readers[register] ?? 0) + 1;
    }
  }
  return readers;
}
