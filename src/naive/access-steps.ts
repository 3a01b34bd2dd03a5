import type { Answer } from '../program/effect.ts';
import type { Expr } from '../program/expr.ts';
import { mayTakeRead, mayTakeWrite } from './coherence.ts';
import { contextsAt } from './context.ts';
import { isAwaited } from './fetch-ahead.ts';
import {
  hasFaulted,
  isAcquire,
  isPendingAccess,
  isWrite,
  known,
  sameWord,
  targetOf,
} from './instance.ts';
import { mayFetch, mayRead, mayWrite } from './local-order.ts';
import type { Instance, NaiveState, Pe, Source, Written, Word } from './state.ts';
import { quiet, withInstance, withPeChange, withWord, type Step } from './step.ts';
import { afterWrite, extract, insert, readableValues, wordAddress, wordAt } from './word.ts';
import type { World } from './world.ts';

interface Access {
  readonly world: World;
  readonly state: NaiveState;
  readonly index: number;
  readonly at: number;
  readonly pe: Pe;
  readonly instance: Instance;
  readonly pa: bigint;
  readonly cacheable: boolean;
}

/** The ways the explicit access at `at` can be performed now. */
export function accessSteps(
  world: World,
  state: NaiveState,
  index: number,
  at: number,
): readonly Step[] {
  const pe = state.pes[index];
  const instance = pe?.window[at];
  if (pe === undefined || instance === undefined) return [];
  const target = targetOf(pe, instance);
  if (instance.done || hasFaulted(instance) || target === null) return [];
  const { effect } = instance;
  if ((effect.kind === 'load' || effect.kind === 'store') && effect.exclusive) {
    throw new RangeError('Exclusive pairs are not modelled.');
  }
  const access: Access = { world, state, index, at, pe, instance, ...target };
  switch (instance.effect.kind) {
    case 'load':
      return mayRead(pe, at) ? loadSteps(access, instance.effect.bytes) : [];
    case 'store':
      return mayWrite(pe, at) && mayTakeWrite(pe, at) && !isHeld(access) ? storeSteps(access) : [];
    case 'rmw':
      if (instance.value === null) return mayRead(pe, at) ? atomicReadSteps(access) : [];
      return mayWrite(pe, at) && mayTakeWrite(pe, at) ? atomicWriteSteps(access) : [];
    case 'fetch':
      return mayFetch(pe, at) ? fetchSteps(access) : [];
    default:
      return [];
  }
}

function loadSteps(access: Access, bytes: number): readonly Step[] {
  const { state, pe, index, at, instance, pa, cacheable } = access;
  if (instance.effect.kind === 'load' && instance.effect.translatesFor !== undefined) {
    const next = withInstance(state, index, at, { done: true, value: pa });
    const step = quiet(`PE${index} gets the address ${pa.toString(16)}`, next);
    return [{ ...step, next: answer(access, next, { kind: 'value', value: pa }) }];
  }
  const store = pe.window
    .slice(0, at)
    .filter(
      (x) =>
        (x.effect.kind === 'store' || x.effect.kind === 'rmw') &&
        !x.done &&
        sameWord(pe, x, instance),
    )
    .at(-1);
  if (store === undefined) {
    const word = wordAt(state, pa);
    return readableValues(word, cacheable).flatMap(({ value, version }) =>
      performedRead(access, extract(value, pa, bytes), sourceOf(word, version, cacheable)),
    );
  }
  // Store-to-load forwarding of the very same bytes; anything else waits for the store. The write of an
  // atomic is forwarded once it is known, but not to an acquire (aob: rmw; lmrs; [A | Q]).
  if (targetOf(pe, store)?.pa !== pa || !('bytes' in store.effect)) return [];
  if (store.effect.bytes !== bytes) return [];
  if (store.effect.kind === 'rmw' && isAcquire(instance)) return [];
  const data = writtenValue(pe, store);
  if (data === null) return [];
  const value = extract(data << ((pa & 7n) * 8n), pa, bytes);
  return performedRead(access, value, { kind: 'forwarded', from: store.seq });
}

function sourceOf({ arrivals }: Word, version: number, cacheable: boolean): Source {
  return { kind: 'memory', version, arrival: cacheable ? null : arrivals };
}

/** What a pending store or atomic is going to write, or null while it is not known. */
function writtenValue(pe: Pe, { effect, value }: Instance): bigint | null {
  if (effect.kind === 'store') return known(pe, effect.data) ?? null;
  if (effect.kind !== 'rmw' || value === null) return null;
  const operands = operandsOf(pe, effect.operands);
  return operands === null ? null : effect.update(value, operands);
}

function operandsOf(pe: Pe, exprs: readonly Expr[]): readonly bigint[] | null {
  const operands: bigint[] = [];
  for (const expr of exprs) {
    const operand = known(pe, expr);
    if (operand === undefined) return null;
    operands.push(operand);
  }
  return operands;
}

/** Another atomic on the word, on any PE, is between its read and its write. */
function isHeld({ state, index, pa, instance }: Access): boolean {
  return state.pes.some((pe, other) =>
    pe.window.some((x) => {
      if (x.effect.kind !== 'rmw' || x.value === null || x.done) return false;
      if (other === index && x.seq === instance.seq) return false;
      const target = targetOf(pe, x);
      return target !== null && wordAddress(target.pa) === wordAddress(pa);
    }),
  );
}

function performedRead(access: Access, value: bigint, source: Source): readonly Step[] {
  const { state, pe, index, at, pa, cacheable } = access;
  if (!mayTakeRead(pe, at, source)) return [];
  const next = withInstance(state, index, at, { done: true, value, source });
  const step = quiet(`PE${index} reads ${pa.toString(16)} = ${value.toString(16)}`, next);
  const answered = answer(access, next, { kind: 'value', value });
  return [{ ...step, next: answered, touches: cacheable ? [] : [wordAddress(pa)] }];
}

function storeSteps(access: Access): readonly Step[] {
  const { pe, instance, pa } = access;
  const value = writtenValue(pe, instance);
  if (value === null || instance.effect.kind !== 'store') return [];
  const { bytes } = instance.effect;
  return [writtenStep(access, (old) => insert(old, pa, bytes, value))];
}

/**
 * The read of an atomic. It waits for own earlier stores to the word instead of taking their value
 * early. An update to `null` writes nothing, so the atomic is over.
 */
function atomicReadSteps(access: Access): readonly Step[] {
  const { state, pe, index, at, instance, pa, cacheable } = access;
  const { effect } = instance;
  if (effect.kind !== 'rmw' || isHeld(access)) return [];
  const pendingStore = pe.window
    .slice(0, at)
    .some((x) => isWrite(x) && isPendingAccess(x) && sameWord(pe, x, instance));
  const operands = operandsOf(pe, effect.operands);
  if (pendingStore) return [];
  const word = wordAt(state, pa);
  return readableValues(word, cacheable).flatMap((copy) => {
    const old = extract(copy.value, pa, effect.bytes);
    const source = sourceOf(word, copy.version, cacheable);
    if (operands !== null && effect.update(old, operands) === null) {
      return performedRead(access, old, source);
    }
    if (!mayTakeRead(pe, at, source)) return [];
    const next = withInstance(state, index, at, { value: old, source });
    const step = quiet(`PE${index} begins an update of ${pa.toString(16)}`, next);
    const touches = cacheable ? [] : [wordAddress(pa)];
    return [{ ...step, touches, next: answer(access, next, { kind: 'value', value: old }) }];
  });
}

function atomicWriteSteps(access: Access): readonly Step[] {
  const { pe, instance, pa } = access;
  const { effect } = instance;
  if (effect.kind !== 'rmw' || instance.value === null) return [];
  const operands = operandsOf(pe, effect.operands);
  if (operands === null) return [];
  const value = effect.update(instance.value, operands);
  if (value === null) {
    const { state, index, at } = access;
    return [quiet(`PE${index} updates nothing`, withInstance(state, index, at, { done: true }))];
  }
  return [writtenStep(access, (old) => insert(old, pa, effect.bytes, value))];
}

function writtenStep(access: Access, update: (old: bigint) => bigint): Step {
  const { world, state, index, at, instance, pa, cacheable } = access;
  const word = wordAt(state, pa);
  const newest = readableValues(word, cacheable).at(-1)?.value ?? 0n;
  const after = afterWrite(word, update(newest), cacheable, world.hasLines(pa));
  const done = withInstance(state, index, at, { done: true });
  // Reads that took the value from this store now know which write that was.
  const resolved = withPeChange(done, index, ({ window }) => ({
    window: window.map((x) =>
      x.source?.kind === 'forwarded' && x.source.from === instance.seq
        ? { ...x, source: sourceOf(after, after.writes, cacheable) }
        : x,
    ),
  }));
  const address = wordAddress(pa);
  return {
    ...quiet(`PE${index} writes ${pa.toString(16)}`, withWord(resolved, pa, after)),
    touches: [address],
  };
}

function fetchSteps(access: Access): readonly Step[] {
  const { world, state, pe, index, at, pa } = access;
  const vmids = new Set(contextsAt(pe, at).map(({ vmid }) => vmid));
  const lines = pe.icache.filter(
    (line) => line.pa === wordAddress(pa) && (line.vmid === null || vmids.has(line.vmid)),
  );
  const memory = world.hasLines(pa)
    ? readableValues(wordAt(state, pa), true)
    : [wordAt(state, pa).poc];
  const copies: readonly Written[] = [...lines.map(({ copy }) => copy), ...memory];
  return copies.map(({ value }) => {
    const word = extract(value, pa, 4);
    const next = withInstance(state, index, at, { done: true, value: word });
    const label = `PE${index} fetches ${pa.toString(16)} = ${word.toString(16)}`;
    return quiet(label, answer(access, next, { kind: 'value', value: word }));
  });
}

/** Lets the front end go on with an answer it has been waiting for. */
function answer({ world, index, instance }: Access, next: NaiveState, given: Answer): NaiveState {
  const tree = world.setup.threads[index]?.tree;
  if (tree === undefined || !isAwaited(instance)) return next;
  return withPeChange(next, index, () => ({ node: tree.next(instance.node, given) }));
}
