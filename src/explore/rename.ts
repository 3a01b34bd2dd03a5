import { levelShift, type Geometry, type Level } from '../arm64/geometry.ts';
import { bitsPerLevel } from '../arm64/granule.ts';
import type { MachineSetup } from '../machine/setup.ts';
import type { Label } from '../trace/label.ts';

/**
 * Labels of one scenario, for another one in which the same things lie elsewhere: when a page is
 * taken away, or the layout changes, the page that was number 2 is number 1 and has other addresses.
 *
 * Everything that has to do with a watched page (its VA, IPA, PA, the words that map it, the tables
 * these are in, and what they hold at the start) is renamed wherever a label says it.
 */
export function renameLabels(
  labels: readonly Label[],
  from: MachineSetup,
  to: MachineSetup,
  newIndex: (page: number) => number | null,
): readonly Label[] {
  const names = new Map<string, string>();
  const gone: bigint[] = [];
  for (let page = 0; page < from.watchedVas.length; page += 1) {
    const target = newIndex(page);
    const old = namesOf(from, page);
    if (target === null) gone.push(...old);
    else {
      const now = namesOf(to, target);
      old.forEach((name, i) => {
        const other = now[i];
        if (other !== undefined && !names.has(hex(name))) names.set(hex(name), hex(other));
      });
    }
  }
  // What only the missing page had must not be taken for what is now in its place.
  for (const name of gone) if (!names.has(hex(name))) names.set(hex(name), 'gone');
  const rename = (text: string): string =>
    text.replace(/0x[0-9a-f]+/g, (name) => names.get(name) ?? name);
  return labels.map(({ what, where, choice, ...rest }) => ({
    ...rest,
    what: rename(what),
    where: rename(where),
    // A value read is not an address.
    choice: choice.startsWith('value') ? choice : rename(choice),
  }));
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** Numbers that stand for a watched page, in a fixed order. */
function namesOf(setup: MachineSetup, page: number): readonly bigint[] {
  const va = setup.watchedVas[page];
  const geometry = setup.translation.stage2;
  const guest = setup.threads.find((thread) => thread.context.stage2 !== null)?.context;
  if (va === undefined || geometry === null || guest === undefined) return [];
  if (guest.stage2 === null) return [];
  const data = setup.pages.filter((p) => p.use === 'guest' && p.vmid === guest.vmid)[page];
  if (data === undefined) return [va, va >> 12n];
  const memory = new Map(setup.memory.map((word) => [word.address, word.value]));
  const found = walkTo(memory, geometry, guest.stage2.root, data.base);
  const ipa = found?.ipa ?? va;
  const walk = found?.walk ?? [];
  return [
    va,
    va >> 12n,
    data.base,
    ipa,
    ipa >> 12n,
    ...walk.flatMap(({ table, cell, value }) => [cell, value, table]),
  ];
}

interface Word {
  readonly table: bigint;
  readonly cell: bigint;
  readonly value: bigint;
}

const ADDRESS = 0x0000_ffff_ffff_f000n;

/** The words that lead to a page at the start, from the root on, and its IPA. */
function walkTo(
  memory: ReadonlyMap<bigint, bigint>,
  geometry: Geometry,
  root: bigint,
  page: bigint,
): { readonly ipa: bigint; readonly walk: readonly Word[] } | null {
  const look = (
    table: bigint,
    level: number,
    base: bigint,
    above: readonly Word[],
  ): { readonly ipa: bigint; readonly walk: readonly Word[] } | null => {
    const shift = BigInt(levelShift(geometry.granule, level as Level));
    const top = level === geometry.startLevel ? BigInt(geometry.inputBits) : 0n;
    const bits = top > 0n ? top - shift : BigInt(bitsPerLevel(geometry.granule));
    for (const [cell, value] of memory) {
      const index = (cell - table) / 8n;
      if (cell < table || index >= 1n << bits || (value & 1n) === 0n) continue;
      const ipa = base + (index << shift);
      const walk = [...above, { table, cell, value }];
      const isTable = level < 3 && (value & 3n) === 3n;
      if (!isTable && (value & ADDRESS) === page) return { ipa, walk };
      const below = isTable ? look(value & ADDRESS, level + 1, ipa, walk) : null;
      if (below !== null) return below;
    }
    return null;
  };
  return look(root, geometry.startLevel, 0n, []);
}
