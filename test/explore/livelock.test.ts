import { describe, expect, test } from 'vitest';
import { DEFAULT_FEATURES } from '../../src/arm64/features.ts';
import { findCandidate } from '../../src/candidates/catalogue.ts';
import { scenarioWith } from '../../src/explore/library.ts';
import { looksForLivelocks } from '../../src/explore/livelock.ts';
import { checkProgress } from '../../src/explore/progress.ts';
import { randomRun, randomSearch, type RandomResult } from '../../src/explore/random.ts';
import { brokenAtEnd } from '../../src/explore/replay-verdict.ts';
import { rounds } from '../../src/explore/strategy/rounds.ts';
import { createMachine, type Machine } from '../../src/machine/machine.ts';
import { progress } from '../../src/rules/progress.ts';
import { buildSetup } from '../../src/scenario/build.ts';
import { labelsOf, replay } from '../../src/trace/replay.ts';

/** Guests on some PEs that all want one page, and fault until they have it. */
function faulting(id: string, vcpus: number): Machine {
  const candidate = findCandidate(id);
  if (candidate === null) throw new RangeError(`no candidate ${id}`);
  const scenario = {
    ...scenarioWith(candidate, DEFAULT_FEATURES, ['two-faulting-vcpus']),
    vcpus,
  };
  expect(looksForLivelocks(scenario)).toBe(true);
  return createMachine(buildSetup(scenario, candidate));
}

const BROKEN = 'memory-fault/unconditional-break-before-make';
const RIGHT = 'memory-fault/skip-if-equal';

function look(machine: Machine, runs: number): RandomResult {
  return randomSearch(machine, 1, { hosts: 1, rules: [progress], livelocks: true, runs });
}

describe('guests that fault for ever', () => {
  test.each([2, 4])('are found by random runs of %i vCPUs, and the run replays', (vcpus) => {
    const machine = faulting(BROKEN, vcpus);
    const { found } = look(machine, 2000);
    if (found === null) throw new Error('nothing found');
    const again = replay(machine, labelsOf(machine, found.run.steps));
    if (again.kind === 'misfit') throw new Error('no run');
    expect(brokenAtEnd(machine, again, progress)).not.toBeNull();
  });

  test('are where the state graph has them', () => {
    const limits = { states: 100_000, reduced: true };
    expect(checkProgress(faulting(BROKEN, 2), limits).kind).toBe('violation');
    expect(checkProgress(faulting(RIGHT, 2), limits).kind).toBe('holds');
  });

  test('are not found where the second one leaves the entry alone', () => {
    expect(look(faulting(RIGHT, 2), 800).found).toBeNull();
    expect(look(faulting(RIGHT, 4), 200).found).toBeNull();
  });

  test('that somebody keeps off the machine are no livelock', () => {
    // Two run in turn and the others never: the circle leaves out agents that could act.
    const machine = faulting(BROKEN, 4);
    const unfair = { ...rounds, name: 'two of four' };
    for (let seed = 0; seed < 300; seed += 1) {
      const run = randomRun(machine, seed, {
        hosts: 1,
        rules: [progress],
        livelocks: true,
        strategies: [
          {
            ...unfair,
            start(random, agents, steps) {
              const awake = agents.filter(({ pe }) => pe <= 2);
              const schedule = rounds.start(random, awake, steps);
              return {
                ...schedule,
                pick: (ready, current, step) => {
                  const some = ready.filter((agent) => awake.includes(agent));
                  const [other] = ready;
                  return some.length > 0 || other === undefined
                    ? schedule.pick(some, current, step)
                    : other;
                },
              };
            },
          },
        ],
      });
      expect(run.violation).toBeNull();
    }
  });
});
