import type { Context } from '../program/effect.ts';
import type { IdTables } from '../util/id-tables.ts';

/** Contexts by content. Id 0 is never handed out, so that 0 can mean "none". */
export interface ContextTable {
  id(context: Context): number;
  context(id: number): Context;
}

/** An empty table of contexts. */
export function contextTable(ids: IdTables): ContextTable {
  const table = ids.interner<Context>();
  return {
    id: (c) =>
      table.id(
        `${c.el},${c.vmid},${c.asid},${c.stage1?.root},${c.stage1?.hardwareUpdate},${c.stage2?.root},${c.stage2?.hardwareUpdate}`,
        () => c,
      ) + 1,
    context: (id) => table.item(id - 1),
  };
}
