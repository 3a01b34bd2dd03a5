import { describe, expect, it } from 'vitest';
import { DEFAULT_FEATURES, type Features } from '../../src/arm64/features.ts';
import type { Candidate, Need } from '../../src/candidates/candidate.ts';
import { CANDIDATES } from '../../src/candidates/catalogue.ts';
import { handleGuestFault, hostContext } from '../../src/candidates/kvm-v5_8/world-switch.ts';
import { smallWorld } from '../../src/candidates/world/needs.ts';
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
 * Each candidate on the real machine, in the smallest world its expectation asks for, with one vCPU
 * that does anything with its MMU off. Progress (P8) is a property of the whole graph and not seen
 * here.
 */
function verdict(candidate: Candidate, features: Features, needs: readonly Need[]): string {
  const faults =
    needs.includes('fault-path') ||
    needs.includes('notified-fault-path') ||
    candidate.operation === 'fault';
  const world = buildWorld({ features, ...smallWorld(candidate.operation, needs) });
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

describe.each([{ fwb: false }, { fwb: true }])('fwb: $fwb', ({ fwb }) => {
  const features: Features = { ...DEFAULT_FEATURES, fwb, ttl: true };
  it.each(CANDIDATES)('$id', (candidate) => {
    const expected = candidate.expected(features);
    if (expected.verdict === 'holds') {
      const needs: readonly Need[] =
        candidate.id === 'memory-fault/install-under-lock' ? ['notified-fault-path'] : [];
      expect(verdict(candidate, features, needs)).toBe('exhausted');
      return;
    }
    const [first] = expected.refutations;
    if (first.rule === 'P8') return;
    expect(verdict(candidate, features, first.needs)).toBe(first.rule);
  });
});
