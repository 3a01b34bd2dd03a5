import { describe, expect, test } from 'vitest';
import { findCandidate } from '../../src/candidates/catalogue.ts';
import { randomRun, randomSearch } from '../../src/explore/random.ts';
import { brokenAtEnd } from '../../src/explore/replay-verdict.ts';
import { waitsForEver } from '../../src/explore/waits-for-ever.ts';
import { createMachine, type Machine } from '../../src/machine/machine.ts';
import { ALL_RULES } from '../../src/rules/all-rules.ts';
import { progress } from '../../src/rules/progress.ts';
import { buildSetup } from '../../src/scenario/build.ts';
import { labelsOf, replay } from '../../src/trace/replay.ts';
import { SEED_SCENARIO } from './seed-machine.ts';

/** Two unmaps at a time and a guest that never ends, so that no state is without a step. */
function twoUnmaps(id: string): Machine {
  const candidate = findCandidate(id);
  if (candidate === null) throw new RangeError(`no candidate ${id}`);
  const scenario = {
    ...SEED_SCENARIO,
    candidate: id,
    hosts: 2,
    pages: 1,
    layout: 'adjacent',
  } as const;
  return createMachine(buildSetup(scenario, candidate));
}

const options = { hosts: 2, rules: [progress] };

describe('a thread that waits for a lock that nobody gives back', () => {
  test('is found by random runs beside a guest that goes on, and the run replays', () => {
    const machine = twoUnmaps('unmap-stage2-range/without-unlock');
    const { found } = randomSearch(machine, 1, { ...options, runs: 50 });
    if (found === null) throw new Error('nothing found');
    const again = replay(machine, labelsOf(machine, found.run.steps));
    if (again.kind === 'misfit') throw new Error('no run');
    expect(brokenAtEnd(machine, again, progress)).toBe(
      'a thread waits for ever for a lock that nobody gives back',
    );
    expect(machine.transitions(again.states.at(-1) ?? machine.initial).length).toBeGreaterThan(0);
  });

  test('is not seen in any state of right code', () => {
    const machine = twoUnmaps('unmap-stage2-range/per-page-flush');
    for (let seed = 0; seed < 40; seed += 1) {
      for (const { next } of randomRun(machine, seed, { hosts: 2, rules: ALL_RULES }).steps) {
        expect(waitsForEver(machine, next)).toBeNull();
      }
    }
  });
});
