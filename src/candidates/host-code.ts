import { pageBytes, type Granule } from '../arm64/granule.ts';
import type { Answer, BarrierDomain, BarrierLimit, Context, Effect } from '../program/effect.ts';
import { constant } from '../program/expr.ts';
import { calledFrom, type SourceLocation } from '../program/source-location.ts';

/**
 * Host code: a generator that yields effects and is resumed with the machine's answers. Everything
 * it computes between two effects (indices, table counts, lists) is private to its PE.
 */
export type HostCode<Result = void> = Generator<Effect, Result, Answer>;

/** Host code without any effect: the kernel does nothing here that anybody else can see. */
// oxlint-disable-next-line require-yield
export function* noEffect<Result>(result: Result): HostCode<Result> {
  return result;
}

/** The value of an answer. Throws when there is none: the linear map does not fault. */
export function valueOf(answer: Answer): bigint {
  if (answer.kind === 'value') return answer.value;
  throw new Error(`host code expected a value, not an answer of kind ${answer.kind}`);
}

/**
 * A load of a 64-bit word through the kernel's linear map. `wanted`: the code goes on with the value.
 */
export function load(address: bigint, location: SourceLocation, wanted = true): Effect {
  return {
    kind: 'load',
    at: { kind: 'physical', address: constant(address) },
    bytes: 8,
    order: 'plain',
    exclusive: false,
    wanted,
    location,
  };
}

/** A store of a 64-bit word through the kernel's linear map. */
export function store(address: bigint, value: bigint, location: SourceLocation): Effect {
  return {
    kind: 'store',
    at: { kind: 'physical', address: constant(address) },
    bytes: 8,
    data: constant(value),
    order: 'plain',
    exclusive: false,
    wanted: false,
    location,
  };
}

/** `smp_load_acquire` of a word the code goes on with. */
export function loadAcquire(address: bigint, location: SourceLocation): Effect {
  return {
    kind: 'load',
    at: { kind: 'physical', address: constant(address) },
    bytes: 8,
    order: 'acquire',
    exclusive: false,
    wanted: true,
    location,
  };
}

/** `smp_store_release` of a word. */
export function storeRelease(address: bigint, value: bigint, location: SourceLocation): Effect {
  return {
    kind: 'store',
    at: { kind: 'physical', address: constant(address) },
    bytes: 8,
    data: constant(value),
    order: 'release',
    exclusive: false,
    wanted: false,
    location,
  };
}

/** An atomic update of a word whose old value the code does not use. */
export function atomic(
  address: bigint,
  update: (old: bigint) => bigint,
  fullyOrdered: boolean,
  location: SourceLocation,
): Effect {
  return {
    kind: 'rmw',
    at: { kind: 'physical', address: constant(address) },
    bytes: 8,
    update,
    operands: [],
    acquire: fullyOrdered,
    release: fullyOrdered,
    noReturn: !fullyOrdered,
    wanted: false,
    location,
  };
}

/** `DMB` over the inner shareable domain, for the loads or stores before it. */
export function dmb(limit: BarrierLimit, location: SourceLocation): Effect {
  return { kind: 'dmb', limit, location };
}

/** `DSB`; `dsb(ishst)` of the kernel is limit `st`, domain `ish`. */
export function dsb(limit: BarrierLimit, domain: BarrierDomain, location: SourceLocation): Effect {
  return { kind: 'dsb', limit, domain, nXS: false, location };
}

/** `ISB`. */
export function isb(location: SourceLocation): Effect {
  return { kind: 'isb', location };
}

/** One TLBI, meant for the VM `vmid`. */
export function tlbi(op: string, operand: bigint, vmid: number, location: SourceLocation): Effect {
  return { kind: 'tlbi', op, operand: constant(operand), intendedVmid: vmid, location };
}

/** `DC CIVAC` of the line at `address`, through the linear map. */
export function dcCivac(address: bigint, location: SourceLocation): Effect {
  return {
    kind: 'dc',
    op: 'civac',
    at: { kind: 'physical', address: constant(address) },
    location,
  };
}

/** `IC IALLUIS`. */
export function icIalluis(location: SourceLocation): Effect {
  return { kind: 'ic', op: 'ialluis', location };
}

/** `IC IVAU` of the line at `address`. */
export function icIvau(address: bigint, location: SourceLocation): Effect {
  return { kind: 'ic', op: 'ivau', at: { kind: 'physical', address: constant(address) }, location };
}

/** Writes of VTTBR_EL2 and its like; in force for sure only after context synchronisation. */
export function writeContext(change: Partial<Context>, location: SourceLocation): Effect {
  return { kind: 'context', change, location };
}

/**
 * Runs `code` as called from `caller`, so that its effects say through which call they were reached.
 */
export function call<Result>(caller: SourceLocation, code: HostCode<Result>): HostCode<Result> {
  return relocate(code, (location) => calledFrom(location, caller));
}

/**
 * Runs `code` with every location replaced: for code whose lines have moved in a patched tree. An object
 * and no generator of its own: every effect of a long run passes through a few of these.
 */
export function relocate<Result>(
  code: HostCode<Result>,
  move: (location: SourceLocation) => SourceLocation,
): HostCode<Result> {
  function moved(step: IteratorResult<Effect, Result>): IteratorResult<Effect, Result> {
    if (step.done === true) return step;
    return { done: false, value: effectAt(step.value, move(step.value.location)) };
  }
  const relocated: HostCode<Result> = {
    next: (answer?: Answer) => moved(answer === undefined ? code.next() : code.next(answer)),
    return: (result) => moved(code.return(result)),
    throw: (error: unknown) => moved(code.throw(error)),
    [Symbol.iterator]: () => relocated,
  };
  return relocated;
}

/** The effect at another location. The kinds that fill long runs are copied field by field: that is fast. */
function effectAt(effect: Effect, location: SourceLocation): Effect {
  switch (effect.kind) {
    case 'dsb': {
      const { kind, limit, domain, nXS } = effect;
      return { kind, limit, domain, nXS, location };
    }
    case 'isb':
      return { kind: 'isb', location };
    case 'tlbi': {
      const { kind, op, operand, intendedVmid } = effect;
      return { kind, op, operand, intendedVmid, location };
    }
    case 'context':
      return { kind: 'context', change: effect.change, location };
    case 'dc':
      return { kind: 'dc', op: effect.op, at: effect.at, location };
    case 'store': {
      const { kind, at, bytes, data, order, exclusive, wanted } = effect;
      return { kind, at, bytes, data, order, exclusive, wanted, location };
    }
    default:
      return { ...effect, location };
  }
}

/** The page that holds an address: `virt_to_page`. */
export function pageOf(address: bigint, granule: Granule): bigint {
  return address & ~(pageBytes(granule) - 1n);
}
