import type { Answer as MachineAnswer, EffectBody } from '../../../program/effect.ts';
import { evaluate, type Expr } from '../../../program/expr.ts';
import { FrontendError } from '../diagnostic.ts';
import type { Environment, SharedPart } from '../runtime/environment.ts';
import { react } from '../runtime/react.ts';
import type { Reaction } from '../runtime/reaction.ts';
import { initialState, type RuntimeState } from '../runtime/state.ts';
import { advance, type Advance, continueThread, stackOf, startThread } from '../vm/advance.ts';
import type { Answer } from '../vm/event.ts';
import { placeOf, type Program, symbolAt } from '../vm/program.ts';
import type { Bytes, VmState } from '../vm/state.ts';

/** A page of the guest that `setup()` named. */
export interface DeclaredPage {
  readonly ipa: bigint;
  readonly page: bigint;
}

/** The word at an offset of an object; all zero while nobody has touched it. */
function wordOf(object: Bytes | undefined, offset: number): bigint {
  let value = 0n;
  for (let i = 7; i >= 0; i -= 1) value = (value << 8n) | BigInt(object?.bytes[offset + i] ?? 0);
  return value;
}

/** Everything that running the kernel's own code alone has left behind. */
export interface SetupResult {
  /** The thread's own objects, for the threads that go on from here. */
  readonly vm: VmState;
  /** Words of memory that were written. */
  readonly memory: ReadonlyMap<bigint, bigint>;
  /** Table pages in use, with their reference counts. */
  readonly tables: ReadonlyMap<bigint, number>;
  /** Words of `struct page` that were written. */
  readonly structWords: ReadonlyMap<bigint, bigint>;
  readonly pages: readonly DeclaredPage[];
  /** Parts of objects that all threads share. */
  readonly shared: readonly SharedPart[];
  /** The word that says which VM may be entered later; `null` where `setup()` names none. */
  readonly entered: bigint | null;
  /** The VM that was made. */
  readonly guest: { readonly vmid: number; readonly root: bigint; readonly control: bigint };
}

const HOST_ONLY = 'this belongs into host(): setup() runs alone, before anything can be observed';

/** One function to be run, with scalar arguments. */
export interface SetupCall {
  readonly name: string;
  readonly arguments: readonly bigint[];
}

/**
 * Runs functions one after the other, alone, on plain memory: barriers and maintenance do nothing,
 * locks are free, pages come from `firstPage` upwards and shared words from `firstWord`. Throws a `FrontendError` where the code does
 * something that is not understood, or that only `host()` may do.
 */
export function runSetup(
  program: Program,
  given: Environment,
  calls: readonly SetupCall[],
  { firstPage, firstWord }: { readonly firstPage: bigint; readonly firstWord: bigint },
): SetupResult {
  let environment = given;
  let vm: VmState | null = null;
  let state = initialState(environment);
  let nextPage = firstPage;
  let nextWord = firstWord;
  const memory = new Map<bigint, bigint>();
  const pages: DeclaredPage[] = [];
  let guest: SetupResult['guest'] | null = null;
  let entered: bigint | null = null;

  function stop(at: Advance & { kind: 'event' }, message: string): FrontendError {
    const { use } = placeOf(program, at.event.at);
    const calling = stackOf(program, at.state).map((entry) => entry.function);
    return new FrontendError(
      use.file,
      use.line,
      use.column,
      `${message} (setup: ${calling.join(' < ')})`,
    );
  }

  /** Moves a part of an object into the memory that all threads see; from here on it is asked for. */
  function share(at: Advance & { kind: 'event' }, from: bigint, bytes: bigint): VmState {
    const symbol = symbolAt(program, from);
    if (symbol?.owned !== true || from % 8n !== 0n || bytes <= 0n || bytes % 8n !== 0n) {
      throw stop(at, 'shared() needs whole words of an object of file scope');
    }
    const to = from + bytes;
    const known = at.state.objects.get(symbol.key);
    for (let word = from; word < to; word += 8n) {
      memory.set(nextWord + word - from, wordOf(known, Number(word - symbol.address)));
    }
    const part: SharedPart = { from, to, physical: nextWord };
    nextWord += bytes;
    environment = { ...environment, shared: [...environment.shared, part] };
    return { ...at.state, shared: [...at.state.shared, { from, to }] };
  }

  /** What `setup()` says about the guest; `null` for any other call. */
  function declared({ event }: Advance & { kind: 'event' }): Answer | null {
    if (event.kind !== 'call') return null;
    const [first = 0n, second = 0n, third = 0n] = event.arguments;
    if (event.name === 'guest_page') {
      pages.push({ ipa: first, page: second });
      return { values: [] };
    }
    if (event.name === 'shared_word') {
      const word = nextWord;
      nextWord += 8n;
      memory.set(word, first);
      return { values: [environment.linearBase + word] };
    }
    if (event.name === '__tlbgate_entered') {
      entered = first - environment.linearBase;
      return { values: [] };
    }
    if (event.name === '__tlbgate_vm') {
      guest = { vmid: Number(first), root: second, control: third };
      return { values: [] };
    }
    return null;
  }

  function answerTo(effect: EffectBody): MachineAnswer | string {
    switch (effect.kind) {
      case 'alloc-page': {
        const page = nextPage;
        nextPage += environment.pageBytes;
        return { kind: 'value', value: page };
      }
      case 'load':
        return { kind: 'value', value: memory.get(known(effect.at.address)) ?? 0n };
      case 'store':
        if (effect.bytes !== 8) return 'setup() writes a part of a word outside of the tables';
        memory.set(known(effect.at.address), known(effect.data));
        return { kind: 'done' };
      case 'announce':
        return effect.fact.kind === 'check-failed'
          ? `a ${effect.fact.check} holds here`
          : HOST_ONLY;
      case 'choose':
        return HOST_ONLY;
      default:
        return { kind: 'done' };
    }
  }

  function run(first: Advance): void {
    let at = first;
    while (at.kind === 'event') {
      const said = declared(at);
      if (said !== null) {
        at = advance(program, at.state, said);
        continue;
      }
      if (at.event.kind === 'call' && at.event.name === 'shared') {
        const [from = 0n, bytes = 0n] = at.event.arguments;
        at = advance(program, share(at, from, bytes), { values: [] });
        continue;
      }
      let reaction: Reaction = react(program, at.event, environment, state);
      while (reaction.kind === 'ask') {
        const given = answerTo(reaction.effect);
        if (typeof given === 'string') throw stop(at, given);
        reaction = reaction.resume(given);
      }
      if (reaction.kind === 'stop') throw stop(at, reaction.message);
      state = reaction.state;
      at = advance(program, at.state, reaction.answer);
    }
    if (at.kind === 'stopped') {
      const { file, line, column, message } = at.diagnostic;
      const calling = at.stack.map((entry) => entry.function).join(' < ');
      throw new FrontendError(file, line, column, `${message} (setup: ${calling})`);
    }
    vm = at.state;
  }

  // What is run here is not under test: nothing of it counts as executed.
  const reached = new Map(program.reached);
  const read = new Map([...program.read].map(([key, bytes]) => [key, bytes.slice()]));
  program.reached.clear();
  try {
    for (const { name, arguments: values } of calls) {
      run(
        vm === null
          ? startThread(program, 0, name, values)
          : continueThread(program, 0, name, values, vm),
      );
    }
  } finally {
    program.reached.clear();
    for (const [code, notes] of reached) program.reached.set(code, notes);
    program.read.clear();
    for (const [key, bytes] of read) program.read.set(key, bytes);
  }
  return { ...finished(vm, state, memory, pages, guest), shared: environment.shared, entered };
}

function finished(
  vm: VmState | null,
  state: RuntimeState,
  outside: ReadonlyMap<bigint, bigint>,
  pages: readonly DeclaredPage[],
  guest: SetupResult['guest'] | null,
): Omit<SetupResult, 'shared' | 'entered'> {
  const fail = (message: string): FrontendError => new FrontendError('<setup>', 0, 0, message);
  if (vm === null || guest === null) throw fail('setup() makes no VM');
  if (state.held.length > 0) throw fail('setup() returns with a lock held');
  return {
    vm,
    memory: new Map([...outside, ...state.written]),
    tables: state.counts,
    structWords: state.structWords,
    pages,
    guest,
  };
}

function known(expression: Expr): bigint {
  const value = evaluate(expression, () => undefined);
  if (value === undefined) throw new RangeError('an operand of setup() is not a constant');
  return value;
}
