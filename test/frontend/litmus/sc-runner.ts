import type { Answer, Context, Effect, Fault, Place } from '../../../src/program/effect.ts';
import { DONE } from '../../../src/program/effect.ts';
import { evaluate } from '../../../src/program/expr.ts';
import type { FinalState, LitmusTest } from '../../../src/frontend/litmus/litmus-test.ts';

/**
 * Runs a litmus test one whole effect at a time, walking the tables in memory for every access:
 * sequential consistency without any TLB. Every outcome it finds is one that a correct reference
 * allows, so it checks a front end without the machine.
 */
export function runSequentially(
  test: LitmusTest,
  random: () => number,
  limit = 400,
): FinalState | null {
  const memory = new Map(test.setup.memory.map(({ address, value }) => [address, value]));
  const threads = test.setup.threads.map(({ tree, context }) => ({
    tree,
    context,
    node: tree.root,
    results: [] as (bigint | undefined)[],
    monitor: null as bigint | null,
  }));
  const word = (address: bigint): bigint => memory.get(address & ~7n) ?? 0n;
  const maskOf = (bytes: number): bigint => (1n << BigInt(bytes * 8)) - 1n;
  const load = (address: bigint, bytes: number): bigint =>
    (word(address) >> ((address & 7n) * 8n)) & maskOf(bytes);
  const store = (address: bigint, bytes: number, value: bigint): void => {
    const shift = (address & 7n) * 8n;
    const mask = maskOf(bytes) << shift;
    memory.set(address & ~7n, (word(address) & ~mask) | ((value << shift) & mask));
    for (const thread of threads) {
      if (thread.monitor !== null && thread.monitor >> 3n === address >> 3n) thread.monitor = null;
    }
  };

  type Access = 'read' | 'write' | 'execute';
  type Found = { address: bigint } | { fault: Fault };

  function walk(
    context: Context,
    stage: 1 | 2,
    input: bigint,
    access: Access,
    unprivileged: boolean,
    onWalk: boolean,
  ): Found {
    const control = stage === 1 ? context.stage1 : context.stage2;
    if (control === null) return { address: input };
    const start =
      stage === 1
        ? (test.setup.translation.stage1?.startLevel ?? 0)
        : (test.setup.translation.stage2?.startLevel ?? 0);
    const fail = (cause: Fault['cause'], level: number): Found => ({
      fault: { stage, cause, level, address: input, onWalk, access },
    });
    let table = control.root;
    for (let level = start; level <= 3; level += 1) {
      const shift = BigInt(39 - 9 * level);
      const index = level === start ? input >> shift : (input >> shift) & 511n;
      let cell = table + index * 8n;
      if (stage === 1 && context.stage2 !== null) {
        const inner = walk(context, 2, cell, 'read', false, true);
        if ('fault' in inner) return inner;
        cell = inner.address;
      }
      const bits = word(cell);
      if ((bits & 1n) === 0n) return fail('translation', level);
      const output = bits & 0x0000_ffff_ffff_f000n;
      if ((bits & 2n) !== 0n && level < 3) {
        table = output;
        continue;
      }
      let next = bits;
      if ((bits & (1n << 10n)) === 0n) {
        if (control.hardwareUpdate === 'none') return fail('access-flag', level);
        next |= 1n << 10n;
      }
      const dirtyable = control.hardwareUpdate === 'af+dbm' && (bits & (1n << 51n)) !== 0n;
      if (stage === 1) {
        if ((context.el === 0 || unprivileged) && (bits & (1n << 6n)) === 0n) {
          return fail('permission', level);
        }
        if (access === 'write' && (bits & (1n << 7n)) !== 0n) {
          if (!dirtyable) return fail('permission', level);
          next &= ~(1n << 7n);
        }
      } else {
        if (access === 'read' && (bits & (1n << 6n)) === 0n) return fail('permission', level);
        if (access === 'write' && (bits & (1n << 7n)) === 0n) {
          if (!dirtyable) return fail('permission', level);
          next |= 1n << 7n;
        }
      }
      if (next !== bits) store(cell, 8, next);
      const low = (1n << shift) - 1n;
      return { address: (output & ~low) | (input & low) };
    }
    return fail('translation', 3);
  }

  function translate(context: Context, at: Place, address: bigint, access: Access): Found {
    if (at.kind === 'physical') return { address };
    const first = walk(context, 1, address, access, at.unprivileged, false);
    if ('fault' in first || context.stage2 === null) return first;
    return walk(context, 2, first.address, access, false, false);
  }

  function answer(thread: (typeof threads)[number], effect: Effect): Answer | null {
    const value = (expr: Parameters<typeof evaluate>[0]): bigint => {
      const known = evaluate(expr, (seq) => thread.results[seq]);
      if (known === undefined) throw new Error('a result is missing');
      return known;
    };
    switch (effect.kind) {
      case 'branch':
      case 'select':
        return { kind: 'value', value: value(effect.condition) === 0n ? 0n : 1n };
      case 'choose':
        if (effect.options === 0) return null;
        return { kind: 'value', value: BigInt(Math.floor(random() * effect.options)) };
      case 'load': {
        const access = effect.translatesFor ?? 'read';
        const found = translate(thread.context, effect.at, value(effect.at.address), access);
        if ('fault' in found) return { kind: 'fault', fault: found.fault };
        // AT answers with the address an access would go to.
        const isAt = effect.translatesFor !== undefined;
        thread.results.push(isAt ? found.address : load(found.address, effect.bytes));
        if (effect.exclusive) thread.monitor = found.address;
        return DONE;
      }
      case 'store': {
        const found = translate(thread.context, effect.at, value(effect.at.address), 'write');
        if ('fault' in found) return { kind: 'fault', fault: found.fault };
        const succeeds = !effect.exclusive || thread.monitor === found.address;
        if (succeeds) store(found.address, effect.bytes, value(effect.data));
        thread.results.push(succeeds ? 0n : 1n);
        return DONE;
      }
      case 'rmw': {
        const found = translate(thread.context, effect.at, value(effect.at.address), 'write');
        if ('fault' in found) return { kind: 'fault', fault: found.fault };
        const old = load(found.address, effect.bytes);
        const next = effect.update(old, effect.operands.map(value));
        if (next !== null) store(found.address, effect.bytes, next);
        thread.results.push(old);
        return DONE;
      }
      case 'exception-entry':
        thread.context = { ...thread.context, el: effect.toEl };
        return DONE;
      case 'exception-return':
        thread.context = { ...thread.context, el: effect.toEl };
        return DONE;
      case 'context':
        thread.context = { ...thread.context, ...effect.change };
        return DONE;
      case 'fetch':
      case 'dmb':
      case 'dsb':
      case 'isb':
      case 'tlbi':
      case 'dc':
      case 'ic':
      case 'lock':
      case 'unlock':
      case 'alloc-page':
      case 'free-page':
      case 'announce':
        return DONE;
    }
  }

  for (let steps = 0; steps < limit; steps += 1) {
    const running = threads.filter((thread) => thread.tree.effectAt(thread.node) !== null);
    const thread = running[Math.floor(random() * running.length)];
    if (thread === undefined) {
      return {
        node: (index) => threads[index]?.node ?? 0,
        resultOf: (index, seq) => threads[index]?.results[seq],
        memory: word,
      };
    }
    const effect = thread.tree.effectAt(thread.node);
    if (effect === null) continue;
    const asked = thread.results.length;
    const given = answer(thread, effect);
    if (given === null) return null;
    if (thread.results.length === asked) thread.results.push(undefined);
    thread.node = thread.tree.next(thread.node, given);
  }
  return null;
}

/** A small deterministic generator of numbers in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}
