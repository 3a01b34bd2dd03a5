import { ipa as toIpa, pa as toPa, type Ipa } from '../arm64/address.ts';
import type { Features } from '../arm64/features.ts';
import {
  descriptorAddress,
  levelBytes,
  levelShift,
  stage1Geometry,
  type Geometry,
} from '../arm64/geometry.ts';
import { bitsPerLevel } from '../arm64/granule.ts';
import { encodeStage1 } from '../arm64/stage1-descriptor.ts';
import type { Context, StageControl } from '../program/effect.ts';

/** Memory type a guest asks for in its stage 1. */
export type GuestAttribute = 'cacheable' | 'non-cacheable' | 'device';

/** MAIR_EL1 of every guest: 0 Write-Back, 1 Non-cacheable, 2 Device-nGnRE. */
export const GUEST_MAIR = 0x04_44_ffn;

const ATTR_INDEX: { readonly [attribute in GuestAttribute]: number } = {
  cacheable: 0,
  'non-cacheable': 1,
  device: 2,
};

/** How a guest sees its memory: through which context, and at which addresses. */
export interface GuestView {
  /** Stage 1 of the vCPU; null: its MMU is off, so data accesses are Device and VAs are IPAs. */
  readonly stage1: StageControl | null;
  /** Shape of the stage-1 tree, for the machine; null when the MMU is off. */
  readonly geometry: Geometry | null;
  /** Where an IPA is seen. */
  readonly vaOf: (ipa: bigint) => bigint;
  /** The stage-1 tables in physical memory. */
  readonly words: readonly { readonly address: bigint; readonly value: bigint }[];
}

/** The view of a guest with its MMU off. */
export const MMU_OFF: GuestView = {
  stage1: null,
  geometry: null,
  vaOf: (ipa) => ipa,
  words: [],
};

/** A page the guest uses for its own tables. */
export interface TablePlace {
  readonly ipa: bigint;
  readonly page: bigint;
}

/** What a small stage 1 looks like. */
export interface Stage1Options {
  readonly features: Features;
  /** The IPAs that are mapped, with the type asked for. */
  readonly mappings: readonly { readonly ipa: bigint; readonly attribute: GuestAttribute }[];
  /** `block`: one table of level-2 blocks; `page`: a level-2 root and one level-3 table per region. */
  readonly leaf: 'block' | 'page';
  /** Pages for the tables: 1 for blocks; 1 and one per region for pages. */
  readonly places: readonly TablePlace[];
  /** nG: the entries belong to the current ASID. */
  readonly nonGlobal?: boolean;
}

/**
 * A real stage 1 in guest memory, as small as can be: a root at level 2. The IPA regions of the size
 * of a level-2 block that hold a mapping are seen at consecutive VAs from 0; with blocks, all
 * mappings of one region share one type.
 */
export function smallStage1(options: Stage1Options): GuestView {
  const { features, leaf, places } = options;
  const { granule } = features;
  const geometry = stage1Geometry(granule, levelShift(granule, 2) + bitsPerLevel(granule));
  const block = levelBytes(granule, 2);
  const regions = [...new Set(options.mappings.map(({ ipa }) => ipa / block))];
  const vaOf = (ipa: bigint): bigint => {
    const region = regions.indexOf(ipa / block);
    if (region < 0) throw new RangeError(`the guest does not map IPA 0x${ipa.toString(16)}`);
    return BigInt(region) * block + (ipa % block);
  };
  const root = placeAt(places, 0);
  const words = new Map<bigint, bigint>();
  const cellIn = (table: TablePlace, va: bigint, level: 2 | 3): bigint =>
    descriptorAddress(geometry, toPa(table.page), va, level);

  for (const { ipa, attribute } of options.mappings) {
    const va = vaOf(ipa);
    if (leaf === 'block') {
      const value = leafBits(options, 2, ipa - (ipa % block), attribute);
      const cell = cellIn(root, va, 2);
      if ((words.get(cell) ?? value) !== value) {
        throw new RangeError('two types are asked for in one block');
      }
      words.set(cell, value);
    } else {
      const table = placeAt(places, 1 + regions.indexOf(ipa / block));
      words.set(cellIn(root, va, 2), tableBits(features, toIpa(table.ipa)));
      words.set(cellIn(table, va, 3), leafBits(options, 3, ipa, attribute));
    }
  }
  return {
    stage1: { root: root.ipa, hardwareUpdate: features.s1Hafdbs },
    geometry,
    vaOf,
    words: [...words].map(([address, value]) => ({ address, value })),
  };
}

function placeAt(places: readonly TablePlace[], index: number): TablePlace {
  const place = places[index];
  if (place === undefined) throw new RangeError(`stage 1 needs a table page number ${index}`);
  return place;
}

function tableBits(features: Features, next: Ipa): bigint {
  return encodeStage1(
    { kind: 'table', next, noEl0: false, readOnly: false, uxn: false, pxn: false, rest: 0n },
    2,
    features.granule,
    features,
  );
}

function leafBits(
  options: Stage1Options,
  level: 2 | 3,
  output: bigint,
  attribute: GuestAttribute,
): bigint {
  return encodeStage1(
    {
      kind: level === 3 ? 'page' : 'block',
      output: toIpa(output),
      attrIndx: ATTR_INDEX[attribute],
      el0: false,
      readOnly: false,
      sh: 0b11,
      af: true,
      ng: options.nonGlobal ?? false,
      nt: false,
      dbm: false,
      contiguous: false,
      pxn: false,
      uxn: false,
      software: 0,
      rest: 0n,
    },
    level,
    options.features.granule,
    options.features,
  );
}

/** The context of a vCPU: EL1 of its VM, through its view. */
export function guestContext(
  view: GuestView,
  vm: { readonly vmid: number; readonly root: bigint },
  features: Features,
  asid = 0,
): Context {
  return {
    el: 1,
    vmid: vm.vmid,
    asid,
    stage1: view.stage1,
    stage2: { root: vm.root, hardwareUpdate: features.s2Hafdbs },
  };
}
