import type { Features } from '../arm64/features.ts';

/**
 * What a reference says about a litmus test: the rows of an expectations file. Two shapes of file
 * exist: outcome sets of herd7 by path (with and without ETS2), and verdicts of the ESOP 2022 paper
 * by test name.
 */
export type LitmusExpectation =
  | {
      readonly kind: 'outcomes';
      /** Path of the test relative to the folder. */
      readonly key: string;
      readonly engine: 'herd' | 'ets2';
      readonly variants: readonly string[];
      /** Features that are on although the formats have no words for them. */
      readonly features: Partial<Features>;
      readonly outcomes: readonly string[];
      /** herd7 flags that break-before-make was needed; null where it was not asked. */
      readonly needsBbm: boolean | null;
      /** CPU seconds the reference took; null where they were not recorded. */
      readonly seconds: number | null;
    }
  | {
      readonly kind: 'verdict';
      /** Name of the test. */
      readonly key: string;
      readonly engine: 'system';
      /** Null: the reference has no verdict. */
      readonly published: 'allowed' | 'forbidden' | null;
      /** What the text of the model implies where the published verdict contradicts it. */
      readonly disputed: 'allowed' | 'forbidden' | null;
    };

/** The rows of an expectations file, or the sentence that says why it has none. */
export function readExpectations(
  text: string,
): { readonly rows: readonly LitmusExpectation[] } | { readonly problem: string } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { problem: `it is not JSON: ${detail}` };
  }
  if (!isRecord(parsed)) return { problem: 'it must be one object with a member per test.' };
  const rows: LitmusExpectation[] = [];
  for (const [key, value] of Object.entries(parsed)) {
    const found = isRecord(value) ? rowsOf(key, value) : [];
    if (found.length === 0) {
      return { problem: `"${key}" has neither outcomes ("herd", "ets2") nor a verdict ("paper").` };
    }
    rows.push(...found);
  }
  return { rows };
}

function rowsOf(key: string, value: Readonly<Record<string, unknown>>): LitmusExpectation[] {
  if ('paper' in value) {
    const published = verdict(value['paper']);
    const disputed = verdict(value['disputed']);
    return [{ kind: 'verdict', key, engine: 'system', published, disputed }];
  }
  const rows: LitmusExpectation[] = [];
  for (const engine of ['herd', 'ets2'] as const) {
    const run = value[engine];
    if (!isRecord(run)) continue;
    const seconds = run['cpu_s'];
    rows.push({
      kind: 'outcomes',
      key,
      engine,
      variants: variantsOf(engine, run['options']),
      features: Object.fromEntries(strings(value['features']).map((name) => [name, true])),
      outcomes: strings(run['outcomes']).map((outcome) => outcome.trim()),
      needsBbm: Array.isArray(run['flags'])
        ? strings(run['flags']).some((flag) => flag.includes('BBM'))
        : null,
      seconds: typeof seconds === 'number' ? seconds : null,
    });
  }
  return rows;
}

/** The options of the reference's run: `-variant vmsa,fatal`. */
function variantsOf(engine: 'herd' | 'ets2', options: unknown): readonly string[] {
  const words = typeof options === 'string' ? options.split(/[\s,]+/) : [];
  const variants = words.filter((word) => word !== '' && word !== '-variant');
  return engine === 'ets2' && !variants.includes('ETS2') ? [...variants, 'ETS2'] : variants;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function verdict(value: unknown): 'allowed' | 'forbidden' | null {
  return value === 'allowed' || value === 'forbidden' ? value : null;
}
