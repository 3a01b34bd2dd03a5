import type { Features } from '../../arm64/features.ts';
import type { Candidate } from '../../candidates/candidate.ts';
import { mutants } from '../../candidates/mutants/mutate.ts';
import type { Machine } from '../../machine/machine.ts';
import type { Rule } from '../../rules/rule.ts';
import { worldOf } from '../../scenario/build.ts';
import { ImpossibleScenario } from '../../scenario/impossible-scenario.ts';
import { isInputError } from '../../scenario/input-error.ts';
import type { Replay } from '../../scenario/replay-file.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { labelsOf } from '../../trace/replay.ts';
import { randomFrom, type Random } from '../../util/random.ts';
import { machineOf } from '../check.ts';
import { looksForLivelocks } from '../livelock.ts';
import { walk, type Leg, type Run } from '../random.ts';
import { nextRun, type Corpus } from './corpus.ts';
import { createCoverage, type Coverage } from './coverage.ts';
import { changeScenario, drawScenario } from './draw-scenario.ts';
import { combinationsOf, entryKey, type Entry, type Input } from './entry.ts';
import { factWatch } from './fact-watch.ts';
import type { RunFact } from './fact.ts';
import type { Subject } from './subject.ts';

/** What a campaign is about. Together with the corpus this fixes all its runs. */
export interface CampaignOptions {
  readonly subjects: readonly Subject[];
  readonly rules: readonly Rule[];
  /** The machines to draw from; never empty. */
  readonly machines: readonly Features[];
  readonly seed: number;
  /** Which of how many campaigns of this seed it is, from 1 on; together they do the runs of one. */
  readonly shard: { readonly index: number; readonly count: number };
  /** Whether mutants of the candidates are drawn too. */
  readonly mutants: boolean;
  /** Whether inputs of the corpus are changed, and not only new ones drawn. */
  readonly steered: boolean;
}

/** What one run came to. */
export interface CampaignRun {
  readonly number: number;
  readonly steps: number;
  readonly facts: readonly RunFact[];
  /** To be kept: the first of its combination. */
  readonly entry: Entry | null;
  /** The run as it broke a rule; null when it broke none. */
  readonly broke: Replay | null;
  /** No scenario that a machine can have was drawn. */
  readonly impossible: boolean;
}

/** A campaign under way: it hands out runs one by one, and nothing else happens. */
export interface Campaign {
  /** The number of the run that comes next. */
  next(): number;
  run(): CampaignRun;
  /** The entries there are by now, by `entryKey`. */
  entries(): ReadonlyMap<string, Entry>;
  /** How many combinations of facts they have got into. */
  combinations(): number;
}

/** As on the command line. */
export function shardName({ index, count }: CampaignOptions['shard']): string {
  return `${index}/${count}`;
}

/** Tries to draw a scenario that the machine drawn with it can have. */
const TRIES = 30;

/** Runs in a row that draw the same scenario: a machine that knows its tables is quicker. */
const RUNS_PER_SCENARIO = 4;

/** In 8: runs that begin with an input of the corpus. */
const FROM_CORPUS = 5;

/** More legs than this make an input that nobody learns from. */
const MOST_LEGS = 6;

/** Machines that are kept for the next run in the same scenario. */
const MACHINES_KEPT = 12;

/**
 * A campaign that goes on from a corpus. A run is a function of the options, its number, and the
 * entries there are: no clock, no order of events. A run that finds nothing new changes nothing; so
 * one that is repeated after a crash comes to the same, and what follows is what would have followed.
 */
export function startCampaign(options: CampaignOptions, start: Corpus): Campaign {
  const { seed, shard } = options;
  const machines = machineCache();
  const entries = new Map(start.entries);
  let next = nextRun(start, seed, shardName(shard));
  const coverage = createCoverage();
  for (const entry of entries.values()) coverage.add(entry);

  function run(): CampaignRun {
    const number = next;
    next += 1;
    const block = Math.floor(number / RUNS_PER_SCENARIO);
    const random = randomFrom(seedOf(seed, block * shard.count + shard.index));
    const own = randomFrom(random.fork() + number);
    for (let tries = 0; tries < TRIES; tries += 1) {
      const drawn = drawInput({ random, own }, options, coverage);
      if (drawn === null) continue;
      const machine = machines(drawn.input.scenario, drawn.candidate);
      if (machine !== null) return runOf(number, drawn.input, machine);
    }
    return { number, steps: 0, facts: [], entry: null, broke: null, impossible: true };
  }

  function runOf(number: number, input: Input, machine: Machine): CampaignRun {
    const { scenario } = input;
    const watch = factWatch(machine, scenario.hosts);
    const taken = walk(machine, input.legs, {
      hosts: scenario.hosts,
      rules: options.rules,
      livelocks: looksForLivelocks(scenario),
      watch: watch.see,
    });
    const facts = watch.facts();
    const steps = taken.steps.length;
    const done = { number, steps, facts, impossible: false };
    // A run that breaks a rule is kept as a finding: its neighbours would break it again.
    if (taken.violation !== null) {
      return { ...done, entry: null, broke: replayOf(scenario, machine, taken) };
    }
    if (combinationsOf({ scenario, facts }).every(coverage.has)) {
      return { ...done, entry: null, broke: null };
    }
    const found = { seed, shard: shardName(shard), run: number };
    const entry: Entry = { ...input, facts, steps, found };
    entries.set(entryKey(entry), entry);
    coverage.add(entry);
    return { ...done, entry, broke: null };
  }

  return { next: () => next, run, entries: () => entries, combinations: coverage.size };
}

function replayOf(scenario: Scenario, machine: Machine, { steps, violation }: Run): Replay {
  return { scenario, rule: violation?.rule.id ?? null, labels: labelsOf(machine, steps) };
}

/** A seed for each run, such that neighbours have nothing in common. */
function seedOf(seed: number, run: number): number {
  return randomFrom((randomFrom(seed).fork() + run) | 0).fork();
}

interface Drawn {
  readonly input: Input;
  readonly candidate: Candidate;
}

/** Where chance comes from: for what runs of one block share, and for what a run has of its own. */
interface Chance {
  readonly random: Random;
  readonly own: Random;
}

/** An input to try, or null when what was drawn is of no use. */
function drawInput(chance: Chance, options: CampaignOptions, coverage: Coverage): Drawn | null {
  const { random } = chance;
  const subject = options.subjects[random.below(options.subjects.length)];
  if (subject === undefined) throw new RangeError('a campaign needs a candidate');
  const parent =
    options.steered && random.chance(FROM_CORPUS, 8) ? coverage.draw(random, subject.source) : null;
  const input: Input =
    parent === null
      ? {
          scenario: drawScenario(random, subject.candidate, subject.source, options.machines),
          legs: [freshLeg(chance)],
        }
      : changed(chance, parent, subject, options.machines);
  const { features } = input.scenario;
  const { candidate } = subject;
  if (subject.onlyNews && candidate.expected(features).verdict !== 'holds') return null;
  // The machine may be the user's, and an entry of another campaign on another machine.
  if (!options.machines.some((machine) => sameFeatures(machine, features))) return null;
  const named = (name: string): Input => ({
    ...input,
    scenario: { ...input.scenario, candidate: name },
  });
  if (!options.mutants || random.chance(1, 8)) return { input: named(subject.source), candidate };
  const mutant = drawMutant(random, input.scenario, candidate);
  if (mutant === null) return null;
  return {
    input: named(`${subject.source}${mutant.id.slice(candidate.id.length)}`),
    candidate: mutant,
  };
}

function drawMutant(random: Random, scenario: Scenario, candidate: Candidate): Candidate | null {
  try {
    const found = mutants(candidate, worldOf(scenario, candidate));
    return found[random.below(found.length)]?.candidate ?? null;
  } catch (problem) {
    if (problem instanceof ImpossibleScenario) return null;
    throw problem;
  }
}

function freshLeg({ own }: Chance): Leg {
  return { seed: own.fork(), steps: Infinity };
}

/** A neighbour of an entry: another situation, another end of the run, or both. */
function changed(
  chance: Chance,
  { scenario, legs, steps }: Entry,
  { candidate }: Subject,
  machines: readonly Features[],
): Input {
  const { random, own } = chance;
  let other = scenario;
  for (let times = random.below(3); times > 0; times -= 1) {
    other = changeScenario(random, other, candidate.operation, machines);
  }
  if (other !== scenario && own.chance(1, 4)) return { scenario: other, legs };
  const cut = own.chance(1, 3) ? 0 : own.below(steps + 1);
  return { scenario: other, legs: cutAt(legs, cut, freshLeg(chance)) };
}

/** The legs up to a step, and from there on a new one. */
function cutAt(legs: readonly Leg[], step: number, then: Leg): readonly Leg[] {
  const begin: Leg[] = [];
  let left = step;
  for (const leg of legs.slice(0, MOST_LEGS - 1)) {
    if (left <= 0) break;
    const steps = Math.min(leg.steps, left);
    begin.push({ seed: leg.seed, steps });
    left -= steps;
  }
  return [...begin, then];
}

function sameFeatures(a: Features, b: Features): boolean {
  return (Object.keys(a) as (keyof Features)[]).every((key) => a[key] === b[key]);
}

/** Machines by scenario; null for those that cannot be. */
function machineCache(): (scenario: Scenario, candidate: Candidate) => Machine | null {
  const known = new Map<string, Machine | null>();
  return (scenario, candidate) => {
    const key = JSON.stringify(scenario);
    let machine = known.get(key);
    if (machine === undefined) {
      const built = machineOf(scenario, candidate);
      machine = isInputError(built) ? null : built;
      if (known.size >= MACHINES_KEPT) {
        const [oldest] = known.keys();
        if (oldest !== undefined) known.delete(oldest);
      }
      known.set(key, machine);
    }
    return machine;
  };
}
