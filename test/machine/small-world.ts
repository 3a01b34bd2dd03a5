import { normalMemAttr } from '../../src/arm64/attributes.ts';
import { pa } from '../../src/arm64/address.ts';
import { DEFAULT_FEATURES, type Features } from '../../src/arm64/features.ts';
import { stage2Geometry } from '../../src/arm64/geometry.ts';
import { encodeStage2 } from '../../src/arm64/stage2-descriptor.ts';
import type { MachineSetup } from '../../src/machine/setup.ts';
import type { Answer, Context, Effect, EffectBody } from '../../src/program/effect.ts';
import { constant } from '../../src/program/expr.ts';
import { generatorThread, type ThreadBody } from '../../src/program/generator-thread.ts';

/** The smallest honest stage-2 world: one root table at level 3, pages of 4 KiB, stage 1 off. */
export const ROOT = 0x10000n;
export const PAGE_A = 0x20000n;
export const PAGE_B = 0x21000n;
export const IPA_A = 0x1000n;
export const IPA_B = 0x2000n;
export const VMID = 5;

export const cellOf = (ipa: bigint): bigint => ROOT + (ipa >> 12n) * 8n;

export function pageDescriptor(output: bigint, features: Features, write = true): bigint {
  return encodeStage2(
    {
      kind: 'page',
      output: pa(output),
      memAttr: normalMemAttr(features.fwb),
      read: true,
      write,
      sh: 3,
      af: true,
      fnxs: false,
      nt: false,
      dbm: false,
      contiguous: false,
      xn: 0,
      software: 0,
      rest: 0n,
    },
    3,
    '4k',
    features,
  );
}

export const guestContext: Context = {
  el: 1,
  vmid: VMID,
  asid: 0,
  stage1: null,
  stage2: { root: ROOT, hardwareUpdate: 'none' },
};

export const hostContext: Context = { ...guestContext, el: 2 };

/** An effect without a story. */
export function bare(body: EffectBody): Effect {
  return {
    ...body,
    location: { file: 'test', line: 0, function: 'test', text: body.kind },
  };
}

export const guestLoad = (va: bigint, wanted = true): Effect =>
  bare({
    kind: 'load',
    at: { kind: 'virtual', address: constant(va), unprivileged: false },
    bytes: 8,
    order: 'plain',
    exclusive: false,
    wanted,
  });

export const guestStore = (va: bigint, value: bigint, wanted = true): Effect =>
  bare({
    kind: 'store',
    at: { kind: 'virtual', address: constant(va), unprivileged: false },
    bytes: 8,
    data: constant(value),
    order: 'plain',
    exclusive: false,
    wanted,
  });

export const hostStore = (address: bigint, value: bigint): Effect =>
  bare({
    kind: 'store',
    at: { kind: 'physical', address: constant(address) },
    bytes: 8,
    data: constant(value),
    order: 'plain',
    exclusive: false,
    wanted: false,
  });

export const hostLoad = (address: bigint): Effect =>
  bare({
    kind: 'load',
    at: { kind: 'physical', address: constant(address) },
    bytes: 8,
    order: 'plain',
    exclusive: false,
    wanted: true,
  });

export const dsb = (limit: 'full' | 'st' = 'full', domain: 'ish' | 'nsh' | 'sy' = 'ish'): Effect =>
  bare({ kind: 'dsb', limit, domain, nXS: false });

export const isb = (): Effect => bare({ kind: 'isb' });

export const tlbi = (op: string, operand = 0n): Effect =>
  bare({ kind: 'tlbi', op, operand: constant(operand), intendedVmid: VMID });

export const civac = (address: bigint): Effect => dc('civac', address);

export const dc = (op: 'civac' | 'cvac' | 'ivac', address: bigint): Effect =>
  bare({ kind: 'dc', op, at: { kind: 'physical', address: constant(address) } });

export const returns = (pages: readonly bigint[]): Effect =>
  bare({
    kind: 'announce',
    fact: { kind: 'operation-returns', name: 'unmap', vmid: VMID, pages },
  });

/** A host that performs a fixed list of effects. */
export function straight(effects: readonly Effect[]): ThreadBody {
  return function* () {
    for (const effect of effects) yield effect;
    return 'ends';
  };
}

/** A guest that does one access, for ever, and does not care for faults. */
export function forEver(...effects: readonly Effect[]): ThreadBody {
  return function* (): Generator<Effect, 'ends' | 'repeats', Answer> {
    const choice = yield bare({ kind: 'choose', options: effects.length });
    const effect = effects[choice.kind === 'value' ? Number(choice.value) : 0];
    if (effect !== undefined) yield effect;
    return 'repeats';
  };
}

export function smallWorld(options: {
  readonly features?: Partial<Features>;
  readonly host: ThreadBody;
  readonly guests: readonly ThreadBody[];
}): MachineSetup {
  const features: Features = { ...DEFAULT_FEATURES, ...options.features };
  return {
    threads: [
      { tree: generatorThread('host', options.host), context: hostContext },
      ...options.guests.map((body, i) => ({
        tree: generatorThread(`vcpu${i}`, body),
        context: guestContext,
      })),
    ],
    translation: { features, stage1: null, stage2: stage2Geometry('4k', 21, 3), mair: 0n },
    memory: [
      { address: cellOf(IPA_A), value: pageDescriptor(PAGE_A, features) },
      { address: cellOf(IPA_B), value: pageDescriptor(PAGE_B, features) },
    ],
    pages: [
      { base: ROOT, use: 'table', vmid: VMID, name: 'root' },
      { base: PAGE_A, use: 'guest', vmid: VMID, name: 'A' },
      { base: PAGE_B, use: 'guest', vmid: VMID, name: 'B' },
    ],
    locks: [],
    watchedVas: [IPA_A, IPA_B],
    dataCache: 'modelled',
    bounds: { window: 8 },
  };
}
