import type { EffectBody, Ordering } from '../../../program/effect.ts';
import { constant } from '../../../program/expr.ts';
import type { VmEvent } from '../vm/event.ts';
import type { Environment } from './environment.ts';
import { answer, type Reaction, stopWith } from './reaction.ts';
import type { RuntimeState } from './state.ts';

const WORD = 8n;

/**
 * The physical address behind an address of the linear map, or of a part of an object that the host's
 * threads share; `null` for any other address.
 */
export function physicalOf(environment: Environment, address: bigint): bigint | null {
  const part = environment.shared.find(({ from, to }) => address >= from && address < to);
  if (part !== undefined) return part.physical + address - part.from;
  const offset = address - environment.linearBase;
  return offset >= 0n && offset < environment.linearBytes ? offset : null;
}

/** The page that a `struct page *` means; `null` for any other address. */
export function pageOfStruct(environment: Environment, address: bigint): bigint | null {
  const { base, size } = environment.structPages;
  const offset = BigInt.asUintN(64, address - base);
  if (offset % size !== 0n) return null;
  const page = (offset / size) * environment.pageBytes;
  return page < environment.linearBytes ? page : null;
}

/** The page whose `struct page` holds the address; `null` for any other address. */
function pageOfStructWord(environment: Environment, address: bigint): bigint | null {
  const { base, size } = environment.structPages;
  const offset = BigInt.asUintN(64, address - base);
  return pageOfStruct(environment, address - (offset % size));
}

/** One access of at most 8 bytes, as the C or an instruction makes it. */
export interface Access {
  readonly address: bigint;
  readonly size: number;
  readonly order: Ordering;
  readonly text: string;
}

/** A load: a field that the profile knows, or a word of memory. */
export function reactToLoad(
  event: Extract<VmEvent, { kind: 'load' }>,
  environment: Environment,
  state: RuntimeState,
): Reaction {
  if (event.symbol !== null && physicalOf(environment, event.address) === null) {
    const { name, offset } = event.symbol;
    const field = environment.objects
      .get(name)
      ?.find((known) => known.offset <= offset && offset + event.size <= known.offset + known.size);
    if (field === undefined) {
      return stopWith(
        `nobody said what the ${event.size} bytes at ${name}+${offset} hold: the profile of this kernel must give them a value`,
      );
    }
    return answer([field.value >> BigInt(8 * (offset - field.offset))], state);
  }
  const { address, size, volatile } = event;
  const text = volatile ? 'READ_ONCE of a word' : 'read of a word';
  return readMemory({ address, size, order: 'plain', text }, environment, state, (value) =>
    answer([value], state),
  );
}

/** A store to a word of memory. */
export function reactToStore(
  event: Extract<VmEvent, { kind: 'store' }>,
  environment: Environment,
  state: RuntimeState,
): Reaction {
  if (event.symbol !== null && physicalOf(environment, event.address) === null) {
    const { name, offset } = event.symbol;
    return stopWith(
      `the code writes ${name}+${offset}, which the profile of this kernel takes for constant`,
    );
  }
  const { address, size, value, volatile } = event;
  const text = volatile ? 'WRITE_ONCE of a word' : 'store of a word';
  return writeMemory({ address, size, order: 'plain', text }, value, environment, state, (next) =>
    answer([], next),
  );
}

/** Reads memory and goes on with the value. */
export function readMemory(
  access: Access,
  environment: Environment,
  state: RuntimeState,
  resume: (value: bigint) => Reaction,
): Reaction {
  const { address, size, order, text } = access;
  const physical = physicalOf(environment, address);
  if (physical === null) {
    const word = structWord(environment, state, access);
    return word === null
      ? outside('read', address)
      : word.kind === 'unset'
        ? word.stop
        : resume(word.value);
  }
  const bytes = accessSize(size);
  if (bytes === null) return stopWith(`a load of ${size} bytes is no single access`);
  const known = knownWord(environment, state, physical);
  if (known !== null) {
    return resume(BigInt.asUintN(8 * size, known >> shiftOf(physical)));
  }
  return {
    kind: 'ask',
    effect: {
      kind: 'load',
      at: { kind: 'physical', address: constant(physical) },
      bytes,
      order,
      exclusive: false,
      wanted: true,
    },
    text,
    resume: (given) =>
      given.kind === 'value'
        ? resume(given.value)
        : stopWith('a load through the linear map was not answered with a value'),
  };
}

/** Writes memory and goes on with the state after it. */
export function writeMemory(
  access: Access,
  value: bigint,
  environment: Environment,
  state: RuntimeState,
  resume: (next: RuntimeState) => Reaction,
): Reaction {
  const { address, size, order, text } = access;
  const physical = physicalOf(environment, address);
  if (physical === null) {
    if (pageOfStructWord(environment, address) === null) return outside('written', address);
    if (size !== 8 || address % WORD !== 0n) return outside('written in part', address);
    return resume({ ...state, structWords: new Map(state.structWords).set(address, value) });
  }
  const bytes = accessSize(size);
  if (bytes === null) return stopWith(`a store of ${size} bytes is no single access`);
  const data = BigInt.asUintN(8 * size, value);
  const effect: EffectBody = {
    kind: 'store',
    at: { kind: 'physical', address: constant(physical) },
    bytes,
    data: constant(data),
    order,
    exclusive: false,
    wanted: false,
  };
  const { words } = environment;
  const word = physical - (physical % WORD);
  if (!isTable(environment, state, physical)) {
    return { kind: 'ask', effect, text, resume: () => resume(state) };
  }
  if (words.kind === 'shared') {
    if (!words.filled.has(word)) {
      return stopWith(
        `the code writes 0x${data.toString(16)} to the unused table entry at 0x${physical.toString(16)}; this runtime only follows entries that the scenario filled`,
      );
    }
    return { kind: 'ask', effect, text, resume: () => resume(state) };
  }
  if (words.kind === 'several') {
    if (!words.observable(word)) {
      return stopWith(
        `the code writes 0x${data.toString(16)} to the table entry at 0x${physical.toString(16)}, which no IPA of the guest uses; with several host threads only entries of the guest's pages are followed`,
      );
    }
    return { kind: 'ask', effect, text, resume: () => resume(state) };
  }
  const mask = ((1n << BigInt(8 * size)) - 1n) << shiftOf(physical);
  const before = ownWord(words.start, state, word);
  const after = (before & ~mask) | (data << shiftOf(physical));
  const next = { ...state, written: new Map(state.written).set(word, after) };
  return words.observable(word)
    ? { kind: 'ask', effect, text, resume: () => resume(next) }
    : resume(next);
}

/** Compares and swaps a word of a table in one access; goes on with the old value. */
export function compareAndSwap(
  access: Access & { readonly acquire: boolean; readonly release: boolean },
  { expected, desired }: { readonly expected: bigint | null; readonly desired: bigint },
  environment: Environment,
  state: RuntimeState,
  resume: (old: bigint, next: RuntimeState) => Reaction,
): Reaction {
  const { address, size, acquire, release, text } = access;
  const physical = physicalOf(environment, address);
  if (physical === null) return outside('swapped', address);
  if (size !== 8) return stopWith(`a compare-and-swap of ${size} bytes is not known`);
  const { words } = environment;
  const effect: EffectBody = {
    kind: 'rmw',
    at: { kind: 'physical', address: constant(physical) },
    bytes: 8,
    update: (old) => (expected === null || old === expected ? desired : null),
    operands: [],
    written: constant(desired),
    ...(expected === null ? {} : { compare: constant(expected) }),
    acquire,
    release,
    noReturn: false,
    wanted: true,
  };
  const swapped = (old: bigint): RuntimeState =>
    words.kind === 'own' && (expected === null || old === expected)
      ? { ...state, written: new Map(state.written).set(physical, desired) }
      : state;
  if (words.kind === 'several' && !words.observable(physical)) {
    return stopWith(
      `the code swaps the table entry at 0x${physical.toString(16)}, which no IPA of the guest uses`,
    );
  }
  if (words.kind === 'own' && !words.observable(physical)) {
    const old = ownWord(words.start, state, physical);
    return resume(old, swapped(old));
  }
  return {
    kind: 'ask',
    effect,
    text,
    resume: (given) =>
      given.kind === 'value'
        ? resume(given.value, swapped(given.value))
        : stopWith('a compare-and-swap was not answered with a value'),
  };
}

/** The state after a page came from the allocator, which hands it out zeroed. */
export function withZeroedPage(
  environment: Environment,
  state: RuntimeState,
  page: bigint,
): RuntimeState {
  const { words, pageBytes } = environment;
  if (words.kind !== 'own') return state;
  const inside = (word: bigint): boolean => word >= page && word < page + pageBytes;
  const written = new Map([...state.written].filter(([word]) => !inside(word)));
  for (const word of words.start.keys()) if (inside(word)) written.set(word, 0n);
  return { ...state, written };
}

/**
 * What a word of a table holds, when the thread can know it without asking; `null` when it must ask,
 * also for a page that is no table any more, so that a rule hears of it.
 */
function knownWord(environment: Environment, state: RuntimeState, physical: bigint): bigint | null {
  const { words } = environment;
  const word = physical - (physical % WORD);
  if (!isTable(environment, state, physical)) return null;
  if (words.kind === 'shared') return words.filled.has(word) ? null : 0n;
  if (words.kind === 'several') {
    return words.observable(word) ? null : (words.start.get(word) ?? 0n);
  }
  const value = ownWord(words.start, state, word);
  const mayChange = words.hardwareUpdates && words.observable(word) && (value & 1n) !== 0n;
  return mayChange ? null : value;
}

function ownWord(start: ReadonlyMap<bigint, bigint>, state: RuntimeState, word: bigint): bigint {
  return state.written.get(word) ?? start.get(word) ?? 0n;
}

function isTable(environment: Environment, state: RuntimeState, physical: bigint): boolean {
  const page = physical - (physical % environment.pageBytes);
  return state.counts.has(page) || environment.countWords?.has(page) === true;
}

function structWord(
  environment: Environment,
  state: RuntimeState,
  { address, size }: Access,
):
  | { readonly kind: 'value'; readonly value: bigint }
  | { readonly kind: 'unset'; readonly stop: Reaction }
  | null {
  const page = pageOfStructWord(environment, address);
  if (page === null) return null;
  const word = state.structWords.get(address - (address % WORD));
  if (word === undefined) {
    return {
      kind: 'unset',
      stop: stopWith(
        `the code reads the struct page of 0x${page.toString(16)} where nobody has written it; only fields the code itself sets are known`,
      ),
    };
  }
  return { kind: 'value', value: BigInt.asUintN(8 * size, word >> shiftOf(address)) };
}

function shiftOf(address: bigint): bigint {
  return 8n * (address % WORD);
}

function outside(verb: string, address: bigint): Reaction {
  return stopWith(
    `the address 0x${BigInt.asUintN(64, address).toString(16)} is ${verb}, but it lies neither in the linear map nor in an object that the profile knows`,
  );
}

function accessSize(size: number): 1 | 2 | 4 | 8 | null {
  return size === 1 || size === 2 || size === 4 || size === 8 ? size : null;
}
