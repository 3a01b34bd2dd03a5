import { noEffect, type HostCode } from '../host-code.ts';
import { clearLeaf, dissolveTable, flushLeaf, maintainLeaf, putLeaf } from './unmap-steps.ts';
import type { UnmapPlan } from './unmap-plan.ts';

const nothing = (): HostCode => noEffect(undefined);

/**
 * The plan of v5.8: everything is done where the entry is found. Leaf: clear, flush one IPA, clean
 * and invalidate the page, drop the count. Empty table: clear, flush one IPA, free, drop the count.
 */
export const V5_8_UNMAP: UnmapPlan = {
  *leaf(kvm, leaf) {
    yield* clearLeaf(kvm, leaf);
    yield* flushLeaf(kvm, leaf);
    yield* maintainLeaf(kvm, leaf);
    yield* putLeaf(kvm, leaf);
  },
  emptyTable: dissolveTable,
  endOfTopLevelEntry: nothing,
  endOfWalk: nothing,
  afterUnlock: nothing,
  atNotifierEnd: nothing,
  fails: () => noEffect(false),
  onFailure: nothing,
};
