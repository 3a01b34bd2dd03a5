import { constant } from '../../../program/expr.ts';
import type { VmEvent } from '../vm/event.ts';
import type { Environment } from './environment.ts';
import { answer, type Reaction, stopWith } from './reaction.ts';
import type { RuntimeState } from './state.ts';

const WORD = 8n;

/** The physical address behind an address of the linear map; `null` for any other address. */
export function physicalOf(environment: Environment, address: bigint): bigint | null {
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

/** A load: a field that the profile knows, or a word of memory. */
export function reactToLoad(
  event: Extract<VmEvent, { kind: 'load' }>,
  environment: Environment,
  state: RuntimeState,
): Reaction {
  if (event.symbol !== null) {
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
  const physical = physicalOf(environment, event.address);
  if (physical === null) return outside('read', event.address);
  if (isUnusedWord(environment, state, physical)) return answer([0n], state);
  const bytes = accessSize(event.size);
  if (bytes === null) return stopWith(`a load of ${event.size} bytes is no single access`);
  return {
    kind: 'ask',
    effect: {
      kind: 'load',
      at: { kind: 'physical', address: constant(physical) },
      bytes,
      order: 'plain',
      exclusive: false,
      wanted: true,
    },
    text: event.volatile ? 'READ_ONCE of a word' : 'read of a word',
    resume: (given) =>
      given.kind === 'value'
        ? answer([given.value], state)
        : stopWith('a load through the linear map was not answered with a value'),
  };
}

/** A store to a word of memory. */
export function reactToStore(
  event: Extract<VmEvent, { kind: 'store' }>,
  environment: Environment,
  state: RuntimeState,
): Reaction {
  if (event.symbol !== null) {
    const { name, offset } = event.symbol;
    return stopWith(
      `the code writes ${name}+${offset}, which the profile of this kernel takes for constant`,
    );
  }
  const physical = physicalOf(environment, event.address);
  if (physical === null) return outside('written', event.address);
  if (isUnusedWord(environment, state, physical)) {
    return stopWith(
      `the code writes 0x${event.value.toString(16)} to the unused table entry at 0x${physical.toString(16)}; this runtime only follows entries that the scenario filled`,
    );
  }
  const bytes = accessSize(event.size);
  if (bytes === null) return stopWith(`a store of ${event.size} bytes is no single access`);
  return {
    kind: 'ask',
    effect: {
      kind: 'store',
      at: { kind: 'physical', address: constant(physical) },
      bytes,
      data: constant(BigInt.asUintN(8 * event.size, event.value)),
      order: 'plain',
      exclusive: false,
      wanted: false,
    },
    text: event.volatile ? 'WRITE_ONCE of a word' : 'store of a word',
    resume: () => answer([], state),
  };
}

/** A table entry that was empty at the start and that nobody writes: it is 0 for ever. */
function isUnusedWord(environment: Environment, state: RuntimeState, physical: bigint): boolean {
  const page = physical - (physical % environment.pageBytes);
  return state.counts.has(page) && !environment.words.has(physical - (physical % WORD));
}

function outside(verb: string, address: bigint): Reaction {
  return stopWith(
    `the address 0x${BigInt.asUintN(64, address).toString(16)} is ${verb}, but it lies neither in the linear map nor in an object that the profile knows`,
  );
}

function accessSize(size: number): 1 | 2 | 4 | 8 | null {
  return size === 1 || size === 2 || size === 4 || size === 8 ? size : null;
}
