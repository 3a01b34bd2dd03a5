import type { Context } from '../program/effect.ts';
import { contextsAt } from './context.ts';
import { entryKey } from './entry.ts';
import type { Entry, InstructionLine, NaiveState, Pe } from './state.ts';
import { quiet, withPeChange, withWord, type Step } from './step.ts';
import { entriesOf, translations } from './translate.ts';
import { upcoming } from './upcoming.ts';
import { afterClean, afterFill, cacheableValues, wordAddress, wordAt } from './word.ts';
import type { World } from './world.ts';

/**
 * Spontaneous fills: TLB entries, clean cache lines, I-cache lines; and write-back of dirty lines.
 *
 * When they are offered. A fill changes nothing but what its PE may use later, and a T that could use
 * a filled entry while nothing has changed since can read the same descriptor versions from memory.
 * So a fill can be moved later past every transition that would still let the same entry be filled;
 * at the end of the run it can be dropped. It is enough to offer it where a transition is enabled
 * that would take it away: a write to a word it reads, a delivery to its PE (what it is built from
 * may go, though it would itself survive), a change of the context in force. The same argument
 * holds for lines: before the word is written or the PoC is looked at.
 *
 * Why there is no eviction. Entries and clean lines are only ever looked up as one more choice beside
 * memory, so a state with more of them can do everything a state with fewer can, and obligations come
 * from what accesses used, never from what the TLB holds.
 *
 * What has no entry: stage-1 table descriptors whose next-table IPA has not been through stage 2.
 */
export function fillSteps(
  world: World,
  state: NaiveState,
  others: readonly Step[],
  tlbFills: boolean,
): readonly Step[] {
  const touched = new Set(others.flatMap(({ touches }) => touches));
  return [
    ...state.pes.flatMap((pe, index) => {
      const disturbed = others.some(({ disturbs }) => disturbs === 'all' || disturbs === index);
      if (!disturbed && touched.size === 0) return [];
      const due = { disturbed, touched };
      return [
        ...(tlbFills ? entrySteps(world, state, due, pe, index) : []),
        ...instructionSteps(world, state, due, pe, index),
      ];
    }),
    ...lineSteps(world, state, touched),
  ];
}

/**
 * Every TLB entry that could be filled now and is not present; `before` names the contexts of before
 * the start, where it is about what was filled in them.
 */
export function fillable(
  world: World,
  state: NaiveState,
  index: number,
  before?: readonly Context[],
): readonly Entry[] {
  const pe = state.pes[index];
  const tree = world.setup.threads[index]?.tree;
  if (pe === undefined || tree === undefined || !upcoming(tree, pe).translates) return [];
  const present = new Set(pe.tlb.map(entryKey));
  const entries = new Map<string, Entry>();
  for (const context of before ?? walkableContexts(world, pe)) {
    const view = { world, state, tlb: pe.tlb, context };
    for (const va of world.setup.watchedVas) {
      for (const entry of entriesOf(view, va)) {
        const key = entryKey(entry);
        if (!present.has(key)) entries.set(key, entry);
      }
    }
  }
  return [...entries.values()];
}

/** Contexts a walker may run ahead in; none at EL2 under the strict reading (R_FXGNQ). */
function walkableContexts(world: World, pe: Pe): ReturnType<typeof contextsAt> {
  return contextsAt(pe, pe.window.length).filter(
    ({ el }) => el !== 2 || world.features.readingFillOutOfContext,
  );
}

/** What is about to change for a PE: its own TLB or context, and the words on the way. */
interface Due {
  readonly disturbed: boolean;
  readonly touched: ReadonlySet<bigint>;
}

function entrySteps(
  world: World,
  state: NaiveState,
  { disturbed, touched }: Due,
  pe: Pe,
  index: number,
): readonly Step[] {
  return fillable(world, state, index)
    .filter(({ path }) => disturbed || path.some(({ cell }) => touched.has(cell)))
    .map((entry) =>
      quiet(
        `PE${index} fills ${entryKey(entry)}`,
        withPeChange(state, index, () => ({ tlb: [...pe.tlb, entry] })),
      ),
    );
}

function instructionSteps(
  world: World,
  state: NaiveState,
  { disturbed, touched }: Due,
  pe: Pe,
  index: number,
): readonly Step[] {
  return fillableLines(world, state, index)
    .filter(({ pa }) => disturbed || touched.has(pa))
    .map((line) =>
      quiet(
        `PE${index} fills I-line ${line.pa.toString(16)}`,
        withPeChange(state, index, () => ({ icache: [...pe.icache, line] })),
      ),
    );
}

/** I-cache lines that a fetch of some watched VA could bring in now and that are not present. */
function fillableLines(world: World, state: NaiveState, index: number): readonly InstructionLine[] {
  const pe = state.pes[index];
  const tree = world.setup.threads[index]?.tree;
  if (pe === undefined || tree === undefined || !upcoming(tree, pe).fetches) return [];
  const found = new Map<string, InstructionLine>();
  for (const context of walkableContexts(world, pe)) {
    const view = { world, state, tlb: pe.tlb, context };
    for (const va of world.setup.watchedVas) {
      for (const { result } of translations(view, { va, access: 'execute', el0: false })) {
        if (result.kind !== 'ok') continue;
        const pa = wordAddress(result.pa);
        const vmid = world.features.icache === 'vpipt' ? context.vmid : null;
        for (const copy of cacheableValues(wordAt(state, pa))) {
          found.set(`${pa},${vmid},${copy.version}`, { pa, vmid, copy });
        }
      }
    }
  }
  for (const { pa, vmid, copy } of pe.icache) found.delete(`${pa},${vmid},${copy.version}`);
  return [...found.values()];
}

/** Clean fills and write-backs of the words that an enabled transition is about to change. */
function lineSteps(world: World, state: NaiveState, touched: ReadonlySet<bigint>): readonly Step[] {
  return [...touched].flatMap((address) => {
    if (!world.hasLines(address)) return [];
    const word = wordAt(state, address);
    const name = address.toString(16);
    if (word.dirty !== null) {
      return [quiet(`write-back ${name}`, withWord(state, address, afterClean(word)))];
    }
    if (word.clean.some(({ version }) => version === word.poc.version)) return [];
    return [quiet(`clean fill ${name}`, withWord(state, address, afterFill(word)))];
  });
}
