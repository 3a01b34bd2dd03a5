import { clearLeaf, flushLeaf, HOLDS, maintainLeaf, putLeaf, unmapCandidate, V5_8_UNMAP } from 'tlbgate';
const name = 'my-idea', title = 'cache maintenance before the flush', why = 'To be found out.';
function* leaf(kvm, entry) {
  yield* clearLeaf(kvm, entry);
  yield* maintainLeaf(kvm, entry);
  yield* flushLeaf(kvm, entry);
  yield* putLeaf(kvm, entry);
}
const plan = () => ({ ...V5_8_UNMAP, leaf });
export const idea = unmapCandidate({ name, title, why, plan, reference: [], expected: () => HOLDS });
