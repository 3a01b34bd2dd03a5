import type { Ghost } from './ghost.ts';
import { READ, type ReadTrail } from './read-trail.ts';

/**
 * Ghost state as steps see it: what is looked at goes on the trail, part by part. Once a step has
 * changed something it is the whole, which is seldom.
 */
export function trackedGhost(
  ghost: Ghost,
  trail: ReadTrail,
  component: number,
  idNow: () => number,
): Ghost {
  function look(kind: number, argument: number, packed: (id: number, a: number) => number): void {
    const id = idNow();
    if (ghost.isChanged()) trail.whole(component, id);
    else trail.part(kind, component, argument, packed(id, argument));
  }

  return {
    ...ghost,
    page(index) {
      look(READ.page, index, ghost.packedPage);
      return ghost.page(index);
    },
    freePage() {
      trail.whole(component, idNow());
      return ghost.freePage();
    },
    lockOwner(lock) {
      look(READ.lockOwner, lock, ghost.packedOwner);
      return ghost.lockOwner(lock);
    },
    locksHeld(pe) {
      look(READ.locksHeld, pe, ghost.packedHeld);
      return ghost.locksHeld(pe);
    },
    lastStored(cell) {
      look(READ.lastStored, cell, ghost.packedStored);
      return ghost.lastStored(cell);
    },
    lastStoredByHost(cell) {
      look(READ.lastStored, cell, ghost.packedStored);
      return ghost.lastStoredByHost(cell);
    },
  };
}
