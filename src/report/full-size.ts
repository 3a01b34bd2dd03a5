import { CLASS_WINDOW } from '../explore/summary/class-machine.ts';
import type { FullSizeRun, FullSizeVerification } from '../explore/summary/verify-full-size.ts';
import { showFeatureDifferences } from '../arm64/features.ts';
import { boundsMetText } from './bounds-met-text.ts';
import { featuresJson } from './json.ts';
import { columns, count, labelled } from './layout.ts';

/** What a summary leaves to the small scopes, in words. */
const SMALL_SCOPE =
  'vCPUs that enter the host by a fault or execute instructions, a second host thread, a reader on another PE, a second VM: these are looked at in the small scenarios only';

/** The part of the report on the summary at full size. */
export function fullSizeText(
  { sizes, pages, vcpus }: FullSizeVerification,
  width: number,
): readonly string[] {
  const lines = [
    ` full size ${count(pages)} pages; any guest, any number of vCPUs (${count(vcpus)} asked)`,
  ];
  for (const size of sizes) lines.push(...sizeText(size, width));
  lines.push(...labelled('   not at this size: ', SMALL_SCOPE, width));
  lines.push('   argument: docs/proof.md', '');
  return lines;
}

function sizeText(
  { features, mapping, result, small, remarks, lifted }: FullSizeRun,
  width: number,
): string[] {
  const words = showFeatureDifferences(features) || 'the default machine';
  const head = `${words}, mapped by ${mapping}: `;
  const lines: string[] = [];
  if (result.kind === 'out-of-reach') {
    lines.push(
      ...labelled('   ', `${head}no summary, because the candidate ${result.reason}`, width),
    );
  } else {
    const { effects, runs, classes, states } = result;
    const times = runs === 1 ? 'one run' : `${runs} runs`;
    const text = `${head}${count(effects)} effects of the host in ${times}, ${count(classes.length)} classes of pages, ${count(states)} states`;
    lines.push(...labelled('   ', text, width));
    const rows = classes.map(({ ipa, level, pages: of, states: own }) => [
      `0x${ipa.toString(16)}`,
      `level ${level}`,
      `${count(of)} page${of === 1 ? '' : 's'} alike`,
      `${count(own)} states`,
    ]);
    lines.push(...columns(rows, 5));
    const search = {
      name: 'classes of pages',
      window: CLASS_WINDOW,
      boundsMet: result.boundsMet,
    };
    for (const text of boundsMetText([search])) lines.push(...labelled('   ', text, width));
    if (result.incomplete !== null) {
      lines.push(...labelled('   ', `not all of it: the candidate ${result.incomplete}`, width));
    }
  }
  lines.push(...labelled('   the small scenarios alone: ', smallText(small), width));
  for (const { rule, pages, ipa, view, message, events } of lifted) {
    const text = `${rule.id}: ${message}; a concrete run of ${count(events)} events with ${count(pages)} pages, page 0x${ipa.toString(16)}, guest view ${view}, was made from the summary and replayed`;
    lines.push(...labelled('   ', text, width));
  }
  for (const remark of remarks) lines.push(...labelled('   ', remark, width));
  return lines;
}

/** What the small scenarios say, which stands also where there is nothing at full size. */
function smallText(small: FullSizeRun['small']): string {
  const parts = (['refuted', 'inconclusive'] as const).flatMap((verdict) => {
    const rules = small.filter((each) => each.verdict === verdict).map(({ rule }) => rule.id);
    return rules.length === 0 ? [] : [`${verdict} ${rules.join(', ')}`];
  });
  return parts.length === 0 ? 'verified for every rule' : `${parts.join('; ')}; the rest verified`;
}

/** The part of the JSON object on the summary at full size. */
export function fullSizeJson({ sizes, pages, vcpus }: FullSizeVerification): unknown {
  return sizes.map(({ features, mapping, result, small, remarks, lifted }) => ({
    features: featuresJson(features),
    pages,
    mapping,
    guest: 'general',
    vcpus: 'any',
    vcpusAsked: vcpus,
    smallScopeOnly: SMALL_SCOPE,
    smallScope: Object.fromEntries(small.map(({ rule, verdict }) => [rule.id, verdict])),
    remarks,
    lifted: lifted.map(({ rule, ipa, pages: of, view, message, events, labels }) => ({
      rule: rule.id,
      pages: of,
      ipa: `0x${ipa.toString(16)}`,
      view,
      message,
      events,
      asThePageSeesIt: labels,
    })),
    ...(result.kind === 'out-of-reach'
      ? { reached: false, reason: result.reason }
      : {
          reached: true,
          incomplete: result.incomplete,
          effects: result.effects,
          hostRuns: result.runs,
          states: result.states,
          window: CLASS_WINDOW,
          windowReached: result.boundsMet.window,
          outstandingTlbisReached: result.boundsMet.tlbis,
          verdicts: Object.fromEntries(
            result.outcomes.map(({ rule, verdict }) => [rule.id, verdict]),
          ),
          classes: result.classes.map((each) => ({
            ipa: `0x${each.ipa.toString(16)}`,
            level: each.level,
            pages: each.pages,
            states: each.states,
          })),
        }),
  }));
}
