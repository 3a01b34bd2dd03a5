/** Gives equal keys the same small integer and keeps one item per key. */
export interface Interner<Item> {
  /** The id of the item whose key this is; `make` is called only for a new key. */
  id(key: string, make: () => Item): number;
  item(id: number): Item;
  size(): number;
}

/** An empty interner. */
export function interner<Item>(): Interner<Item> {
  const ids = new Map<string, number>();
  const items: Item[] = [];
  return {
    id(key, make) {
      const known = ids.get(key);
      if (known !== undefined) return known;
      items.push(make());
      ids.set(key, items.length - 1);
      return items.length - 1;
    },
    item(id) {
      const item = items[id];
      if (item === undefined) throw new RangeError(`no interned item ${id}`);
      return item;
    },
    size: () => items.length,
  };
}
