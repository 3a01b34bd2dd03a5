import { pageBytes } from '../../arm64/granule.ts';
import type { Candidate } from '../../candidates/candidate.ts';
import { hostContext } from '../../candidates/kvm-v5_8/world-switch.ts';
import { generalGuest } from '../../guest/general.ts';
import { guestContext, GUEST_MAIR, MMU_OFF, smallStage1 } from '../../guest/view.ts';
import type { MachineSetup } from '../../machine/setup.ts';
import { generatorThread } from '../../program/generator-thread.ts';
import type { GuestViewKind } from '../../scenario/scenario.ts';
import { CLASS_WINDOW } from './class-machine.ts';
import { VMID, type FullWorld } from './full-world.ts';

/**
 * The concrete machine of a full-size world: the host thread as it is, with all its effects on all
 * pages, and vCPUs that access some of them. What a summary says is true or false of this machine.
 */
export function concreteSetup(
  world: FullWorld,
  candidate: Candidate,
  viewKind: GuestViewKind,
  watched: readonly number[],
  vcpus: number,
): MachineSetup {
  const { features, geometry, stage1Table } = world;
  const bytes = pageBytes(features.granule);
  const ipas = watched.map((page) => BigInt(page) * bytes);
  const view =
    viewKind === 'mmu-off'
      ? MMU_OFF
      : smallStage1({
          features,
          mappings: ipas.map((ipa) => ({ ipa, attribute: viewKind })),
          leaf: 'block',
          places: [stage1Table],
        });
  const vas = ipas.map((ipa) => view.vaOf(ipa));
  const guestThread = generatorThread(
    'vcpu0',
    generalGuest({ vcpu: 'vcpu0', vas, kinds: ['read', 'write'], value: 1n, handler: null }),
  );
  const context = guestContext(view, { vmid: VMID, root: world.root }, features);
  const guestPage = (base: bigint, name: string) =>
    ({ base, use: 'guest', vmid: VMID, name }) as const;
  return {
    threads: [
      {
        tree: generatorThread('host', function* () {
          yield* world.host(candidate);
          return 'ends';
        }),
        context: hostContext({ features }),
      },
      ...Array.from({ length: vcpus }, () => ({ tree: guestThread, context })),
    ],
    translation: { features, stage1: view.geometry, stage2: geometry, mair: GUEST_MAIR },
    memory: [...[...world.memory].map(([address, value]) => ({ address, value })), ...view.words],
    pages: [
      ...world.tables.map(({ page, level }) => ({
        base: page,
        use: 'table' as const,
        vmid: VMID,
        name: `level-${level} table`,
      })),
      ...watched.map((page) => guestPage(world.addressOf(page), `page ${page}`)),
      guestPage(world.spare, 'the spare page'),
      guestPage(stage1Table.page, 'stage-1 table'),
    ],
    locks: ['mmu_lock'],
    watchedVas: vas,
    dataCache: 'modelled',
    bounds: { window: CLASS_WINDOW },
  };
}
