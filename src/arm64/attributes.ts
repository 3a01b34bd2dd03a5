import { never } from '../util/never.ts';
import type { Features } from './features.ts';

/**
 * Device memory, strictest first: G/nG gathering, R/nR reordering, E/nE early write
 * acknowledgement. The index is the two-bit encoding in MAIR and MemAttr.
 */
export const DEVICE_KINDS = ['nGnRnE', 'nGnRE', 'nGRE', 'GRE'] as const;

/** One of the four Device types. */
export type DeviceKind = (typeof DEVICE_KINDS)[number];

/** Cacheability of Normal memory: Non-cacheable, Write-Through, Write-Back. Hints are not kept. */
export type Cacheability = 'nc' | 'wt' | 'wb';

/** Shareability domain of an access: Non-, Inner or Outer Shareable. */
export type Shareability = 'nsh' | 'ish' | 'osh';

/** The memory type an access ends up with, or that one stage asks for. */
export type MemoryType =
  | {
      readonly kind: 'normal';
      readonly inner: Cacheability;
      readonly outer: Cacheability;
      readonly shareability: Shareability;
      /** XS attribute (FEAT_XS): an nXS TLBI or DSB does not wait for this access. */
      readonly xs: boolean;
    }
  | {
      readonly kind: 'device';
      readonly device: DeviceKind;
      /** Device memory is always Outer Shareable. */
      readonly shareability: 'osh';
      readonly xs: boolean;
    };

/** An encoding that the architecture reserves: what a PE does with it is not predictable. */
export interface ReservedMemoryType {
  readonly kind: 'reserved';
}

const RESERVED: ReservedMemoryType = { kind: 'reserved' };

/** Makes a Device type. */
export function device(kind: DeviceKind, xs = true): MemoryType {
  return { kind: 'device', device: kind, shareability: 'osh', xs };
}

/**
 * Makes a Normal type. Memory that is Non-cacheable in both is treated as Outer Shareable whatever
 * was asked, because no cache has to be kept coherent for it.
 */
export function normal(
  inner: Cacheability,
  outer: Cacheability,
  shareability: Shareability,
  xs = !(inner === 'wb' && outer === 'wb'),
): MemoryType {
  const effective = inner === 'nc' && outer === 'nc' ? 'osh' : shareability;
  return { kind: 'normal', inner, outer, shareability: effective, xs };
}

/** Decodes SH[1:0]. The reserved value 0b01 is given as Non-shareable, one permitted behaviour. */
export function decodeShareability(sh: number): Shareability {
  switch (sh) {
    case 0b10:
      return 'osh';
    case 0b11:
      return 'ish';
    default:
      return 'nsh';
  }
}

function deviceKind(encoding: number): DeviceKind {
  const kind = DEVICE_KINDS[encoding];
  if (kind === undefined) throw new RangeError(`no Device type has the encoding ${encoding}`);
  return kind;
}

/** One half of a MAIR byte for Normal memory: 0b00RW and 0b10RW Write-Through, 0b01RW and 0b11RW WB. */
function mairHalf(half: number): Cacheability | null {
  if (half === 0b0000) return null;
  if (half === 0b0100) return 'nc';
  return (half & 0b0100) === 0 ? 'wt' : 'wb';
}

/**
 * Decodes one byte of MAIR_ELx together with the SH field of the leaf (or of TCR_ELx under LPA2).
 * Allocation and transient hints are dropped, Tagged memory counts as Write-Back.
 */
export function decodeMair(
  attr: number,
  sh: number,
  features: Features,
): MemoryType | ReservedMemoryType {
  const shareability = decodeShareability(sh);
  const outer = attr >> 4;
  const inner = attr & 0b1111;
  if (outer === 0) {
    // 0b0000dd00 is Device; 0b0000dd01 the same with XS = 0; bit 1 set is reserved.
    if ((inner & 0b10) !== 0 || ((inner & 1) === 1 && !features.xs)) return RESERVED;
    return device(deviceKind(inner >> 2), (inner & 1) === 0);
  }
  if (inner === 0) {
    if (attr === 0b1111_0000) return normal('wb', 'wb', shareability, false);
    if (features.xs && attr === 0b0100_0000) return normal('nc', 'nc', shareability, false);
    if (features.xs && attr === 0b1010_0000) return normal('wt', 'wt', shareability, false);
    return RESERVED;
  }
  const outerCacheability = mairHalf(outer);
  const innerCacheability = mairHalf(inner);
  if (outerCacheability === null || innerCacheability === null) return RESERVED;
  return normal(innerCacheability, outerCacheability, shareability);
}

/** State of the registers that decide what stage 1 gives while it is off. */
export interface Stage1Off {
  /** HCR_EL2.DC: stage 1 off means Normal Write-Back instead of Device. */
  readonly dc: boolean;
  /** The access is an instruction fetch. */
  readonly fetch: boolean;
  /** SCTLR_ELx.I: instruction fetches are cacheable; no effect on data accesses. */
  readonly icacheOn: boolean;
}

/** What stage 1 asks for while its MMU is off (Arm ARM pseudocode, output of disabled stage 1). */
export function stage1OffType({ dc, fetch, icacheOn }: Stage1Off): MemoryType {
  if (dc) return normal('wb', 'wb', 'nsh');
  if (!fetch) return device('nGnRnE');
  return icacheOn ? normal('wt', 'wt', 'osh') : normal('nc', 'nc', 'osh');
}

/** What a stage-2 MemAttr asks for. */
export type Stage2MemAttr =
  /** Device, combined with stage 1: with and without FWB the stricter Device type wins. */
  | { readonly kind: 'device'; readonly device: DeviceKind }
  /** Normal, combined with stage 1; with FWB only as Non-cacheable. */
  | { readonly kind: 'normal'; readonly inner: Cacheability; readonly outer: Cacheability }
  /** With FWB: Normal Write-Back whatever stage 1 says, Device included. */
  | { readonly kind: 'force-wb' }
  /** With FWB: what stage 1 says. */
  | { readonly kind: 'stage1' }
  | ReservedMemoryType;

/** Cacheability encoded in two bits of a stage-2 MemAttr without FWB; 0b00 is not one. */
function stage2Cacheability(encoding: number): Cacheability | null {
  switch (encoding) {
    case 0b01:
      return 'nc';
    case 0b10:
      return 'wt';
    case 0b11:
      return 'wb';
    default:
      return null;
  }
}

/**
 * Decodes stage-2 MemAttr[3:0] (descriptor bits 5:2).
 *
 * Without FWB: 0b00dd is Device, otherwise [3:2] is the outer and [1:0] the inner cacheability.
 * With FWB: [3] is RES0 (FEAT_MTE_PERM is not covered) and [2], descriptor bit 4, chooses the
 * table: 0b0dd is Device, 0b101 Normal Non-cacheable, 0b110 Normal Write-Back, 0b111 stage 1.
 */
export function decodeStage2MemAttr(memAttr: number, fwb: boolean): Stage2MemAttr {
  const low = memAttr & 0b11;
  if (fwb) {
    if ((memAttr & 0b1000) !== 0) return RESERVED;
    if ((memAttr & 0b0100) === 0) return { kind: 'device', device: deviceKind(low) };
    switch (low) {
      case 0b01:
        return { kind: 'normal', inner: 'nc', outer: 'nc' };
      case 0b10:
        return { kind: 'force-wb' };
      case 0b11:
        return { kind: 'stage1' };
      default:
        return RESERVED;
    }
  }
  if (memAttr >> 2 === 0) return { kind: 'device', device: deviceKind(low) };
  const outer = stage2Cacheability(memAttr >> 2);
  const inner = stage2Cacheability(low);
  if (outer === null || inner === null) return RESERVED;
  return { kind: 'normal', inner, outer };
}

/** The MemAttr a hypervisor gives to RAM: Write-Back, forced where FWB allows it. */
export function normalMemAttr(fwb: boolean): number {
  return fwb ? 0b0110 : 0b1111;
}

/** The MemAttr for Device-nGnRE, the type a hypervisor gives to a passed-through device. */
export const DEVICE_NGNRE_MEM_ATTR = 0b0001;

/** The MemAttr for Normal Non-cacheable, with and without FWB. */
export const NORMAL_NC_MEM_ATTR = 0b0101;

/** The fields of a stage-2 leaf that decide the memory type. */
export interface Stage2Attributes {
  readonly memAttr: number;
  /** SH[1:0] of the leaf, or VTCR_EL2.SH0 under LPA2. */
  readonly sh: number;
  readonly fnxs: boolean;
}

function weaker(a: Cacheability, b: Cacheability): Cacheability {
  if (a === 'nc' || b === 'nc') return 'nc';
  return a === 'wt' || b === 'wt' ? 'wt' : 'wb';
}

function wider(a: Shareability, b: Shareability): Shareability {
  if (a === 'osh' || b === 'osh') return 'osh';
  return a === 'ish' || b === 'ish' ? 'ish' : 'nsh';
}

function stricter(a: DeviceKind, b: DeviceKind): DeviceKind {
  return deviceKind(Math.min(DEVICE_KINDS.indexOf(a), DEVICE_KINDS.indexOf(b)));
}

/**
 * The memory type of an access under both stages (Arm ARM, combining stage-1 and stage-2 memory type
 * attributes, and the pseudocode AArch64.S2ApplyFWBMemAttrs for FWB).
 *
 * Without FWB the stricter wins: Device over Normal, the stricter Device type, the weaker
 * cacheability, the wider shareability. With FWB stage 2 overrides in one direction: Device at
 * stage 2 always gives Device; "Write-Back" gives Normal Write-Back even over stage-1 Device;
 * "stage 1" gives stage 1; Non-cacheable gives Non-cacheable unless stage 1 says Device.
 */
export function combineMemoryTypes(
  stage1: MemoryType,
  stage2: Stage2Attributes,
  fwb: boolean,
): MemoryType | ReservedMemoryType {
  const asked = decodeStage2MemAttr(stage2.memAttr, fwb);
  const shareability = wider(stage1.shareability, decodeShareability(stage2.sh));
  const xs = stage1.xs && !stage2.fnxs;
  switch (asked.kind) {
    case 'reserved':
      return asked;
    case 'device':
      return device(
        stage1.kind === 'device' ? stricter(stage1.device, asked.device) : asked.device,
        xs,
      );
    case 'force-wb':
      return normal('wb', 'wb', shareability, false);
    case 'stage1':
      return stage1.kind === 'device'
        ? device(stage1.device, xs)
        : normal(stage1.inner, stage1.outer, shareability, xs);
    case 'normal':
      return stage1.kind === 'device'
        ? device(stage1.device, xs)
        : normal(
            weaker(stage1.inner, asked.inner),
            weaker(stage1.outer, asked.outer),
            shareability,
            xs,
          );
    default:
      return never(asked);
  }
}

/**
 * Whether an access of this type goes past the caches to the point of coherency: Device, and Normal
 * memory that is Non-cacheable in both. The machine has one cache per line, so memory cacheable in
 * either part counts as cached.
 */
export function bypassesCache(type: MemoryType): boolean {
  return type.kind === 'device' || (type.inner === 'nc' && type.outer === 'nc');
}
