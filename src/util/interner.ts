import { encodeData } from './data-text.ts';
import type { GiveId } from './id-tables.ts';

/** Gives equal keys the same small integer and keeps one item per key. */
export interface Interner<Item> {
  /** The id of the item whose key this is; `make` is called only for a new key. */
  id(key: string, make: () => Item): number;
  item(id: number): Item;
  /** The id of a key, which is new if nothing had it; nobody is told. */
  take(key: string, item: Item): number;
  size(): number;
}

/** An empty interner. `give` is told of new keys, with a plain form of their items. */
export function interner<Item>(
  give?: GiveId,
  plain: (item: Item) => unknown = (item) => item,
): Interner<Item> {
  const ids = new Map<string, number>();
  const items: Item[] = [];

  function take(key: string, item: Item): number {
    const known = ids.get(key);
    if (known !== undefined) return known;
    items.push(item);
    ids.set(key, items.length - 1);
    return items.length - 1;
  }

  return {
    id(key, make) {
      const known = ids.get(key);
      if (known !== undefined) return known;
      const item = make();
      if (give === undefined) return take(key, item);
      return give(
        () => ids.get(key) ?? -1,
        () => take(key, item),
        () => encodeData([key, plain(item)]),
      );
    },
    take,
    item(id) {
      const item = items[id];
      if (item === undefined) throw new RangeError(`no interned item ${id}`);
      return item;
    },
    size: () => items.length,
  };
}
