import type { Candidate } from '../../candidates/candidate.ts';
import type { Fact } from '../../machine/facts.ts';
import type { State } from '../../machine/state.ts';
import { createMachine, type Machine } from '../../machine/machine.ts';
import { EVENT, type Transition } from '../../machine/transition.ts';
import type { Rule } from '../../rules/rule.ts';
import { isInputError } from '../../scenario/input-error.ts';
import type { GuestViewKind } from '../../scenario/scenario.ts';
import { sameLabel, transitionOf } from '../../trace/lenient.ts';
import { labelOf, type Label } from '../../trace/label.ts';
import { labelsOf } from '../../trace/replay.ts';
import { findViolation } from '../check.ts';
import type { SearchLimits } from '../search.ts';
import { classSetup, FOR_OTHERS } from './class-machine.ts';
import { concreteSetup } from './concrete-machine.ts';
import { buildFullWorld } from './full-world.ts';
import { pagesPerEntry, type FullSize } from './layout.ts';
import { summarise } from './summarise.ts';

/** A concrete run that breaks the rule a summary breaks. */
export interface Lifted {
  /** The size at which it was made: the smallest one tried at which the summary breaks the rule. */
  readonly pages: number;
  /** IPA of the page that it is about. */
  readonly ipa: bigint;
  readonly view: GuestViewKind;
  readonly message: string;
  /** Events of the run, all effects of the host on other pages included. */
  readonly events: number;
  /** The run as that page sees it, the host's work on other pages gone through once. */
  readonly labels: readonly Label[];
}

/** A larger world is not replayed event by event. */
const MOST_PAGES = 4096;

/** At most so many pages are searched, and not only replayed. */
const SEARCHED_PAGES = 16;

/** States of a search in the concrete machine, where following the summary has not led there. */
const MOST_STATES = 60_000;

/**
 * Makes a concrete run of the violation that a summary found, at the smallest size at which the summary
 * shows it: the real host thread with all its effects, on the machine of the whole world. The run
 * follows the one of the class machine; what the host does for other pages is done where it stands.
 * It is replayed strictly on a machine made anew before it counts. Null when there is none: then
 * the summary proves nothing, because it allows more than any real run.
 */
export function lift(
  candidate: Candidate,
  size: FullSize,
  rule: Rule,
  limits: SearchLimits,
): Lifted | null {
  for (const pages of sizesBelow(candidate, size)) {
    const smaller = { ...size, pages };
    const summary = summarise(candidate, smaller, [rule], limits);
    if (isInputError(summary) || summary.kind !== 'summary') continue;
    const [outcome] = summary.outcomes;
    if (outcome?.at === null || outcome === undefined) continue;
    const { world, choiceAt, page, view, projection, trace } = outcome.at;
    const abstract = createMachine(classSetup(world, trace, projection, page, view));
    const found = findViolation(abstract, [rule], limits, true);
    if (found.kind !== 'violation') continue;
    const labels = labelsOf(abstract, found.trace);
    const make = (): Machine =>
      createMachine(concreteSetup(world, candidate, view, [page.page], 1));
    const run =
      follow(make(), labels, rule, choiceAt, false) ??
      follow(make(), labels, rule, choiceAt, true) ??
      searched(make(), rule, limits, pages);
    if (run === null || !breaksAgain(make(), run.labels, rule)) continue;
    return {
      pages,
      ipa: world.ipaOf(page.page),
      view,
      message: run.message,
      events: run.labels.length,
      labels,
    };
  }
  return null;
}

/** Sizes at which something new can show, ascending: few pages, and around a table and two. */
function sizesBelow(
  candidate: Candidate,
  { features, pages, mapping }: FullSize,
): readonly number[] {
  const world = buildFullWorld({ features, pages, mapping }, candidate.operation);
  if (isInputError(world)) return [];
  const { unit } = world;
  const table = pagesPerEntry(world.geometry, 2);
  const sizes = [1, 2, 3, 4, 8]
    .map((count) => count * unit)
    .concat([1, 2, 4].flatMap((count) => [count * table, (count * table + 1) * unit]))
    .concat([8 * table, pages]);
  return [...new Set(sizes)]
    .filter((each) => each <= Math.min(pages, MOST_PAGES))
    .sort((a, b) => a - b);
}

interface Run {
  readonly labels: readonly Label[];
  readonly message: string;
}

/**
 * Follows the labels of the class machine; the host catches up with what it does for other pages.
 * `lastIsLate`: what the vCPU does last, it does when the host has come to its end, for announcements
 * about this page and about others have the same label.
 */
function follow(
  machine: Machine,
  all: readonly Label[],
  rule: Rule,
  choiceAt: (index: number) => number,
  lastIsLate: boolean,
): Run | null {
  const labels = all.filter(({ where }) => !where.includes(FOR_OTHERS));
  const tail = labels.map(({ agent }) => agent).lastIndexOf('cpu0') + 1;
  const done: Label[] = [];
  let state = machine.initial;
  let choices = 0;
  let message = judge(rule, machine.initialFacts);

  function take(step: Transition): void {
    done.push(labelOf(machine, state, step));
    message = judge(rule, step.facts);
    state = step.next;
  }

  /** The host, or a delivery, goes on by itself; false when neither can. */
  function goOn(): boolean {
    const sites = machine.sites(state);
    for (const kind of ['instance', 'deliver']) {
      for (const site of sites) {
        if (site.kind !== kind || (kind === 'instance' && site.pe !== 0)) continue;
        const steps = machine.at(state, site);
        const isChoice = steps.length > 1 && steps[0]?.event === EVENT.fire;
        const option = isChoice ? choiceAt(choices) : 0;
        const step = isChoice ? steps.find(({ choice }) => choice === option) : steps[0];
        if (step === undefined) continue;
        if (isChoice) choices += 1;
        take(step);
        return true;
      }
    }
    return false;
  }

  for (const [index, label] of labels.entries()) {
    if (lastIsLate && index === tail) while (message === null && goOn());
    const back = { state, choices, length: done.length };
    for (;;) {
      if (message !== null) return { labels: done, message };
      const step = transitionOf(machine, state, label);
      if (step !== null) {
        take(step);
        break;
      }
      const mayWait = label.agent === 'cpu0' && label.event !== 'deliver';
      if (mayWait && goOn()) continue;
      ({ state, choices } = back);
      done.length = back.length;
      break;
    }
  }
  return message === null ? null : { labels: done, message };
}

function judge(rule: Rule, facts: readonly Fact[]): string | null {
  for (const fact of facts) {
    const message = rule.check(fact);
    if (message !== null) return message;
  }
  return null;
}

/** A search in the concrete machine, where it is small. */
function searched(machine: Machine, rule: Rule, limits: SearchLimits, pages: number): Run | null {
  if (pages > SEARCHED_PAGES) return null;
  const states = Math.min(limits.states, MOST_STATES);
  const found = findViolation(machine, [rule], { ...limits, states }, true);
  if (found.kind !== 'violation') return null;
  return { labels: labelsOf(machine, found.trace), message: found.message };
}

/** Strict replay: every label must name a step that is possible where it stands. */
function breaksAgain(machine: Machine, labels: readonly Label[], rule: Rule): boolean {
  let state = machine.initial;
  let facts: readonly Fact[] = machine.initialFacts;
  for (const label of labels) {
    const step = stepNamed(machine, state, label);
    if (step === null) return false;
    ({ next: state, facts } = step);
    if (judge(rule, facts) !== null) return true;
  }
  return false;
}

function stepNamed(machine: Machine, state: State, label: Label): Transition | null {
  for (const site of machine.sites(state)) {
    for (const step of machine.at(state, site)) {
      if (sameLabel(labelOf(machine, state, step), label)) return step;
    }
  }
  return null;
}
