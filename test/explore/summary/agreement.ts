import type { Features } from '../../../src/arm64/features.ts';
import type { Candidate } from '../../../src/candidates/candidate.ts';
import { checkMachine, type Verdict } from '../../../src/explore/check.ts';
import { concreteSetup } from '../../../src/explore/summary/concrete-machine.ts';
import { buildFullWorld } from '../../../src/explore/summary/full-world.ts';
import { sidesOf } from '../../../src/explore/summary/layout.ts';
import { summarise } from '../../../src/explore/summary/summarise.ts';
import { createMachine } from '../../../src/machine/machine.ts';
import { ALL_RULES } from '../../../src/rules/all-rules.ts';
import { isInputError } from '../../../src/scenario/input-error.ts';
import type { GuestViewKind } from '../../../src/scenario/scenario.ts';

const VIEWS: readonly GuestViewKind[] = ['mmu-off', 'non-cacheable', 'device', 'cacheable'];
const LIMITS = { states: 400_000 };

/** Verdicts by rule: of the summary, and of plain exploration of the whole world. */
export interface Agreement {
  readonly summary: Readonly<Record<string, Verdict>>;
  readonly concrete: Readonly<Record<string, Verdict>>;
}

/** Both answers to one small question; a text where the summary does not reach. */
export function bothVerdicts(
  candidate: Candidate,
  features: Features,
  pages: number,
  vcpus: number,
  views: readonly GuestViewKind[] = VIEWS,
): Agreement | string {
  const size = {
    features,
    pages,
    mapping: { '4k': '4k', '16k': '16k', '64k': '64k' }[features.granule],
  };
  const found = summarise(candidate, size, ALL_RULES, LIMITS);
  if (isInputError(found)) throw new Error(found.message);
  if (found.kind === 'out-of-reach') return found.reason;
  const concrete: Record<string, Verdict> = {};
  for (const side of sidesOf(candidate.operation)) {
    const world = buildFullWorld(size, candidate.operation, side);
    if (isInputError(world)) throw new Error(world.message);
    const watched = world.runs.flatMap(({ from, to }) =>
      Array.from({ length: to - from }, (_, i) => from + i),
    );
    for (const view of views) {
      const machine = createMachine(concreteSetup(world, candidate, view, watched, vcpus));
      for (const [id, { verdict }] of checkMachine(machine, ALL_RULES, LIMITS).outcomes) {
        if (concrete[id] === undefined || concrete[id] === 'verified' || verdict === 'refuted') {
          concrete[id] = verdict;
        }
      }
    }
  }
  return {
    summary: Object.fromEntries(found.outcomes.map(({ rule, verdict }) => [rule.id, verdict])),
    concrete,
  };
}
