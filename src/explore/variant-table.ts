import { DEFAULT_FEATURES, type Features } from '../arm64/features.ts';
import type { Need } from '../candidates/candidate.ts';
import { findCandidate } from '../candidates/catalogue.ts';
import { ALL_RULES } from '../rules/all-rules.ts';
import { isInputError } from '../scenario/input-error.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { checkScenario, findViolation } from './check.ts';
import { onePeMachine } from './one-pe.ts';
import { scenarioWith } from './library.ts';
import type { SeedCheck, SeedRow } from './seed-table.ts';

const LIMITS = { states: 1_000_000 };

/** One question about a variant, with the verdict that the table and the architecture give. */
interface Question {
  readonly what: string;
  readonly expected: string;
  readonly features?: Partial<Features>;
  readonly needs?: readonly Need[];
  readonly change?: Partial<Scenario>;
  /** Another candidate than that of the row. */
  readonly form?: string;
}

/** Nobody relies on the page afterwards, so that only the translation is looked at. */
const NOTHING_AFTER: Partial<Scenario> = { afterwards: 'nothing' };

const WITHOUT_FWB: Question = {
  what: 'without FWB, guest with its MMU off',
  expected: 'refuted P5',
  needs: ['kept-tables', 'non-cacheable-guest'],
  change: { afterwards: 'read' },
};

const PASS: readonly Question[] = [false, true].flatMap((fwb): readonly Question[] => [
  {
    what: `fwb=${fwb ? 'on' : 'off'}, one page`,
    expected: 'verified',
    features: { fwb },
    needs: ['kept-tables'],
  },
  {
    what: `fwb=${fwb ? 'on' : 'off'}, two pages, tables dissolve, lock drop`,
    expected: 'verified',
    features: { fwb },
    needs: ['lock-drop', 'freed-tables'],
  },
]);

/** With FWB, so that nothing but what the row is about goes wrong. */
function refutes(
  what: string,
  rules: string,
  needs: readonly Need[],
  change: Partial<Scenario> = NOTHING_AFTER,
  features: Partial<Features> = {},
): Question {
  return {
    what,
    expected: `refuted ${rules}`,
    features: { fwb: true, ...features },
    needs,
    change,
  };
}

function row(no: number, form: string, expected: string, questions: readonly Question[]): SeedRow {
  return {
    no,
    question: form,
    expected,
    checks: () =>
      questions.map((question) => ({
        what: question.what,
        expected: question.expected,
        obtained: answer(question.form ?? form, question),
      })),
  };
}

function answer(form: string, { features = {}, needs = [], change = {} }: Question): string {
  const candidate = findCandidate(`unmap-stage2-range/${form}`);
  if (candidate === null) throw new RangeError(`no candidate ${form}`);
  const machine: Features = { ...DEFAULT_FEATURES, ...features };
  const scenario = { ...scenarioWith(candidate, machine, needs), ...change };
  const checked = checkScenario(scenario, candidate, ALL_RULES, LIMITS);
  if (isInputError(checked)) return checked.message;
  const refuted = checked.outcomes.filter(({ verdict }) => verdict === 'refuted');
  if (refuted.length > 0) return `refuted ${refuted.map(({ rule }) => rule.family).join(' ')}`;
  const open = checked.outcomes.some(({ verdict }) => verdict !== 'verified');
  return open ? 'inconclusive' : 'verified';
}

/** A form on a machine with one PE, on which host and guest take turns. */
function onOnePe(form: string, expected: string): SeedCheck {
  const candidate = findCandidate(`unmap-stage2-range/${form}`);
  if (candidate === null) throw new RangeError(`no candidate ${form}`);
  const machine = onePeMachine(candidate, { ...DEFAULT_FEATURES, fwb: true });
  const found = findViolation(machine, ALL_RULES, LIMITS, true);
  const obtained = {
    violation: () => `refuted ${found.kind === 'violation' ? found.rule.family : ''}`,
    exhausted: () => 'verified',
    limit: () => 'inconclusive',
  }[found.kind]();
  return { what: `one PE, ${form}`, expected, obtained };
}

const KEPT: readonly Need[] = ['kept-tables'];
const DISSOLVES: readonly Need[] = ['freed-tables'];

const TWO_PES = row(14, 'range-local', 'refute with two PEs, pass with one', [
  refutes('host and vCPU on two PEs', 'P1', KEPT),
]);

/** The variants of seed.md 1.8, in its order, with what each is expected to do. */
export const VARIANT_TABLE: readonly SeedRow[] = [
  row(1, 'per-page-flush', 'pass everywhere', PASS),
  row(2, 'deferred-range-flush', 'refute without FWB, pass with FWB', [
    WITHOUT_FWB,
    ...PASS.filter(({ features }) => features?.fwb === true),
  ]),
  row(3, 'gated-on-fwb', 'pass', PASS),
  row(4, 'two-passes', 'pass', PASS),
  row(5, 'keep-pfn-second-walk', 'pass', PASS),
  row(6, 'flush-after-loop', 'refute (P4, P1)', [
    refutes('a fault while the lock is dropped', 'P4', ['lock-drop', 'kept-tables', 'fault-path']),
  ]),
  row(7, 'flush-after-unlock', 'refute', [
    refutes('a fault before the flush', 'P4', ['kept-tables', 'fault-path']),
  ]),
  row(8, 'flush-at-notifier-end', 'refute (P2)', [
    refutes('the page has a new owner', 'P1 P2', KEPT, { afterwards: 'reuse' }),
  ]),
  row(9, 'without-table-flush', 'refute (P3)', [refutes('tables dissolve', 'P3', DISSOLVES)]),
  row(10, 'table-flush-leaf-only', 'refute (P3)', [
    refutes('leaf-only form', 'P3', DISSOLVES),
    {
      ...refutes('level hint, FEAT_TTL', 'P3', DISSOLVES, NOTHING_AFTER, { ttl: true }),
      form: 'table-flush-level-hint',
    },
  ]),
  row(11, 'range-without-middle-dsb', 'refute (P1)', [refutes('one page', 'P1', KEPT)]),
  row(12, 'range-stage1-first', 'refute (P1)', [refutes('one page', 'P1', KEPT)]),
  row(13, 'range-large-stage1-only', 'refute (P1)', [
    refutes('512 pages', 'P1', ['wide-range', 'kept-tables']),
  ]),
  {
    ...TWO_PES,
    checks: () => [
      ...TWO_PES.checks(),
      onOnePe('range-local', 'verified'),
      // The case can tell right from wrong: without any flush it is refuted.
      onOnePe('without-leaf-flush', 'refuted P1'),
    ],
  },
  row(15, 'range-step-unit', 'pass (slow)', [
    ...PASS,
    {
      what: '64 KiB pages',
      expected: 'verified',
      features: { granule: '64k' },
      needs: ['adjacent-pages', 'kept-tables'],
    },
  ]),
  row(16, 'range-step-bytes', 'refute (P1)', [
    refutes('two pages', 'P1', ['adjacent-pages', 'kept-tables']),
  ]),
  row(17, 'range-without-threshold', 'pass (cost)', [
    ...PASS,
    {
      what: '512 pages',
      expected: 'verified',
      features: { fwb: true },
      needs: ['wide-range', 'kept-tables'],
    },
  ]),
  row(18, 'range-end-rounded-down', 'refute for unaligned input', [
    ...PASS,
    refutes('a range that ends inside a page', 'P1', ['unaligned-end', 'kept-tables']),
  ]),
  row(19, 'error-exit-without-flush', 'refute', [refutes('the walk gives up', 'P1', KEPT)]),
];
