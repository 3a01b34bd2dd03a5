import type { MemoryWord } from '../../../machine/setup.ts';
import { ones } from '../assembly/alu.ts';
import { encodeEntry } from './entry-bits.ts';
import { entryOf, typeOf, type InitItem } from './init.ts';
import { cellAt, TABLE_PAGE, type Layout } from './layout.ts';
import { DEFAULT_ENTRY } from './value.ts';

/** The words that memory starts with: page-table entries, and variables that are not zero. */
export function initialMemory(items: readonly InitItem[], layout: Layout): readonly MemoryWord[] {
  const words = new Map<bigint, bigint>();
  const put = (address: bigint, value: bigint, bytes: number): void => {
    const word = address & ~7n;
    const shift = (address & 7n) * 8n;
    const mask = ones(bytes * 8) << shift;
    words.set(word, ((words.get(word) ?? 0n) & ~mask) | ((value << shift) & mask));
  };
  const nowhere = { file: '', line: 0, column: 0 };
  if (layout.translated) {
    for (const name of layout.variables) {
      const output = layout.physicalOf(name);
      put(layout.cellOf(name), encodeEntry(DEFAULT_ENTRY, output, layout.attributes, nowhere), 8);
    }
    const ofTable = encodeEntry(
      { ...DEFAULT_ENTRY, el0: 0 },
      TABLE_PAGE,
      layout.attributes,
      nowhere,
    );
    put(cellAt(TABLE_PAGE), ofTable, 8);
  }
  for (const item of items) {
    const { at, location } = item;
    switch (location.kind) {
      case 'register':
        break;
      case 'cell':
        put(layout.cellOf(location.name), layout.valueOf(entryOf(item), at), 8);
        break;
      case 'variable': {
        const { bytes } = typeOf(item);
        item.values.forEach((value, index) => {
          const address = layout.physicalOf(location.name) + BigInt(index * bytes);
          put(address, layout.valueOf(value, at), bytes);
        });
        break;
      }
    }
  }
  return [...words].map(([address, value]) => ({ address, value }));
}
