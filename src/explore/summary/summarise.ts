import { pageBytes } from '../../arm64/granule.ts';
import type { Candidate } from '../../candidates/candidate.ts';
import { createMachine } from '../../machine/machine.ts';
import type { Rule } from '../../rules/rule.ts';
import { isInputError, type InputError } from '../../scenario/input-error.ts';
import type { GuestViewKind } from '../../scenario/scenario.ts';
import { checkMachine, inOrder, type RuleOutcome } from '../check.ts';
import type { SearchLimits } from '../search.ts';
import { classSetup } from './class-machine.ts';
import { buildFullWorld, type FullSize, type FullWorld } from './full-world.ts';
import { hostEnds } from './host-end.ts';
import { project, type PageClass, type Projection } from './project.ts';
import type { Shape } from './token.ts';
import { traceOf } from './trace.ts';

/** What the summary says of one rule, and where it is broken. */
export interface SummaryOutcome extends RuleOutcome {
  readonly at: Broken | null;
}

/** The machine in which a rule is broken. */
export interface Broken {
  readonly page: PageClass;
  readonly view: GuestViewKind;
  readonly projection: Projection;
  readonly shapes: readonly Shape[];
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
  /** Runs of the host thread: one for each way its free choices can go. */
  readonly runs: number;
  readonly states: number;
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

/** With more free choices than this not all ways are tried. */
const MOST_CHOICES = 3;

/**
 * Checks the operation of a candidate at full size against any guest on any number of vCPUs: one small
 * exhaustive search for each class of pages that see the host do the same. See docs/proof.md.
 */
export function summarise(
  candidate: Candidate,
  size: FullSize,
  rules: readonly Rule[],
  limits: SearchLimits,
): Summary | OutOfReach | InputError {
  if (candidate.operation === 'fault') {
    return outOfReach('has no host thread of its own: it runs when vCPUs fault');
  }
  const { features } = size;
  if (features.s2Hafdbs !== 'none' || features.s1Hafdbs !== 'none') {
    return outOfReach('runs where hardware updates descriptors by itself');
  }
  const world = buildFullWorld(size, candidate.operation);
  if (isInputError(world)) return world;
  const outcomes = new Map<string, SummaryOutcome>();
  const classes: ClassReport[] = [];
  let effects = 0;
  let states = 0;
  let runs = 0;
  const ways: (readonly number[])[] = [[]];
  for (let way = ways.pop(); way !== undefined; way = ways.pop()) {
    const trace = traceOf(candidate, world, way);
    if (trace.kind === 'beyond') return outOfReach(`is beyond the projection: ${trace.reason}`);
    // The list named the first choices; each one behind it is tried the other way too.
    if (trace.options.length > MOST_CHOICES) {
      return outOfReach(
        `makes ${trace.options.length} free choices, of which not all ways are tried`,
      );
    }
    for (let i = way.length; i < trace.options.length; i += 1) {
      const before = [...way, ...Array.from({ length: i - way.length }, () => 0)];
      for (let option = 1; option < (trace.options[i] ?? 0); option += 1) {
        ways.push([...before, option]);
      }
    }
    const projection = project(world, trace);
    if (projection.kind === 'beyond') {
      return outOfReach(`is beyond the projection: ${projection.reason}`);
    }
    runs += 1;
    effects += trace.effects;
    for (const page of projection.classes) {
      if (limits.expired?.() === true) return outOfReach('was not finished in the time given');
      const found = checkClass(world, trace.shapes, projection, page, rules, limits, outcomes);
      states += found;
      classes.push({
        ipa: BigInt(page.page) * pageBytes(features.granule),
        level: page.level,
        pages: page.pages,
        states: found,
      });
    }
  }
  return {
    kind: 'summary',
    outcomes: inOrder(rules, outcomes).map((outcome) => ({
      ...outcome,
      at: outcomes.get(outcome.rule.id)?.at ?? null,
    })),
    classes,
    effects,
    runs,
    states,
  };
}

function outOfReach(reason: string): OutOfReach {
  return { kind: 'out-of-reach', reason };
}

/** Checks one class under each view, and notes in `outcomes` what is worst so far. */
function checkClass(
  world: FullWorld,
  shapes: readonly Shape[],
  projection: Projection,
  page: PageClass,
  rules: readonly Rule[],
  limits: SearchLimits,
  outcomes: Map<string, SummaryOutcome>,
): number {
  let states = 0;
  for (const view of world.features.fwb ? VIEWS_WITH_FWB : VIEWS) {
    // A rule that is broken already needs no second look.
    const left = rules.filter(({ id }) => outcomes.get(id)?.verdict !== 'refuted');
    if (left.length === 0) break;
    const machine = createMachine(classSetup(world, shapes, projection, page, view));
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
    for (const outcome of inOrder(left, checked.outcomes)) {
      const { id } = outcome.rule;
      const before = outcomes.get(id);
      if (outcome.verdict === 'refuted')
        outcomes.set(id, { ...outcome, at: { page, view, projection, shapes } });
      else if (before?.verdict !== 'inconclusive') {
        outcomes.set(id, { ...outcome, at: null });
      }
    }
  }
  return states;
}
