import type { State } from '../machine/state.ts';
import type { Machine } from '../machine/machine.ts';
import { hex, observe, pageAt, show } from './observe.ts';

/** What can be shown of a state. */
export const SHOWN = ['tlb', 'cache', 'memory'] as const;

/** One of them. */
export type Shown = (typeof SHOWN)[number];

/** A state in words. */
export function stateText(
  machine: Machine,
  state: State,
  shown: readonly Shown[],
): readonly string[] {
  const view = observe(machine, state);
  const lines: string[] = [];
  if (shown.includes('tlb')) {
    lines.push(' TLBs: translations that may be cached');
    const leaves = view.leaves.map(({ pe, entry, stale, dead }) => {
      const mark = dead ? '  DEAD' : stale ? '  STALE' : '';
      return `   cpu${pe}  ${entry.kind.padEnd(8)}  vmid ${entry.info.vmid}  ${hex(entry.info.inputBase)} -> ${hex(entry.output)}${mark}`;
    });
    lines.push(...(leaves.length === 0 ? ['   none'] : [...new Set(leaves)]));
  }
  if (shown.includes('cache')) {
    lines.push(' caches: values a cacheable read may get');
    for (const { address, dirty, clean, isLine } of view.cells) {
      if (!isLine) continue;
      const text =
        dirty === null
          ? `${clean.map(show).join(' or ')}  clean, or empty`
          : `${show(dirty)}  dirty`;
      lines.push(`   ${hex(address)}  ${text}`);
    }
  }
  if (shown.includes('memory')) {
    lines.push(' memory');
    for (const { address, ram } of view.cells) {
      lines.push(
        `   ${hex(address)}  ${show(ram).padEnd(18)}  ${pageAt(machine, address)?.name ?? ''}`.trimEnd(),
      );
    }
  }
  return lines;
}
