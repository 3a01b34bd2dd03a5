import { pageBytes } from '../../arm64/granule.ts';
import type { Candidate } from '../../candidates/candidate.ts';
import { eitherMet, NO_BOUNDS_MET, type BoundsMet } from '../../machine/bounds-met.ts';
import { createMachine } from '../../machine/machine.ts';
import type { Rule } from '../../rules/rule.ts';
import { isInputError, type InputError } from '../../scenario/input-error.ts';
import type { GuestViewKind } from '../../scenario/scenario.ts';
import { checkMachine, inOrder, type RuleOutcome } from '../check.ts';
import type { SearchLimits } from '../search.ts';
import { classSetup } from './class-machine.ts';
import { buildFullWorld, type FullWorld } from './full-world.ts';
import { hostEnds } from './host-end.ts';
import { sidesOf, type FullSize } from './layout.ts';
import { project, type PageClass, type Projection } from './project.ts';
import { shapeStore } from './shape.ts';
import { OUT_OF_TIME, traceOf, type Trace } from './trace.ts';
import { wordTable } from './word.ts';

/** What the summary says of one rule, and where it is broken. */
export interface SummaryOutcome extends RuleOutcome {
  readonly at: Broken | null;
}

/** Pages of one class under one view: the machine in which a rule is broken. */
export interface Broken {
  readonly world: FullWorld;
  /** How the free choices of the host went, by number. */
  readonly choiceAt: (index: number) => number;
  readonly page: PageClass;
  readonly view: GuestViewKind;
  readonly projection: Projection;
  readonly trace: Trace;
}

/** A class of pages, for the report. */
export interface ClassReport {
  /** IPA of the first page. */
  readonly ipa: bigint;
  readonly level: number;
  readonly pages: number;
  readonly states: number;
}

/** What was found out about an operation at full size. */
export interface Summary {
  readonly kind: 'summary';
  readonly outcomes: readonly SummaryOutcome[];
  readonly classes: readonly ClassReport[];
  /** Effects of the host thread, over all its runs. */
  readonly effects: number;
  /** Runs of the host thread: one for each place of the range and each way its free choices can go. */
  readonly runs: number;
  readonly states: number;
  /** The machine's own bounds that kept something from happening in the search of a class. */
  readonly boundsMet: BoundsMet;
  /** Why not all runs were looked at, as the end of a sentence; then nothing is verified. Null when all were. */
  readonly incomplete: string | null;
}

/** Why there is no summary: the end of a sentence that begins with the candidate's name. */
export interface OutOfReach {
  readonly kind: 'out-of-reach';
  readonly reason: string;
}

/** The views that a guest may have of a page. */
const VIEWS: readonly GuestViewKind[] = ['mmu-off', 'non-cacheable', 'device', 'cacheable'];

/** With FWB every view is cacheable (attributes.ts), so one with stage 1 on stands for all of those. */
const VIEWS_WITH_FWB: readonly GuestViewKind[] = ['mmu-off', 'cacheable'];

/** Bounds of a summary: of each search, and on the runs of the host. */
export interface SummaryLimits extends SearchLimits {
  /**
   * Effects of all runs together, ten million when not given: where a host has free choices, its ways are tried as
   * long as there are fewer.
   */
  readonly effects?: number;
}

const MOST_EFFECTS = 10_000_000;

/** Runs of the host that are looked at, however short they are: each may have classes of its own. */
const MOST_RUNS = 64;

/** Ways that wait to be tried. */
const MOST_WAITING = 10_000;

/** One way in which the free choices of the host may go: 0 where nothing is said. */
interface Way {
  readonly picks: ReadonlyMap<number, number>;
  /** Choices before this one are decided. */
  readonly decided: number;
}

/**
 * Checks the operation of a candidate at full size against any guest on any number of vCPUs: one small
 * exhaustive search for each class of pages that see the host do the same. See docs/proof.md.
 */
export function summarise(
  candidate: Candidate,
  size: FullSize,
  rules: readonly Rule[],
  limits: SummaryLimits,
): Summary | OutOfReach | InputError {
  if (candidate.operation === 'fault') {
    return outOfReach('has no host thread of its own: it runs when vCPUs fault');
  }
  const { features } = size;
  if (features.s2Hafdbs !== 'none' || features.s1Hafdbs !== 'none') {
    return outOfReach('runs where hardware updates descriptors by itself');
  }
  const outcomes = new Map<string, SummaryOutcome>();
  const classes: ClassReport[] = [];
  // Runs share their words: what is checked once need not be checked again.
  const store = shapeStore();
  const words = wordTable();
  const checked = new Set<string>();
  let effects = 0;
  let states = 0;
  let runs = 0;
  let boundsMet = NO_BOUNDS_MET;
  let incomplete: string | null = null;
  for (const side of sidesOf(candidate.operation)) {
    const world = buildFullWorld(size, candidate.operation, side);
    if (isInputError(world)) return world;
    const ways: Way[] = [{ picks: new Map(), decided: 0 }];
    for (let way = ways.pop(); way !== undefined; way = ways.pop()) {
      const { picks, decided } = way;
      const isMuch = runs >= MOST_RUNS || effects > (limits.effects ?? MOST_EFFECTS);
      if (isMuch && decided > 0) {
        incomplete = `makes more free choices than can be tried at this size (${runs} runs of it were looked at)`;
        break;
      }
      const choiceAt = (index: number): number => picks.get(index) ?? 0;
      const trace = traceOf(candidate, world, choiceAt, store, limits.expired);
      if (trace.kind === 'given-up') return outOfReach(trace.reason);
      if (trace.kind === 'beyond') return outOfReach(`is beyond the projection: ${trace.reason}`);
      // Each choice behind those decided is tried the other way too.
      for (let i = decided; i < trace.options.length && ways.length < MOST_WAITING; i += 1) {
        for (let option = 1; option < (trace.options[i] ?? 0); option += 1) {
          ways.push({ picks: new Map([...picks, [i, option]]), decided: i + 1 });
        }
      }
      const projection = project(world, trace, words);
      if (projection.kind === 'beyond') {
        return outOfReach(`is beyond the projection: ${projection.reason}`);
      }
      runs += 1;
      effects += trace.effects;
      for (const page of projection.classes) {
        if (limits.expired?.() === true) return outOfReach(OUT_OF_TIME);
        const name = `${page.word},${page.level}`;
        if (checked.has(name)) continue;
        checked.add(name);
        const broken: Broken = { world, choiceAt, page, view: 'mmu-off', projection, trace };
        const found = checkClass(broken, rules, limits, outcomes);
        states += found.states;
        boundsMet = eitherMet(boundsMet, found.boundsMet);
        classes.push({
          ipa: BigInt(page.page) * pageBytes(features.granule),
          level: page.level,
          pages: page.pages,
          states: found.states,
        });
      }
    }
  }
  return {
    kind: 'summary',
    outcomes: inOrder(rules, outcomes).map((outcome) => ({
      ...outcome,
      ...(incomplete !== null && outcome.verdict === 'verified'
        ? { verdict: 'inconclusive', message: `the candidate ${incomplete}` }
        : {}),
      at: outcomes.get(outcome.rule.id)?.at ?? null,
    })),
    classes,
    effects,
    runs,
    states,
    boundsMet,
    incomplete,
  };
}

function outOfReach(reason: string): OutOfReach {
  return { kind: 'out-of-reach', reason };
}

/** Checks one class under each view, and notes in `outcomes` what is worst so far. */
function checkClass(
  of: Broken,
  rules: readonly Rule[],
  limits: SearchLimits,
  outcomes: Map<string, SummaryOutcome>,
): Pick<Summary, 'states' | 'boundsMet'> {
  const { world, trace, projection, page } = of;
  let states = 0;
  let boundsMet = NO_BOUNDS_MET;
  for (const view of world.features.fwb ? VIEWS_WITH_FWB : VIEWS) {
    // A rule that is broken already needs no second look.
    const left = rules.filter(({ id }) => outcomes.get(id)?.verdict !== 'refuted');
    if (left.length === 0) break;
    const machine = createMachine(classSetup(world, trace, projection, page, view));
    if (!hostEnds(machine)) {
      for (const rule of left) {
        const message = 'the host cannot come to its end';
        outcomes.set(rule.id, { rule, verdict: 'inconclusive', message, at: null });
      }
      continue;
    }
    // The projection has no reads of tables left.
    const checked = checkMachine(machine, left, limits, { reduction: 'sound' });
    states += checked.states;
    boundsMet = eitherMet(boundsMet, machine.inspect.boundsMet());
    for (const outcome of inOrder(left, checked.outcomes)) {
      const { id } = outcome.rule;
      const before = outcomes.get(id);
      if (outcome.verdict === 'refuted') outcomes.set(id, { ...outcome, at: { ...of, view } });
      else if (before?.verdict !== 'inconclusive') {
        outcomes.set(id, { ...outcome, at: null });
      }
    }
  }
  return { states, boundsMet };
}
