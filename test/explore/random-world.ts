import { normalMemAttr } from '../../src/arm64/attributes.ts';
import { pa } from '../../src/arm64/address.ts';
import { DEFAULT_FEATURES, type Features } from '../../src/arm64/features.ts';
import { stage2Geometry } from '../../src/arm64/geometry.ts';
import { encodeStage2 } from '../../src/arm64/stage2-descriptor.ts';
import type { MachineSetup } from '../../src/machine/setup.ts';
import type { Answer, Context, Effect } from '../../src/program/effect.ts';
import { constant } from '../../src/program/expr.ts';
import { generatorThread, type ThreadBody } from '../../src/program/generator-thread.ts';
import type { Random } from '../../src/util/random.ts';
import { bare } from '../machine/small-world.ts';

/**
 * Small random worlds of two table levels: a root, one table, a spare table, two guest pages, a page
 * to allocate. What each PE does is a list of plain operations, in any order, sensible or not; locks
 * may be forgotten and barriers missing. For comparing explorers with each other.
 */
export const VMID = 5;
const ROOT = 0x10000n;
const TABLE = 0x11000n;
const SPARE = 0x12000n;
const FREE = 0x13000n;
const PAGES = [0x20000n, 0x21000n] as const;
/** Both under the first entry of the root. */
const IPAS = [0x1000n, 0x2000n] as const;
const LEAVES = [TABLE + 8n, TABLE + 16n] as const;

/** One operation of a PE; numbers choose among the few objects there are. */
export type Op =
  | {
      readonly kind: 'set-leaf';
      readonly leaf: 0 | 1;
      readonly to: 'zero' | 'a' | 'b' | 'read-only';
    }
  | { readonly kind: 'set-root'; readonly to: 'zero' | 'table' | 'spare' | 'block' }
  | { readonly kind: 'read-leaf'; readonly leaf: 0 | 1 }
  | { readonly kind: 'read-root' }
  | { readonly kind: 'read-page' | 'civac' | 'reuse' | 'relied-on'; readonly page: 0 | 1 }
  | { readonly kind: 'dsb' | 'dsb-st' | 'dsb-nsh' | 'dmb' | 'isb' }
  | { readonly kind: 'ic'; readonly op: 'iallu' | 'ialluis' }
  | { readonly kind: 'tlbi'; readonly op: string; readonly page: 0 | 1 }
  | { readonly kind: 'lock' | 'unlock'; readonly lock: 0 | 1 }
  | { readonly kind: 'free-table' | 'alloc-table' | 'enter' | 'leave' | 'choose' }
  | { readonly kind: 'vmid'; readonly vmid: 0 | typeof VMID }
  | { readonly kind: 'returns'; readonly removes: 'translations' | 'write-permission' }
  | {
      readonly kind: 'guest';
      readonly access: 'read' | 'write' | 'execute';
      readonly page: 0 | 1;
      readonly value: number;
      readonly wanted: boolean;
    };

/** A world as plain data. */
export interface RandomWorld {
  readonly fwb: boolean;
  readonly ets: Features['ets'];
  readonly fillOutOfContext: boolean;
  readonly erratumRepeatTlbi: boolean;
  readonly dataCache: 'modelled' | 'coherent';
  readonly instructionCache: boolean;
  readonly window: number;
  readonly hosts: readonly (readonly Op[])[];
  readonly guests: readonly (readonly Op[])[];
}

const bit = (random: Random): 0 | 1 => (random.below(2) === 0 ? 0 : 1);

function pick<T>(random: Random, of: readonly [T, ...T[]]): T {
  return of[random.below(of.length)] ?? of[0];
}

function tlbiOp(random: Random): Op {
  const op = pick(random, [
    'IPAS2E1IS',
    'IPAS2E1IS',
    'IPAS2LE1IS',
    'VMALLE1IS',
    'VMALLE1IS',
    'VMALLS12E1IS',
    'VMALLE1',
    'VAAE1IS',
  ]);
  return { kind: 'tlbi', op, page: bit(random) };
}

function hostOp(random: Random): Op {
  switch (random.below(20)) {
    case 0:
    case 1:
      return { kind: 'set-leaf', leaf: bit(random), to: 'zero' };
    case 2:
      return { kind: 'set-leaf', leaf: bit(random), to: pick(random, ['a', 'b', 'read-only']) };
    case 3:
      return { kind: 'set-root', to: pick(random, ['zero', 'table', 'spare', 'block']) };
    case 4:
      return { kind: 'read-leaf', leaf: bit(random) };
    case 5:
      return { kind: pick(random, ['read-root', 'choose']) };
    case 6:
    case 7:
      return {
        kind: pick(random, ['read-page', 'civac', 'reuse', 'relied-on']),
        page: bit(random),
      };
    case 8:
    case 9:
    case 10:
      return { kind: pick(random, ['dsb', 'dsb', 'dsb-st', 'dsb-nsh', 'dmb', 'isb']) };
    case 11:
    case 12:
    case 13:
      return tlbiOp(random);
    case 14:
    case 15:
      return { kind: pick(random, ['lock', 'unlock']), lock: random.below(4) === 0 ? 1 : 0 };
    case 16:
      if (random.below(3) === 0) return { kind: 'ic', op: pick(random, ['iallu', 'ialluis']) };
      return { kind: pick(random, ['free-table', 'alloc-table']) };
    case 17:
      return { kind: pick(random, ['enter', 'leave']) };
    case 18:
      return { kind: 'vmid', vmid: pick(random, [0, VMID]) };
    default:
      return { kind: 'returns', removes: pick(random, ['translations', 'write-permission']) };
  }
}

function guestOp(random: Random): Op {
  if (random.below(6) > 0) {
    return {
      kind: 'guest',
      access: pick(random, ['read', 'write', 'write', 'execute']),
      page: random.below(4) === 0 ? 1 : 0,
      value: 1 + random.below(3),
      wanted: random.below(2) === 0,
    };
  }
  return random.below(2) === 0 ? tlbiOp(random) : { kind: pick(random, ['dsb', 'dmb', 'isb']) };
}

function list(random: Random, most: number, op: (random: Random) => Op): Op[] {
  return Array.from({ length: 1 + random.below(most) }, () => op(random));
}

/** Takes the lock at the front and gives it back at the end, as host code that means well does. */
function locked(ops: readonly Op[]): readonly Op[] {
  const inside = ops.filter((op) => op.kind !== 'lock' && op.kind !== 'unlock');
  return [{ kind: 'lock', lock: 0 }, ...inside, { kind: 'unlock', lock: 0 }];
}

/** Nobody releases a lock he does not hold, or takes one he holds: that is nobody's bug of interest. */
export function wellLocked(ops: readonly Op[]): readonly Op[] {
  const held = new Set<number>();
  return ops.filter((op) => {
    if (op.kind === 'unlock') return held.delete(op.lock);
    if (op.kind !== 'lock') return true;
    if (held.has(op.lock)) return false;
    held.add(op.lock);
    return true;
  });
}

/** A random world. */
export function randomWorld(random: Random): RandomWorld {
  const hosts = random.below(3) === 0 ? 2 : 1;
  const guests = random.below(3) === 0 || hosts === 2 ? 1 : 2;
  const most = hosts === 2 ? 5 : 8;
  const careful = random.below(2) === 0;
  return {
    fwb: random.below(2) === 0,
    ets: pick(random, ['none', 'ets2', 'ets3']),
    fillOutOfContext: random.below(4) > 0,
    erratumRepeatTlbi: random.below(6) === 0,
    dataCache: pick(random, ['modelled', 'coherent']),
    instructionCache: random.below(4) === 0,
    window: pick(random, [2, 4, 8]),
    hosts: Array.from({ length: hosts }, () => {
      const ops = list(random, most, hostOp);
      return careful ? locked(ops) : wellLocked(ops);
    }),
    guests: Array.from({ length: guests }, () => list(random, 3, guestOp)),
  };
}

const features = (world: RandomWorld): Features => ({
  ...DEFAULT_FEATURES,
  fwb: world.fwb,
  ets: world.ets,
  readingFillOutOfContext: world.fillOutOfContext,
  erratumRepeatTlbi: world.erratumRepeatTlbi,
});

function leafBits(output: bigint, fwb: boolean, level: 2 | 3, write: boolean): bigint {
  const all: Features = { ...DEFAULT_FEATURES, fwb };
  return encodeStage2(
    {
      kind: level === 3 ? 'page' : 'block',
      output: pa(output),
      memAttr: normalMemAttr(fwb),
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
    level,
    '4k',
    all,
  );
}

function tableBits(next: bigint, fwb: boolean): bigint {
  const all: Features = { ...DEFAULT_FEATURES, fwb };
  return encodeStage2({ kind: 'table', next: pa(next), rest: 0n }, 2, '4k', all);
}

const physical = (address: bigint) => ({ kind: 'physical', address: constant(address) }) as const;

function store(address: bigint, value: bigint): Effect {
  const data = constant(value);
  const at = physical(address);
  return bare({
    kind: 'store',
    at,
    bytes: 8,
    data,
    order: 'plain',
    exclusive: false,
    wanted: false,
  });
}

function load(address: bigint): Effect {
  const at = physical(address);
  return bare({ kind: 'load', at, bytes: 8, order: 'plain', exclusive: false, wanted: true });
}

function guestAccess(op: Op & { kind: 'guest' }): Effect {
  const { wanted } = op;
  const at = { kind: 'virtual', address: constant(IPAS[op.page]), unprivileged: false } as const;
  switch (op.access) {
    case 'read':
      return bare({ kind: 'load', at, bytes: 8, order: 'plain', exclusive: false, wanted });
    case 'write': {
      const data = constant(BigInt(op.value));
      return bare({ kind: 'store', at, bytes: 8, data, order: 'plain', exclusive: false, wanted });
    }
    case 'execute':
      return bare({ kind: 'fetch', at, wanted });
  }
}

function effectOf(op: Op, fwb: boolean): Effect {
  switch (op.kind) {
    case 'set-leaf': {
      const bits = {
        zero: 0n,
        a: leafBits(PAGES[0], fwb, 3, true),
        b: leafBits(PAGES[1], fwb, 3, true),
        'read-only': leafBits(PAGES[op.leaf], fwb, 3, false),
      };
      return store(LEAVES[op.leaf], bits[op.to]);
    }
    case 'set-root': {
      const bits = {
        zero: 0n,
        table: tableBits(TABLE, fwb),
        spare: tableBits(SPARE, fwb),
        block: leafBits(0n, fwb, 2, true),
      };
      return store(ROOT, bits[op.to]);
    }
    case 'read-leaf':
      return load(LEAVES[op.leaf]);
    case 'read-root':
      return load(ROOT);
    case 'read-page':
      return load(PAGES[op.page]);
    case 'civac':
      return bare({ kind: 'dc', op: 'civac', at: physical(PAGES[op.page]) });
    case 'reuse':
      return bare({ kind: 'announce', fact: { kind: 'page-reused', page: PAGES[op.page] } });
    case 'relied-on':
      return bare({ kind: 'announce', fact: { kind: 'content-relied-on', page: PAGES[op.page] } });
    case 'dsb':
      return bare({ kind: 'dsb', limit: 'full', domain: 'ish', nXS: false });
    case 'dsb-st':
      return bare({ kind: 'dsb', limit: 'st', domain: 'ish', nXS: false });
    case 'dsb-nsh':
      return bare({ kind: 'dsb', limit: 'full', domain: 'nsh', nXS: false });
    case 'dmb':
      return bare({ kind: 'dmb', limit: 'full' });
    case 'isb':
      return bare({ kind: 'isb' });
    case 'tlbi': {
      const byAddress = op.op.startsWith('IPA') || op.op.startsWith('VA');
      const operand = constant(byAddress ? IPAS[op.page] >> 12n : 0n);
      return bare({ kind: 'tlbi', op: op.op, operand, intendedVmid: VMID });
    }
    case 'ic':
      return bare({ kind: 'ic', op: op.op });
    case 'lock':
      return bare({ kind: 'lock', lock: op.lock });
    case 'unlock':
      return bare({ kind: 'unlock', lock: op.lock });
    case 'free-table':
      return bare({ kind: 'free-page', page: TABLE });
    case 'alloc-table':
      return bare({ kind: 'alloc-page', use: 'table' });
    case 'enter':
      return bare({ kind: 'exception-entry', toEl: 2 });
    case 'leave':
      return bare({ kind: 'exception-return', toEl: 1 });
    case 'choose':
      return bare({ kind: 'choose', options: 2 });
    case 'vmid':
      return bare({ kind: 'context', change: { vmid: op.vmid } });
    case 'returns': {
      const fact = {
        kind: 'operation-returns',
        name: 'op',
        vmid: VMID,
        pages: IPAS,
        removes: op.removes,
      } as const;
      return bare({ kind: 'announce', fact });
    }
    case 'guest':
      return guestAccess(op);
  }
}

function body(ops: readonly Op[], fwb: boolean): ThreadBody {
  return function* (): Generator<Effect, 'ends' | 'repeats', Answer> {
    for (const op of ops) yield effectOf(op, fwb);
    return 'ends';
  };
}

const GUEST: Context = {
  el: 1,
  vmid: VMID,
  asid: 0,
  stage1: null,
  stage2: { root: ROOT, hardwareUpdate: 'none' },
};

function usesSecondLock({ hosts }: RandomWorld): boolean {
  return hosts.flat().some((op) => (op.kind === 'lock' || op.kind === 'unlock') && op.lock === 1);
}

/** The machine setup of a world. */
export function setupOf(world: RandomWorld): MachineSetup {
  const { fwb } = world;
  return {
    threads: [
      ...world.hosts.map((ops, i) => ({
        tree: generatorThread(`host${i}`, body(ops, fwb)),
        context: { ...GUEST, el: 2 as const },
      })),
      ...world.guests.map((ops, i) => ({
        tree: generatorThread(`vcpu${i}`, body(ops, fwb)),
        context: GUEST,
      })),
    ],
    translation: {
      features: features(world),
      stage1: null,
      stage2: stage2Geometry('4k', 30, 2),
      mair: 0n,
    },
    memory: [
      { address: ROOT, value: tableBits(TABLE, fwb) },
      { address: LEAVES[0], value: leafBits(PAGES[0], fwb, 3, true) },
      { address: LEAVES[1], value: leafBits(PAGES[1], fwb, 3, true) },
    ],
    pages: [
      { base: ROOT, use: 'table', vmid: VMID, name: 'root' },
      { base: TABLE, use: 'table', vmid: VMID, name: 'table' },
      { base: SPARE, use: 'table', vmid: VMID, name: 'spare table' },
      { base: FREE, use: 'free', vmid: null, name: 'free page' },
      { base: PAGES[0], use: 'guest', vmid: VMID, name: 'A' },
      { base: PAGES[1], use: 'guest', vmid: VMID, name: 'B' },
    ],
    // Reads under a lock are only reduced where there is one lock.
    locks: usesSecondLock(world) ? ['mmu_lock', 'other lock'] : ['mmu_lock'],
    watchedVas: IPAS,
    dataCache: world.dataCache,
    ...(world.instructionCache ? { instructionCache: 'modelled' as const } : {}),
    bounds: { window: world.window },
  };
}
