import type { Features } from '../../src/arm64/features.ts';
import type { Candidate, Need } from '../../src/candidates/candidate.ts';
import { handleGuestFault, hostContext } from '../../src/candidates/kvm-v5_8/world-switch.ts';
import { smallWorld, type SmallWorld } from '../../src/candidates/world/needs.ts';
import { openVm, unmapRequest } from '../../src/candidates/world/open-vm.ts';
import { buildWorld } from '../../src/candidates/world/world.ts';
import { search } from '../../src/explore/search.ts';
import { generalGuest } from '../../src/guest/general.ts';
import { guestContext, GUEST_MAIR, MMU_OFF } from '../../src/guest/view.ts';
import { createMachine } from '../../src/machine/machine.ts';
import type { ThreadSetup } from '../../src/machine/setup.ts';
import { generatorThread } from '../../src/program/generator-thread.ts';
import { ALL_RULES } from '../../src/rules/all-rules.ts';
import { firstViolation } from '../../src/rules/rule.ts';

/**
 * A candidate on the real machine, in the smallest world its expectation asks for, with one vCPU that
 * does anything with its MMU off. The result is the family of the rule that was broken, or how the
 * search ended. Progress (P8) is a property of the whole graph and not seen here.
 */
export function verdictOnMachine(
  candidate: Candidate,
  features: Features,
  needs: readonly Need[],
  change: Partial<SmallWorld> = {},
): string {
  const faults =
    needs.includes('fault-path') ||
    needs.includes('notified-fault-path') ||
    candidate.operation === 'fault';
  const world = buildWorld({ features, ...smallWorld(candidate.operation, needs), ...change });
  const vm = world.vms[0];
  if (vm === undefined) throw new Error('no VM');
  const guest = guestContext(MMU_OFF, vm, features);
  const vas = vm.guestPages.map(({ ipa }) => ipa);
  const afterwards =
    candidate.operation !== 'unmap' ? 'nothing' : needs.includes('page-reuse') ? 'reuse' : 'read';
  const host: ThreadSetup = {
    tree: generatorThread('host', function* () {
      const request = unmapRequest(world, vm, afterwards, vm.sparePages[0] ?? null);
      yield* candidate.host(openVm(world, vm), request);
      return 'ends';
    }),
    context: hostContext({ features }),
  };
  const vcpu: ThreadSetup = {
    tree: generatorThread(
      'vcpu',
      generalGuest({
        vcpu: 'vcpu',
        vas,
        kinds: candidate.operation === 'unmap' ? ['write'] : ['read', 'write'],
        value: 1n,
        handler: faults
          ? (fault) => handleGuestFault(openVm(world, vm), guest, candidate.fault, fault)
          : null,
      }),
    ),
    context: guest,
  };
  const machine = createMachine({
    threads: candidate.operation === 'fault' ? [host, vcpu, vcpu] : [host, vcpu],
    translation: { features, stage1: null, stage2: vm.geometry, mair: GUEST_MAIR },
    memory: world.memory,
    pages: world.pages,
    locks: world.locks,
    watchedVas: vas,
    dataCache: 'modelled',
    bounds: { window: 8 },
  });
  const found = search(
    machine,
    { states: 50_000 },
    {
      reduced: true,
      violation: (facts) => firstViolation(ALL_RULES, facts)?.rule.family ?? null,
    },
  );
  return found.kind === 'violation' ? found.violation : found.kind;
}
