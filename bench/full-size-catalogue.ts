import { DEFAULT_FEATURES, type Features } from '../src/arm64/features.ts';
import type { Granule } from '../src/arm64/granule.ts';
import { pageBytes } from '../src/arm64/granule.ts';
import type { Candidate } from '../src/candidates/candidate.ts';
import { CANDIDATES } from '../src/candidates/catalogue.ts';
import { mappingNames } from '../src/explore/summary/layout.ts';
import { summarise } from '../src/explore/summary/summarise.ts';
import { ALL_RULES } from '../src/rules/all-rules.ts';
import { isInputError } from '../src/scenario/input-error.ts';

/** One candidate on one machine, mapped in one way. */
export interface CatalogueRow {
  readonly candidate: string;
  readonly granule: Granule;
  readonly fwb: boolean;
  readonly mapping: string;
  readonly pages: number;
  readonly verdict: 'verified' | 'refuted' | 'inconclusive' | 'no such question';
  /** Rules broken, or why there is no verdict. */
  readonly why: string;
  readonly classes: number;
  readonly states: number;
  readonly cpuMs: number;
  readonly residentMib: number;
}

/**
 * Every candidate of the catalogue at full size, on every machine and with every mapping: what the summary
 * says, without the small scenarios. `bytes`: the size of the range; what does not come out as whole blocks
 * is one block.
 */
export function catalogueRows(
  bytes: number,
  wanted: (row: Pick<CatalogueRow, 'candidate' | 'granule' | 'mapping'>) => boolean,
  onRow: (row: CatalogueRow) => void,
): readonly CatalogueRow[] {
  const rows: CatalogueRow[] = [];
  for (const granule of ['4k', '16k', '64k'] as const) {
    for (const fwb of [false, true]) {
      const features = { ...DEFAULT_FEATURES, granule, fwb };
      for (const mapping of [...[...mappingNames(features)].reverse(), 'mixed']) {
        for (const candidate of CANDIDATES) {
          if (!wanted({ candidate: candidate.id, granule, mapping })) continue;
          const row = rowOf(candidate, features, mapping, bytes / Number(pageBytes(granule)));
          rows.push(row);
          onRow(row);
        }
      }
    }
  }
  return rows;
}

function rowOf(
  candidate: Candidate,
  features: Features,
  mapping: string,
  pages: number,
): CatalogueRow {
  const { granule, fwb } = features;
  const cpu = process.cpuUsage();
  const found = summarise(candidate, { features, pages, mapping }, ALL_RULES, {
    states: 1_000_000,
  });
  const { user, system } = process.cpuUsage(cpu);
  const about = {
    candidate: candidate.id,
    granule,
    fwb,
    mapping,
    pages,
    cpuMs: (user + system) / 1000,
    residentMib: process.memoryUsage().rss / 2 ** 20,
  };
  const nothing = { ...about, classes: 0, states: 0 };
  if (isInputError(found)) return { ...nothing, verdict: 'no such question', why: found.message };
  if (found.kind === 'out-of-reach') {
    return { ...nothing, verdict: 'inconclusive', why: found.reason };
  }
  const broken = found.outcomes.filter(({ verdict }) => verdict === 'refuted');
  const open = found.outcomes.find(({ verdict }) => verdict === 'inconclusive');
  return {
    ...about,
    verdict: broken.length > 0 ? 'refuted' : open === undefined ? 'verified' : 'inconclusive',
    why: broken.length > 0 ? broken.map(({ rule }) => rule.id).join(' ') : (open?.message ?? ''),
    classes: found.classes.length,
    states: found.states,
  };
}
