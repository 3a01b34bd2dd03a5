import fc from 'fast-check';
import type { Features } from '../arm64/features.ts';
import { ACCESS_KINDS } from '../guest/access.ts';
import { defaultScenario, type Guest, type Scenario } from '../scenario/scenario.ts';

/** What random scenarios may contain; the defaults are small enough for thousands of runs. */
export interface ScenarioOptions {
  /** The candidate they are about. */
  readonly candidate: string;
  /** The machines they run on. */
  readonly features: fc.Arbitrary<Features>;
  readonly vcpus?: { readonly min: number; readonly max: number };
  readonly pages?: { readonly min: number; readonly max: number };
  /** Most accesses of a vCPU in a trace guest. */
  readonly accesses?: number;
  /** Views of the guests; all when not given. */
  readonly views?: readonly Scenario['view'][];
  /** What stage-2 faults lead to; `ignored` when not given. */
  readonly faults?: readonly Scenario['faults'][];
  /** Host threads; 1 when not given. */
  readonly hosts?: readonly Scenario['hosts'][];
}

/** Random scenarios of a candidate. */
export function scenarioArbitrary(options: ScenarioOptions): fc.Arbitrary<Scenario> {
  const { candidate } = options;
  const numbers = fc.record({
    vcpus: fc.integer(options.vcpus ?? { min: 1, max: 2 }),
    pages: fc.integer(options.pages ?? { min: 1, max: 2 }),
  });
  return numbers.chain(({ vcpus, pages }) =>
    fc
      .record({
        features: options.features,
        guest: guestArbitrary(vcpus, pages, options.accesses ?? 4),
        mapping: fc.constantFrom('page', 'page', 'block', 'mixed'),
        layout: fc.constantFrom('adjacent', 'across'),
        keepTables: fc.boolean(),
        notifier: fc.boolean(),
        view: fc.constantFrom(
          ...(options.views ?? (['mmu-off', 'non-cacheable', 'device', 'cacheable'] as const)),
        ),
        faults: fc.constantFrom(...(options.faults ?? (['ignored'] as const))),
        hosts: fc.constantFrom(...(options.hosts ?? ([1] as const))),
        secondVm: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
        afterwards: fc.constantFrom('read', 'reuse', 'read-then-reuse'),
        reschedule: fc.constantFrom('never', 'always', 'choose'),
      })
      .map((parts): Scenario => ({
        ...defaultScenario(candidate, parts.features),
        ...parts,
        vcpus,
        pages,
        // The fault path may need a page per level and watched page for new tables.
        freePages: parts.faults === 'enter-host' ? 3 : 0,
      })),
  );
}

/** Any access at any time, or a list of accesses for each vCPU. */
function guestArbitrary(vcpus: number, pages: number, most: number): fc.Arbitrary<Guest> {
  const access = fc.record({
    access: fc.constantFrom('write', 'read', ...ACCESS_KINDS),
    page: fc.nat({ max: pages - 1 }),
  });
  const trace = fc
    .array(fc.array(access, { minLength: 1, maxLength: most }), {
      minLength: vcpus,
      maxLength: vcpus,
    })
    .map((lists): Guest => ({ kind: 'trace', vcpus: lists }));
  const kinds = fc.subarray([...ACCESS_KINDS], { minLength: 1 });
  const general = kinds.map((list): Guest => ({ kind: 'general', kinds: list }));
  return fc.oneof(trace, general);
}
