import type { Features } from '../arm64/features.ts';
import type { Candidate } from '../candidates/candidate.ts';
import { handleGuestFault } from '../candidates/kvm-v5_8/world-switch.ts';
import { openVm, unmapRequest } from '../candidates/world/open-vm.ts';
import { buildWorld } from '../candidates/world/world.ts';
import { accessEffect } from '../guest/access.ts';
import { guestContext, GUEST_MAIR, MMU_OFF } from '../guest/view.ts';
import { createMachine, type Machine } from '../machine/machine.ts';
import { MAX_WINDOW } from '../machine/window.ts';
import { generatorThread } from '../program/generator-thread.ts';

/**
 * A machine with one PE: the guest has run on it, the host unmaps its page there, and the guest runs on
 * it again. A scenario gives every vCPU a PE of its own, so this case is built by hand.
 *
 * What the guest did before is in what the TLB of the PE may hold when the thread starts. It needs no
 * thread of its own: while the host works, nobody else can access the page.
 */
export function onePeMachine(candidate: Candidate, features: Features): Machine {
  const world = buildWorld({ features, pages: 1, layout: 'adjacent', keepTables: true });
  const vm = world.vms[0];
  if (vm === undefined) throw new RangeError('a world needs a VM');
  const guest = guestContext(MMU_OFF, vm, features);
  const vas = vm.guestPages.map(({ ipa }) => ipa);
  const tree = generatorThread('the only PE', function* () {
    const kvm = openVm(world, vm);
    const [va] = vas;
    if (va === undefined) throw new RangeError('a world needs a page');
    // The vCPU leaves the guest for the host, which unmaps; then it enters the guest again.
    yield* handleGuestFault(
      kvm,
      guest,
      function* () {
        yield* candidate.host(kvm, unmapRequest(world, vm, 'nothing'));
        return 'retry';
      },
      {
        stage: 2,
        cause: 'translation',
        level: 3,
        address: va,
        onWalk: false,
        access: 'write',
      },
    );
    yield accessEffect('vcpu', { kind: 'write', va, value: 1n });
    return 'ends';
  });
  return createMachine({
    threads: [{ tree, context: guest }],
    translation: { features, stage1: null, stage2: vm.geometry, mair: GUEST_MAIR },
    memory: world.memory,
    pages: world.pages,
    locks: world.locks,
    watchedVas: vas,
    dataCache: 'modelled',
    bounds: { window: MAX_WINDOW },
  });
}
