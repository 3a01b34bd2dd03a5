import type { Kvm } from '../kvm-v5_8/kvm.ts';
import { entryBase } from '../kvm-v5_8/pgtable.ts';
import { privateCounts, sharedCounts } from '../kvm-v5_8/table-counts.ts';
import type { Request } from '../operation.ts';
import type { VmWorld, World } from './world.ts';

/**
 * `struct kvm` for one run of one thread. Call it inside the thread body: a body is run many times,
 * and private counts must start afresh each time.
 */
export function openVm(world: World, vm: VmWorld): Kvm {
  const pages = [...vm.guestPages, ...vm.stage1Pages, ...vm.keepers];
  const lines = [...vm.guestPages.map((page) => page.page), ...vm.sparePages];
  const devices = new Set(pages.filter((page) => page.device).map((page) => page.page));
  const { countCells } = world;
  return {
    features: world.features,
    vmid: vm.vmid,
    geometry: vm.geometry,
    root: vm.root,
    pgdPointer: vm.pgdPointer,
    mmuLock: vm.mmuLock,
    counts:
      countCells === null
        ? privateCounts(new Map(vm.tables.map(({ page, count }) => [page, count])))
        : sharedCounts((page) => cellFor(countCells, page)),
    notifier: vm.notifier,
    backing: (ipa) => vm.backing.get(ipa) ?? null,
    isDevice: (page) => devices.has(page),
    watchedLines: (base, bytes) => lines.filter((line) => line >= base && line < base + bytes),
    tracked: pages.map((page) => page.ipa).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)),
    reschedule: world.reschedule,
  };
}

function cellFor(cells: ReadonlyMap<bigint, bigint>, page: bigint): bigint {
  const cell = cells.get(page);
  if (cell === undefined) throw new Error(`no count for the page at 0x${page.toString(16)}`);
  return cell;
}

/**
 * The request to unmap the world's range: its pages are those in entries the range touches, because
 * a block goes whole.
 */
export function unmapRequest(
  world: World,
  vm: VmWorld,
  afterwards: Request['afterwards'],
  newBacking: bigint | null = null,
): Request {
  const kvm = openVm(world, vm);
  return {
    range: vm.range,
    pages: vm.guestPages
      .filter(({ ipa, level }) => {
        const base = entryBase(kvm, ipa, level);
        const first = entryBase(kvm, vm.range.start, level);
        return base >= first && base < vm.range.end;
      })
      .map(({ ipa, page }) => ({ ipa, page })),
    afterwards,
    newBacking,
    handover: vm.handover,
  };
}
