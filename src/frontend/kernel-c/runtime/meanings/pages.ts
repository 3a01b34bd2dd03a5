import { constant } from '../../../../program/expr.ts';
import { type Call, type Meanings, nothing, result, step } from '../call.ts';
import { pageOfStruct, physicalOf, withZeroedPage } from '../memory.ts';
import { after, type Reaction, stopWith } from '../reaction.ts';

/** Pages from the allocator, their reference counts, and what the kernel knows of a page. */
export const PAGES: Meanings = [
  ['get_page', (call) => count(call, 1)],
  ['put_page', (call) => count(call, -1)],
  ['page_count', pageCount],
  ['free_pages', freePages],
  ['alloc_pages_exact', allocPagesExact],
  ['alloc_pages_exact_noprof', allocPagesExact],
  ['free_pages_exact', freePagesExact],
  ['__tlbgate_alloc_table', (call) => allocPage(call)],
  ['pfn_valid', pfnValid],
  ['pfn_is_map_memory', pfnValid],
  ['pmd_huge', isHuge],
  ['pud_huge', isHuge],
  // Memory that the machine does not look at.
  ['kfree', nothing],
  ['kvfree', nothing],
  ['free_percpu', nothing],
  // Statistics.
  ['kvm_account_pgtable_pages', nothing],
];

function count(call: Call, by: 1 | -1): Reaction {
  const { state } = call;
  const word = countWord(call);
  if (word !== null) return countAtomically(call, word.page, word.at, by);
  const found = tablePage(call);
  if (found === null) return noTable(call);
  return counted(call, found.page, found.count + by, state);
}

/** The count changes; at 0 the page goes back to the allocator. */
function counted(call: Call, page: bigint, next: number, state = call.state): Reaction {
  const counts = new Map(state.counts);
  if (next > 0) return result(call, 0n, { ...state, counts: counts.set(page, next) });
  counts.delete(page);
  return after(
    [step({ kind: 'free-page', page }, 'the page is free')],
    result(call, 0n, { ...state, counts }),
  );
}

/** The word that holds the count of a page, where several threads change it. */
function countWord({
  argument,
  environment,
}: Call): { readonly page: bigint; readonly at: bigint } | null {
  const page = pageOfStruct(environment, argument(0));
  const at = page === null ? undefined : environment.countWords?.get(page);
  return page === null || at === undefined ? null : { page, at };
}

/** `page_ref_inc`, and `page_ref_dec_and_test` with full ordering; at 0 the page goes back. */
function countAtomically(call: Call, page: bigint, at: bigint, by: 1 | -1): Reaction {
  return {
    kind: 'ask',
    effect: {
      kind: 'rmw',
      at: { kind: 'physical', address: constant(at) },
      bytes: 8,
      update: (old) => BigInt.asUintN(64, old + BigInt(by)),
      operands: [],
      acquire: by < 0,
      release: by < 0,
      noReturn: false,
      wanted: true,
    },
    text: by > 0 ? 'the count of the page goes up' : 'the count of the page goes down',
    resume: (given) => {
      if (given.kind !== 'value') return stopWith('a count was not answered with a value');
      const now = given.value + BigInt(by);
      if (given.value === 0n) return stopWith(`${call.event.name}() of a page that is free`);
      if (now > 0n) return result(call, 0n);
      return after([step({ kind: 'free-page', page }, 'the page is free')], result(call, 0n));
    },
  };
}

function pageCount(call: Call): Reaction {
  const word = countWord(call);
  if (word !== null) {
    return {
      kind: 'ask',
      effect: {
        kind: 'load',
        at: { kind: 'physical', address: constant(word.at) },
        bytes: 8,
        order: 'plain',
        exclusive: false,
        wanted: true,
      },
      text: 'the count of the page',
      resume: (given) =>
        given.kind === 'value'
          ? result(call, given.value)
          : stopWith('a count was not answered with a value'),
    };
  }
  const found = tablePage(call);
  return found === null ? noTable(call) : result(call, BigInt(found.count));
}

function tablePage({ argument, environment, state }: Call): {
  readonly page: bigint;
  readonly count: number;
} | null {
  const page = pageOfStruct(environment, argument(0));
  const known = page === null ? undefined : state.counts.get(page);
  return page === null || known === undefined ? null : { page, count: known };
}

/** `free_pages(address, 0)`: the page goes back when its last reference does. */
function freePages(call: Call): Reaction {
  const { state, environment } = call;
  if (call.argument(1) !== 0n) return stopWith('free_pages() of more than one page');
  const page = physicalOf(environment, call.argument(0));
  if (environment.countWords !== null) {
    const at = page === null ? undefined : environment.countWords.get(page);
    return page === null || at === undefined ? noTable(call) : countAtomically(call, page, at, -1);
  }
  const known = page === null ? undefined : state.counts.get(page);
  if (page === null || known === undefined) return noTable(call);
  return counted(call, page, known - 1);
}

/** `alloc_pages_exact(size, flags)`: pages that lie one after the other, zeroed as the flags ask. */
function allocPagesExact(call: Call): Reaction {
  const { pageBytes } = call.environment;
  const pages = (call.argument(0) + pageBytes - 1n) / pageBytes;
  return allocate(call, Number(pages), call.state, null);
}

function allocPage(call: Call): Reaction {
  return allocate(call, 1, call.state, null);
}

function allocate(call: Call, left: number, state: Call['state'], first: bigint | null): Reaction {
  const { environment } = call;
  if (environment.countWords !== null) return onlyAlone(call);
  if (left === 0) return result(call, environment.linearBase + (first ?? 0n), state);
  if (environment.onlyTheseTables === true && state.counts.size >= environment.tables.size) {
    return stopWith(
      `${call.event.name}() and the allocator has no page left: take it in setup() already, as with fill_cache()`,
    );
  }
  return {
    kind: 'ask',
    effect: { kind: 'alloc-page', use: 'table' },
    text: 'a page from the allocator',
    resume: (given) => {
      if (given.kind !== 'value') return stopWith('the allocator did not answer with a page');
      const page = given.value;
      const expected = state.counts.has(page - environment.pageBytes);
      if (first !== null && !expected) return stopWith('the pages do not lie one after the other');
      const zeroed = withZeroedPage(environment, state, page);
      const next = { ...zeroed, counts: new Map(zeroed.counts).set(page, 1) };
      return allocate(call, left - 1, next, first ?? page);
    },
  };
}

function freePagesExact(call: Call): Reaction {
  const { environment, state } = call;
  if (environment.countWords !== null) return onlyAlone(call);
  const base = physicalOf(environment, call.argument(0));
  if (base === null) return noTable(call);
  const pages = Number((call.argument(1) + environment.pageBytes - 1n) / environment.pageBytes);
  const counts = new Map(state.counts);
  const steps = [];
  for (let i = 0; i < pages; i += 1) {
    const page = base + BigInt(i) * environment.pageBytes;
    if (counts.get(page) !== 1) return noTable(call);
    counts.delete(page);
    steps.push(step({ kind: 'free-page', page }, 'the page is free'));
  }
  return after(steps, result(call, 0n, { ...state, counts }));
}

function pfnValid(call: Call): Reaction {
  const page = call.argument(0) * call.environment.pageBytes;
  const known = call.environment.hasStructPage(page);
  return known === null
    ? stopWith(`nobody said whether the page at 0x${page.toString(16)} is RAM or a device`)
    : result(call, known ? 1n : 0n);
}

/** Something is in the entry, and it does not point to a table (bit 1). */
function isHuge(call: Call): Reaction {
  const bits = call.argument(0);
  return result(call, bits !== 0n && (bits & 2n) === 0n ? 1n : 0n);
}

function onlyAlone({ event }: Call): Reaction {
  return stopWith(
    `${event.name}() with several host threads: fill a cache of table pages in setup() instead`,
  );
}

function noTable({ event, argument }: Call): Reaction {
  return stopWith(
    `${event.name}() is called with 0x${argument(0).toString(16)}, which is no table page in use`,
  );
}
