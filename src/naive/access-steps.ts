import type { Answer } from '../program/effect.ts';
import { mayTakeRead, mayTakeWrite } from './coherence.ts';
import { contextsAt } from './context.ts';
import { isAwaited } from './fetch-ahead.ts';
import { hasFaulted, known, sameWord, targetOf } from './instance.ts';
import { mayFetch, mayRead, mayWrite } from './local-order.ts';
import type { Instance, NaiveState, Pe, Source, Written } from './state.ts';
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
      return mayWrite(pe, at) && mayTakeWrite(pe, at) ? storeSteps(access) : [];
    case 'rmw':
      return mayRead(pe, at) && mayWrite(pe, at) ? atomicSteps(access) : [];
    case 'fetch':
      return mayFetch(pe, at) ? fetchSteps(access) : [];
    default:
      return [];
  }
}

function loadSteps(access: Access, bytes: number): readonly Step[] {
  const { state, pe, at, instance, pa, cacheable } = access;
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
    return readableValues(wordAt(state, pa), cacheable).flatMap(({ value, version }) =>
      performedRead(access, extract(value, pa, bytes), { kind: 'memory', version }),
    );
  }
  // Store-to-load forwarding of the very same bytes; anything else waits for the store, and an atomic
  // has no value before it is performed.
  const exact = targetOf(pe, store)?.pa === pa;
  if (store.effect.kind !== 'store' || !exact || store.effect.bytes !== bytes) return [];
  const data = known(pe, store.effect.data);
  if (data === undefined) return [];
  const value = extract(data << ((pa & 7n) * 8n), pa, bytes);
  return performedRead(access, value, { kind: 'forwarded', from: store.seq });
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
  if (instance.effect.kind !== 'store') return [];
  const { data, bytes } = instance.effect;
  const value = known(pe, data);
  if (value === undefined) return [];
  return [writtenStep(access, (old) => insert(old, pa, bytes, value), {})];
}

/** Reads and writes in one step; the halves of an atomic are not split here. */
function atomicSteps(access: Access): readonly Step[] {
  const { state, pe, index, at, instance, pa, cacheable } = access;
  const { effect } = instance;
  if (effect.kind !== 'rmw') return [];
  const operands: bigint[] = [];
  for (const operand of effect.operands) {
    const value = known(pe, operand);
    if (value === undefined) return [];
    operands.push(value);
  }
  return readableValues(wordAt(state, pa), cacheable).flatMap((copy) => {
    const old = extract(copy.value, pa, effect.bytes);
    const value = effect.update(old, operands);
    const source: Source = { kind: 'memory', version: copy.version };
    if (value === null) return performedRead(access, old, source);
    if (!mayTakeRead(pe, at, source) || !mayTakeWrite(pe, at)) return [];
    const written = writtenStep(access, () => insert(copy.value, pa, effect.bytes, value), {
      value: old,
      source,
    });
    const label = `PE${index} updates ${pa.toString(16)}`;
    return [
      { ...written, label, next: answer(access, written.next, { kind: 'value', value: old }) },
    ];
  });
}

function writtenStep(
  access: Access,
  update: (old: bigint) => bigint,
  change: Partial<Instance>,
): Step {
  const { world, state, index, at, instance, pa, cacheable } = access;
  const word = wordAt(state, pa);
  const newest = readableValues(word, cacheable).at(-1)?.value ?? 0n;
  const after = afterWrite(word, update(newest), cacheable, world.hasLines(pa));
  const done = withInstance(state, index, at, { ...change, done: true });
  // Reads that took the value from this store now know which write that was.
  const resolved = withPeChange(done, index, ({ window }) => ({
    window: window.map((x) =>
      x.source?.kind === 'forwarded' && x.source.from === instance.seq
        ? { ...x, source: { kind: 'memory', version: after.writes } }
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
