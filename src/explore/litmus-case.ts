import type { Features } from '../arm64/features.ts';
import type { LitmusTest } from '../frontend/litmus/litmus-test.ts';
import { parseHerd, parseIsla, type ParsedLitmus } from '../frontend/litmus/parse-litmus.ts';
import { attempt, type LitmusProblem } from '../frontend/litmus/problem.ts';
import { runLitmus, type LitmusOutcomes } from './litmus-run.ts';

/** How a litmus test is read and run: what stands in its text, and what the user adds. */
export interface LitmusReading {
  /** `-variant` options of herd7: `vmsa`, `fatal`, `ETS2` ... */
  readonly variants: readonly string[];
  /** Features of the machine that the formats have no words for. */
  readonly features?: Partial<Features>;
}

/** What running one test gave. */
export type LitmusAnswer =
  | { readonly kind: 'outcomes'; readonly test: LitmusTest; readonly outcomes: LitmusOutcomes }
  /** The first thing in the file that is not understood or not modelled. */
  | { readonly kind: 'unsupported'; readonly problem: LitmusProblem };

/** Whether a file name is that of a litmus test. */
export function isLitmusFile(name: string): boolean {
  return name.endsWith('.litmus') || name.endsWith('.litmus.toml');
}

/** Reads a test; its file name says in which format it is. */
export function readLitmus(file: string, text: string, reading: LitmusReading): ParsedLitmus {
  const parsed = parse(file, text, reading);
  const { features } = reading;
  return parsed.kind === 'problem' || features === undefined
    ? parsed
    : { kind: 'test', test: withFeatures(parsed.test, features) };
}

function parse(file: string, text: string, { variants }: LitmusReading): ParsedLitmus {
  if (!file.endsWith('.toml')) return parseHerd(file, text, { variants });
  const lower = variants.map((variant) => variant.toLowerCase());
  return parseIsla(file, text, {
    ets: lower.includes('ets3') ? 'ets3' : lower.includes('ets2') ? 'ets2' : 'none',
  });
}

function withFeatures(test: LitmusTest, features: Partial<Features>): LitmusTest {
  const { setup } = test;
  const { translation } = setup;
  const changed = { ...translation, features: { ...translation.features, ...features } };
  return { ...test, setup: { ...setup, translation: changed } };
}

/** Reads and runs a test. */
export function answerLitmus(
  file: string,
  text: string,
  reading: LitmusReading,
  limits: { readonly states: number },
): LitmusAnswer {
  const parsed = readLitmus(file, text, reading);
  if (parsed.kind === 'problem') return { kind: 'unsupported', problem: parsed.problem };
  const { test } = parsed;
  // Threads are decoded as they run: what is not supported may show only then.
  const run = attempt(() => runLitmus(test, limits));
  if ('problem' in run) return { kind: 'unsupported', problem: run.problem };
  const { problem } = run.ok;
  return problem === null
    ? { kind: 'outcomes', test, outcomes: run.ok }
    : { kind: 'unsupported', problem };
}
