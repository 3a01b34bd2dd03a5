import { expect, it, test } from 'vitest';
import { search } from '../../src/explore/search.ts';
import type { Fact, PageFact } from '../../src/machine/facts.ts';
import { createMachine } from '../../src/machine/machine.ts';
import { noReuseUnderTranslation } from '../../src/rules/no-reuse-under-translation.ts';
import {
  forEver,
  guestLoad,
  IPA_A,
  IPA_B,
  smallWorld,
  straight,
  VMID,
} from '../machine/small-world.ts';

const PAGE: PageFact = { base: 0n, name: 'a page', use: 'guest', vmid: VMID, reused: false };

function access(page: Partial<PageFact> | null): Fact {
  return {
    kind: 'access',
    pe: 1,
    vmid: VMID,
    access: 'read',
    pa: 0n,
    ipa: 0n,
    stale: true,
    dead: false,
    rightRevoked: false,
    overdue: false,
    page: page === null ? null : { ...PAGE, ...page },
  };
}

it.each<readonly [page: Partial<PageFact>, why: RegExp]>([
  [{ reused: true }, /another owner/],
  [{ use: 'free' }, /free page/],
  [{ use: 'table' }, /table page/],
  [{ use: 'host' }, /host page/],
  [{ vmid: VMID + 1 }, /VMID 6 owns it/],
])('an access to a page with %o breaks the rule', (page, why) => {
  expect(noReuseUnderTranslation.check(access(page))).toMatch(why);
});

it('an access to a page of its own VM, of no VM, of a device or of nobody does not', () => {
  const pages = [{}, { vmid: null }, { use: 'device' as const, vmid: null }, null];
  expect(pages.map((page) => noReuseUnderTranslation.check(access(page)))).toEqual(
    pages.map(() => null),
  );
});

test('a guest that is given a page of another VM reaches it', () => {
  const reaches = (ipa: bigint): string => {
    const world = smallWorld({ host: straight([]), guests: [forEver(guestLoad(ipa))] });
    const pages = world.pages.map((page) =>
      page.name === 'B' ? { ...page, vmid: VMID + 1 } : page,
    );
    const violation = (facts: readonly Fact[]): string | null =>
      facts.some((fact) => noReuseUnderTranslation.check(fact) !== null) ? 'reached' : null;
    return search(createMachine({ ...world, pages }), { states: 1000 }, { violation }).kind;
  };
  expect([reaches(IPA_A), reaches(IPA_B)]).toEqual(['exhausted', 'violation']);
});
