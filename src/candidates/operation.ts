import { within, type SourceLocation } from '../program/source-location.ts';
import { load, loadAcquire, store, storeRelease, valueOf, type HostCode } from './host-code.ts';
import type { Kvm } from './kvm-v5_8/kvm.ts';
import { invalidateRangeEnd, invalidateRangeStart } from './kvm-v5_8/notifier.ts';
import { entryBase } from './kvm-v5_8/pgtable.ts';
import type { IpaRange, Leaf, PlanMaker, UnmapPlan } from './kvm-v5_8/unmap-plan.ts';

/** A guest page as the host knows it. */
export interface HostPage {
  /** IPA page base. */
  readonly ipa: bigint;
  /** Physical page base. */
  readonly page: bigint;
}

/** What the host wants from the operation under test, and what it does next. */
export interface Request {
  readonly range: IpaRange;
  /** The pages whose mappings the operation removes: all in a block that the range touches. */
  readonly pages: readonly HostPage[];
  /**
   * What the host does with the pages after the operation has returned. `read`: through a cacheable
   * alias, relying on the content (swap-out, migration, KSM); `reuse`: another owner gets the page
   * and writes to it; `read-then-reuse`: both, as in swap-out; `refill`: new contents in the same page,
   * which the guest may have again (swap-in, migration); `read-elsewhere`: as `read`, but on another PE.
   */
  readonly afterwards:
    'nothing' | 'read' | 'reuse' | 'read-then-reuse' | 'refill' | 'read-elsewhere';
  /** The physical page that backs each IPA page from now on, 0 for none; null: not looked at. */
  readonly newBacking: bigint | null;
  /** Level of the block that replaces pages; 2 when not given. */
  readonly blockLevel?: 1 | 2;
  /** The word that tells a reader on another PE to begin; null when there is none. */
  readonly handover: bigint | null;
}

const ENVIRONMENT = 'the host around the operation';

function here(text: string): SourceLocation {
  return within('scenario', ENVIRONMENT)(0, text);
}

/**
 * The MMU notifier takes the range away, the host uses the pages, the notifier ends. The operation
 * whose promise is checked is the whole `invalidate_range_start` callback, lock included: that is
 * where the rest of the kernel starts to rely on it.
 */
export function* unmapOperation(kvm: Kvm, makePlan: PlanMaker, request: Request): HostCode {
  const plan = makePlan();
  const name = 'unmap_stage2_range';
  yield* announceBegin(kvm, name);
  yield* changeBacking(kvm, request);
  const cleared: Leaf[] = [];
  const recording: UnmapPlan = {
    ...plan,
    leaf(of, leaf) {
      cleared.push(leaf);
      return plan.leaf(of, leaf);
    },
  };
  const outcome = yield* invalidateRangeStart(kvm, recording, request.range);
  // A walk that gave up promises something only for the entries it had removed.
  const promised =
    outcome === 'done'
      ? request
      : { ...request, pages: request.pages.filter((page) => isCleared(kvm, cleared, page)) };
  yield* announceReturn(kvm, name, promised);
  yield* useAfterwards(promised);
  yield* invalidateRangeEnd(kvm, plan, request.range);
}

function isCleared(kvm: Kvm, cleared: readonly Leaf[], page: HostPage): boolean {
  return cleared.some(
    ({ address, level }) => entryBase(kvm, address, level) === entryBase(kvm, page.ipa, level),
  );
}

/** Says that an operation has begun. */
export function* announceBegin(kvm: Kvm, name: string): HostCode {
  yield {
    kind: 'announce',
    fact: { kind: 'operation-begins', name, vmid: kvm.vmid },
    location: here(`${name} is asked for`),
  };
}

/** Says that the operation has returned, for every page of the request. */
export function* announceReturn(
  kvm: Kvm,
  name: string,
  request: Request,
  removes: 'translations' | 'write-permission' = 'translations',
): HostCode {
  yield {
    kind: 'announce',
    fact: {
      kind: 'operation-returns',
      name,
      vmid: kvm.vmid,
      pages: request.pages.map((page) => page.ipa),
      removes,
      // Where no fault path looks pages up, none gives back what the operation takes away.
      ...(request.pages.every(({ ipa }) => kvm.backing(ipa) === null) ? { alone: true } : {}),
    },
    location: here(`${name} has returned`),
  };
}

/** The host's own table changes before KVM hears of it, so that a later fault finds the new page. */
export function* changeBacking(kvm: Kvm, request: Request): HostCode {
  if (request.newBacking === null) return;
  for (const { ipa } of request.pages) {
    const cell = kvm.backing(ipa);
    if (cell !== null)
      yield store(cell, request.newBacking, here('the host changes its own table'));
  }
}

/** The host puts contents into pages that a guest will be given. */
export function* fillPages(pages: readonly bigint[]): HostCode {
  for (const page of pages) yield store(page, REUSE_PATTERN, here('new contents are read in'));
}

/** What the host does with the pages once the guest must not reach them any more. */
export function* useAfterwards(request: Request): HostCode {
  const { afterwards, handover } = request;
  for (const { page } of request.pages) {
    if (afterwards === 'read' || afterwards === 'read-then-reuse') {
      yield {
        kind: 'announce',
        fact: { kind: 'content-relied-on', page },
        location: here('the content is relied on'),
      };
      yield load(page, here('read through the linear map'), false);
    }
  }
  for (const { page } of request.pages) {
    if (afterwards === 'reuse' || afterwards === 'read-then-reuse') {
      yield {
        kind: 'announce',
        fact: { kind: 'page-reused', page },
        location: here('another owner gets the page'),
      };
      yield store(page, REUSE_PATTERN, here('the new owner writes'));
    }
    if (afterwards === 'refill') yield* fillPages([page]);
  }
  if (afterwards === 'read-elsewhere' && handover !== null) {
    yield storeRelease(handover, 1n, here('the pages are handed to another PE'));
  }
}

/**
 * The PE that the pages are handed to. It looks once: that it may look before they are handed over shows
 * nothing, and it may look at any time.
 */
export function* readElsewhere(handover: bigint, pages: readonly HostPage[]): HostCode {
  const given = yield loadAcquire(handover, here('have the pages been handed over?'));
  if (valueOf(given) === 0n) return;
  for (const { page } of pages) {
    yield {
      kind: 'announce',
      fact: { kind: 'content-relied-on', page },
      location: here('the content is relied on'),
    };
    yield load(page, here('read through the linear map'), false);
  }
}

/** What the new owner writes: a value no guest of a scenario stores. */
export const REUSE_PATTERN = 0x6e65_775f_6f77_6e65n;
