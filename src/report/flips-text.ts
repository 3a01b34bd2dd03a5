import { showFeatureDifferences } from '../arm64/features.ts';
import type { WhatFlips } from '../explore/finding.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { count, labelled } from './layout.ts';
import type { Style } from './style.ts';

/** What flips the verdict, each line found by searching again. */
export function flipsText(
  flips: WhatFlips,
  scenario: Scenario,
  condition: string,
  style: Style,
): readonly string[] {
  const lines = [' what flips the verdict'];
  const add = (text: string): void => {
    lines.push(...labelled('   - ', text, style.width));
  };
  if (condition !== '') add(condition);
  const failing = flips.views.filter(({ verdict }) => verdict === 'refuted');
  const passing = flips.views.filter(({ verdict }) => verdict === 'verified');
  if (passing.length === 0) add('the guest view does not matter');
  else if (failing.length > 0) {
    add(
      `guest view: fails with ${failing.map(({ view }) => view).join(', ')}; holds with ${passing.map(({ view }) => view).join(', ')}`,
    );
  }
  if (flips.withoutStores === 'verified') add('without the store of the guest the rule holds');
  if (flips.withoutStores === 'refuted') add('it fails without any store of the guest as well');
  const { reference } = flips;
  if (reference !== null) {
    const states = reference.verdict === 'verified' ? ` (${count(reference.states)} states)` : '';
    add(`the same scenario with ${reference.candidate}: ${reference.verdict}${states}`);
  }
  const machine =
    showFeatureDifferences(scenario.features) || 'the default machine (no FWB, VHE, 4k)';
  lines.push(...labelled('   the run above is on ', machine, style.width));
  return lines;
}
