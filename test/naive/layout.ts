import { DEFAULT_FEATURES, type Features } from '../../src/arm64/features.ts';
import { ipa, pa as toPa } from '../../src/arm64/address.ts';
import { encodeStage1 } from '../../src/arm64/stage1-descriptor.ts';
import { encodeStage2 } from '../../src/arm64/stage2-descriptor.ts';
import { stage1Geometry, type Level } from '../../src/arm64/geometry.ts';
import type { MachineSetup } from '../../src/machine/setup.ts';
import type { Context, Effect, EffectBody } from '../../src/program/effect.ts';
import { constant } from '../../src/program/expr.ts';
import { generatorThread } from '../../src/program/generator-thread.ts';
import { within } from '../../src/program/source-location.ts';
import type { ThreadTree } from '../../src/program/thread-tree.ts';

const here = within('test', 'thread');

/** An effect of a test thread. */
export function effect(body: EffectBody): Effect {
  return { ...body, location: here(0, body.kind) };
}

const PLAIN = { bytes: 8, order: 'plain', exclusive: false, wanted: false } as const;

const virtual = (va: bigint) =>
  ({ kind: 'virtual', address: constant(va), unprivileged: false }) as const;
const physical = (pa: bigint) => ({ kind: 'physical', address: constant(pa) }) as const;

/** Load through the translation under test. */
export const load = (va: bigint): Effect => effect({ kind: 'load', at: virtual(va), ...PLAIN });
/** Store through the translation under test. */
export const store = (va: bigint, value: bigint): Effect =>
  effect({ kind: 'store', at: virtual(va), data: constant(value), ...PLAIN });
/** Host load at a physical address. */
export const hostLoad = (pa: bigint): Effect =>
  effect({ kind: 'load', at: physical(pa), ...PLAIN });
/** Host store at a physical address. */
export const hostStore = (pa: bigint, value: bigint): Effect =>
  effect({ kind: 'store', at: physical(pa), data: constant(value), ...PLAIN });
export const fetch = (va: bigint): Effect =>
  effect({ kind: 'fetch', at: virtual(va), wanted: false });
export const dmb = (limit: 'full' | 'ld' | 'st' = 'full'): Effect => effect({ kind: 'dmb', limit });
export const dsb = (domain: 'nsh' | 'ish' = 'ish', limit: 'full' | 'ld' | 'st' = 'full'): Effect =>
  effect({ kind: 'dsb', limit, domain, nXS: false });
export const isb = (): Effect => effect({ kind: 'isb' });
export const tlbi = (op: string, operand = 0n): Effect =>
  effect({ kind: 'tlbi', op, operand: constant(operand), intendedVmid: null });
export const dc = (op: 'civac' | 'cvac', pa: bigint): Effect =>
  effect({ kind: 'dc', op, at: physical(pa) });
export const ic = (op: 'iallu' | 'ialluis'): Effect => effect({ kind: 'ic', op });
export const setContext = (change: Partial<Context>): Effect => effect({ kind: 'context', change });

/**
 * A straight-line thread. After a fault it takes the exception and ends (`stop`), or returns behind the
 * access that faulted (`skip`).
 */
export function thread(
  name: string,
  effects: readonly Effect[],
  onFault: 'stop' | 'skip' = 'stop',
): ThreadTree {
  return generatorThread(name, function* () {
    for (const each of effects) {
      const answer = yield each;
      if (answer.kind !== 'fault') continue;
      yield effect({ kind: 'exception-entry', toEl: answer.fault.stage });
      if (onFault === 'stop') return 'ends';
      yield effect({ kind: 'exception-return', toEl: 1 });
    }
    return 'ends';
  });
}

/** The fields of a stage-1 leaf that tests vary. AttrIndx 0 is Write-Back, 1 Non-cacheable. */
export interface LeafOptions {
  readonly level?: Level;
  readonly readOnly?: boolean;
  readonly af?: boolean;
  readonly ng?: boolean;
  /** At stage 1. */
  readonly contiguous?: boolean;
  readonly cacheable?: boolean;
  readonly executable?: boolean;
  readonly fwb?: boolean;
}

/** MAIR for these leaves: byte 0 Normal Write-Back, byte 1 Normal Non-cacheable. */
export const MAIR = 0x44ffn;

export function s1Leaf(output: bigint, options: LeafOptions = {}): bigint {
  const level = options.level ?? 3;
  return encodeStage1(
    {
      kind: level === 3 ? 'page' : 'block',
      output: ipa(output),
      attrIndx: (options.cacheable ?? true) ? 0 : 1,
      el0: false,
      readOnly: options.readOnly ?? false,
      sh: 0b11,
      af: options.af ?? true,
      ng: options.ng ?? true,
      nt: false,
      dbm: false,
      contiguous: options.contiguous ?? false,
      pxn: !(options.executable ?? false),
      uxn: true,
      software: 0,
      rest: 0n,
    },
    level,
    '4k',
    DEFAULT_FEATURES,
  );
}

export function s1Table(next: bigint, level: Level = 2): bigint {
  return encodeStage1(
    {
      kind: 'table',
      next: ipa(next),
      noEl0: false,
      readOnly: false,
      uxn: false,
      pxn: false,
      rest: 0n,
    },
    level,
    '4k',
    DEFAULT_FEATURES,
  );
}

export function s2Leaf(output: bigint, options: LeafOptions = {}): bigint {
  const level = options.level ?? 3;
  return encodeStage2(
    {
      kind: level === 3 ? 'page' : 'block',
      output: toPa(output),
      memAttr: (options.fwb ?? false) ? 0b0110 : (options.cacheable ?? true) ? 0b1111 : 0b0101,
      read: true,
      write: !(options.readOnly ?? false),
      sh: 0b11,
      af: options.af ?? true,
      fnxs: false,
      nt: false,
      dbm: false,
      contiguous: false,
      xn: (options.executable ?? false) ? 0b00 : 0b10,
      software: 0,
      rest: 0n,
    },
    level,
    '4k',
    DEFAULT_FEATURES,
  );
}

export function s2Table(next: bigint, level: Level = 2): bigint {
  const features = DEFAULT_FEATURES;
  return encodeStage2({ kind: 'table', next: toPa(next), rest: 0n }, level, '4k', features);
}

/** Operand of the VA and IPA forms for a page. */
export const page = (address: bigint, asid = 0): bigint => (BigInt(asid) << 48n) | (address >> 12n);

/** A host at EL2 whose registers name this guest. */
export const host = (guest: Context): Context => ({ ...guest, el: 2 });

export function guestContext(
  stage1: bigint | null,
  stage2: bigint | null,
  ids: { vmid?: number; asid?: number } = {},
): Context {
  const control = (root: bigint) => ({ root, hardwareUpdate: 'none' }) as const;
  return {
    el: 1,
    vmid: ids.vmid ?? 1,
    asid: ids.asid ?? 1,
    stage1: stage1 === null ? null : control(stage1),
    stage2: stage2 === null ? null : control(stage2),
  };
}

/** What a test says about its machine; everything else has a default. */
export interface SetupParts {
  readonly threads: readonly (readonly [ThreadTree, Context])[];
  readonly memory: Readonly<Record<string, bigint>> | ReadonlyMap<bigint, bigint>;
  readonly features?: Partial<Features>;
  /** Input address bits: up to 21 start at level 3, up to 30 at level 2, up to 39 at level 1. */
  readonly stage1Bits?: number;
  readonly stage2Bits?: number;
  readonly watchedVas?: readonly bigint[];
  readonly dataCache?: 'modelled' | 'coherent';
  readonly pages?: MachineSetup['pages'];
  readonly locks?: readonly string[];
}

export function setup(parts: SetupParts): MachineSetup {
  const words: readonly (readonly [bigint, bigint])[] =
    parts.memory instanceof Map
      ? [...parts.memory]
      : Object.entries(parts.memory).map(([address, value]) => [BigInt(address), value] as const);
  return {
    threads: parts.threads.map(([tree, context]) => ({ tree, context })),
    translation: {
      features: { ...DEFAULT_FEATURES, ...parts.features },
      stage1: stage1Geometry('4k', parts.stage1Bits ?? 20),
      stage2: { ...stage1Geometry('4k', parts.stage2Bits ?? 20) },
      mair: MAIR,
    },
    memory: words.map(([address, value]) => ({ address, value })),
    pages: parts.pages ?? [],
    locks: parts.locks ?? [],
    watchedVas: parts.watchedVas ?? [],
    dataCache: parts.dataCache ?? 'coherent',
    bounds: { window: 31 },
  };
}
