import { reject } from '../problem.ts';
import type { FaultHandling } from './exceptions.ts';
import type { HerdSections } from './herd-sections.ts';

/** How a test is to be read beyond what it says itself: the `-variant` options of herd7. */
export interface HerdOptions {
  /** `vmsa`, `kvm`, `fatal`, `ETS2` ...: the case does not matter. */
  readonly variants: readonly string[];
}

/** What the options and the test together say. */
export interface HerdSettings {
  readonly translated: boolean;
  readonly handling: FaultHandling;
  readonly ets: 'none' | 'ets2' | 'ets3';
  /** Threads that start at EL0. */
  readonly user: ReadonlySet<number>;
  hardwareUpdate(thread: number): 'none' | 'af' | 'af+dbm';
}

const HANDLING: ReadonlyMap<string, FaultHandling> = new Map([
  ['fatal', 'fatal'],
  ['precise', 'fatal'],
  ['handled', 'handled'],
  ['imprecise', 'handled'],
  ['skip', 'skip'],
  ['faulttonext', 'skip'],
]);

/** Variants that change nothing we model. */
const WITHOUT_MEANING = new Set(['', 'vmsa', 'kvm', 'exp']);

/**
 * The settings of a test. Without an option that says so, addresses are translated when the test
 * speaks of page tables, faults or EL0 at all: otherwise there is no difference to see.
 */
export function herdSettings(sections: HerdSections, options: HerdOptions): HerdSettings {
  const { info, source } = sections;
  const own = info.get('variant') ?? null;
  const at = own?.at ?? source.position(0);
  const variants = [...options.variants, ...(own?.value ?? '').split(/[\s,]+/)].map((variant) =>
    variant.toLowerCase(),
  );
  let handling: FaultHandling = 'fatal';
  let ets: HerdSettings['ets'] = 'none';
  for (const variant of variants) {
    const handled = HANDLING.get(variant);
    if (handled !== undefined) handling = handled;
    else if (variant === 'ets3') ets = 'ets3';
    else if (variant === 'ets2') ets = ets === 'ets3' ? ets : 'ets2';
    else if (!WITHOUT_MEANING.has(variant)) {
      return reject('unsupported', at, `the variant \`${variant}\` is not supported.`);
    }
  }
  const update = readUpdate(info.get('tthm') ?? null);
  const el0 = info.get('el0')?.value ?? '';
  return {
    translated: variants.includes('vmsa') || variants.includes('kvm') || speaksOfTables(sections),
    handling,
    ets,
    user: new Set([...el0.matchAll(/P?(\d+)/g)].map((match) => Number(match[1]))),
    hardwareUpdate: update,
  };
}

function speaksOfTables(sections: HerdSections): boolean {
  const { info, init, tail, columns } = sections;
  return (
    info.has('tthm') ||
    info.has('el0') ||
    columns.some((column) => column.handler) ||
    /\b(pte_|phy_|PTE|TTD|PA\s*\(|fault\s*\()/i.test(init.text + tail.text)
  );
}

/** `HA HD`, `P0:HA P1:HD`, `SW`; hardware that sets the dirty state also sets the access flag. */
function readUpdate(
  tthm: { readonly value: string; readonly at: HerdSections['columns'][number]['at'] } | null,
): HerdSettings['hardwareUpdate'] {
  const all = new Set<string>();
  const own = new Map<number, Set<string>>();
  for (const word of (tthm?.value ?? '').split(/[\s,]+/).filter((text) => text !== '')) {
    const match = /^(?:P?(\d+):)?(HA|HD|SW)$/i.exec(word);
    if (match === null && tthm !== null) {
      return reject('syntax', tthm.at, `\`${word}\` is not one of HA, HD and SW.`);
    }
    const key = (match?.[2] ?? '').toUpperCase();
    if (match?.[1] === undefined) all.add(key);
    else own.set(Number(match[1]), (own.get(Number(match[1])) ?? new Set()).add(key));
  }
  return (thread) => {
    const mine = own.get(thread) ?? new Set();
    if (mine.has('SW')) return 'none';
    if (mine.has('HD') || all.has('HD')) return 'af+dbm';
    return mine.has('HA') || all.has('HA') ? 'af' : 'none';
  };
}
