import { pa } from '../../arm64/address.ts';
import { DEVICE_NGNRE_MEM_ATTR, normalMemAttr } from '../../arm64/attributes.ts';
import type { Features } from '../../arm64/features.ts';
import {
  indexAt,
  levelShift,
  stage2Geometry,
  stage2StartLevels,
  type Geometry,
  type Level,
} from '../../arm64/geometry.ts';
import { DESCRIPTOR_BYTES } from '../../arm64/granule.ts';
import {
  decodeStage2,
  encodeStage2,
  type Stage2Descriptor,
} from '../../arm64/stage2-descriptor.ts';
import type { Kvm } from './kvm.ts';

/**
 * The stage-2 tree of a VM as `kvm_arm_setup_stage2` makes it: the fewest levels that concatenation
 * of up to 16 root tables allows, but at least two (`stage2_pgtable_levels`, reset.c).
 */
export function kvmStage2Geometry(features: Features): Geometry {
  const { granule, ipaBits } = features;
  const start = stage2StartLevels(granule, ipaBits).find((level) => level <= 2);
  return stage2Geometry(granule, ipaBits, start);
}

/** `kvm_stage2_has_pud`: level 1 is a level of its own, below a level-0 root. */
export function hasPud(kvm: Kvm): boolean {
  return kvm.geometry.startLevel < 1;
}

/** `kvm_stage2_has_pmd`: level 2 is a level of its own, below a level-1 table. */
export function hasPmd(kvm: Kvm): boolean {
  return kvm.geometry.startLevel < 2;
}

/** Address of the entry for `ipa` in a table of a level; for the root this is `stage2_pgd_index`. */
export function entryAddress(kvm: Kvm, table: bigint, ipa: bigint, level: Level): bigint {
  return table + BigInt(indexAt(kvm.geometry, ipa, level)) * DESCRIPTOR_BYTES;
}

/** End of the part of `[address, end)` that one entry of the level covers: `stage2_*_addr_end`. */
export function addressEnd(kvm: Kvm, address: bigint, end: bigint, level: Level): bigint {
  const shift = BigInt(levelShift(kvm.geometry.granule, level));
  const boundary = ((address >> shift) + 1n) << shift;
  return boundary < end ? boundary : end;
}

/** Bytes one entry of the level covers: PAGE_SIZE, S2_PMD_SIZE, S2_PUD_SIZE. */
export function entryBytes(kvm: Kvm, level: Level): bigint {
  return 1n << BigInt(levelShift(kvm.geometry.granule, level));
}

/** `address & S2_*_MASK`. */
export function entryBase(kvm: Kvm, address: bigint, level: Level): bigint {
  return address & ~(entryBytes(kvm, level) - 1n);
}

/** Decodes what a load of a table entry returned. */
export function decode(kvm: Kvm, bits: bigint, level: Level): Stage2Descriptor {
  return decodeStage2(bits, level, kvm.geometry.granule, kvm.features);
}

/** `p*d_none`, `pte_none`: nothing is in the entry, not even software bits. */
export function isNone(bits: bigint): boolean {
  return bits === 0n;
}

/** `pte_present` and its like: the hardware would use the entry. */
export function isPresent(bits: bigint): boolean {
  return (bits & 1n) !== 0n;
}

/**
 * `pmd_thp_or_huge`, `pud_huge`: not empty, and bit 1 clear. As in the kernel an entry with bit 0
 * clear counts when something else is in it.
 */
export function isHuge(bits: bigint): boolean {
  return bits !== 0n && (bits & 2n) === 0n;
}

/** Physical address of the table a table entry points to: `pte_offset_kernel` and its like. */
export function tableOf(kvm: Kvm, bits: bigint, level: Level): bigint {
  const descriptor = decode(kvm, bits, level);
  if (descriptor.kind !== 'table') {
    throw new Error(`entry ${bits.toString(16)} of level ${level} is not a table`);
  }
  return descriptor.next;
}

/** Physical address a leaf maps to, also when only its valid bit was cleared: `pte_pfn`. */
export function outputOf(kvm: Kvm, bits: bigint, level: Level): bigint {
  const descriptor = decode(kvm, bits | 1n, level);
  if (descriptor.kind !== 'page' && descriptor.kind !== 'block') {
    throw new Error(`entry ${bits.toString(16)} of level ${level} is not a leaf`);
  }
  return descriptor.output;
}

/** What a mapping permits, and what kind of memory it is. */
export interface LeafOptions {
  readonly write: boolean;
  readonly execute: boolean;
  readonly device: boolean;
}

/** `kvm_pfn_pte`, `_pmd`, `_pud` with PAGE_S2 or PAGE_S2_DEVICE: Access flag set, inner shareable. */
export function makeLeaf(
  geometry: Geometry,
  features: Features,
  level: Level,
  output: bigint,
  options: LeafOptions,
): bigint {
  return encodeStage2(
    {
      kind: level === 3 ? 'page' : 'block',
      output: pa(output),
      memAttr: options.device ? DEVICE_NGNRE_MEM_ATTR : normalMemAttr(features.fwb),
      read: true,
      write: options.write,
      sh: 0b11,
      af: true,
      fnxs: false,
      nt: false,
      dbm: false,
      contiguous: false,
      xn: options.execute ? 0b00 : 0b10,
      software: 0,
      rest: 0n,
    },
    level,
    geometry.granule,
    features,
  );
}

/** `kvm_mk_pmd` and its like: an entry that points to a table. */
export function makeTable(
  geometry: Geometry,
  features: Features,
  level: Level,
  table: bigint,
): bigint {
  return encodeStage2(
    { kind: 'table', next: pa(table), rest: 0n },
    level,
    geometry.granule,
    features,
  );
}
