import type { Brand } from '../util/brand.ts';

/** A virtual address: the input of stage 1. 64 bits; the high half (TTBR1) has its top bits set. */
export type Va = Brand<bigint, 'Va'>;

/** An intermediate physical address: the output of stage 1 and the input of stage 2. At most 52 bits. */
export type Ipa = Brand<bigint, 'Ipa'>;

/** A physical address. At most 52 bits (FEAT_LPA, FEAT_LPA2); 56-bit addresses are not covered. */
export type Pa = Brand<bigint, 'Pa'>;

/** A virtual machine identifier as held in VTTBR_EL2.VMID. 16 bits (FEAT_VMID16). */
export type Vmid = Brand<number, 'Vmid'>;

/** An address space identifier as held in TTBRn_ELx.ASID. 16 bits. */
export type Asid = Brand<number, 'Asid'>;

/** Number of bits of the widest physical or intermediate physical address we represent. */
export const MAX_PHYSICAL_BITS = 52;

function checkBits(what: string, value: bigint, bits: number): void {
  if (value < 0n || value >> BigInt(bits) !== 0n) {
    throw new RangeError(`${what} ${value.toString(16)} does not fit in ${bits} bits`);
  }
}

function checkIdentifier(what: string, value: number): void {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff) {
    throw new RangeError(`${what} ${value} is not an integer from 0 to 65535`);
  }
}

/** Makes a virtual address. Throws a RangeError outside 64 bits: that is a mistake of the caller. */
export function va(value: bigint): Va {
  checkBits('virtual address', value, 64);
  return value as Va;
}

/** Makes an intermediate physical address. Throws a RangeError outside 52 bits. */
export function ipa(value: bigint): Ipa {
  checkBits('intermediate physical address', value, MAX_PHYSICAL_BITS);
  return value as Ipa;
}

/** Makes a physical address. Throws a RangeError outside 52 bits. */
export function pa(value: bigint): Pa {
  checkBits('physical address', value, MAX_PHYSICAL_BITS);
  return value as Pa;
}

/** Makes a VMID. Throws a RangeError unless it is an integer of 16 bits. */
export function vmid(value: number): Vmid {
  checkIdentifier('VMID', value);
  return value as Vmid;
}

/** Makes an ASID. Throws a RangeError unless it is an integer of 16 bits. */
export function asid(value: number): Asid {
  checkIdentifier('ASID', value);
  return value as Asid;
}

/** The `bits` low bits set. */
export function lowMask(bits: number): bigint {
  return (1n << BigInt(bits)) - 1n;
}

/** Rounds down to a multiple of 2^bits; keeps the kind of address. */
export function alignDown<A extends bigint>(address: A, bits: number): A {
  return ((address >> BigInt(bits)) << BigInt(bits)) as A;
}

/** Rounds up to a multiple of 2^bits; may leave the range of the kind of address, hence plain. */
export function alignUp(address: bigint, bits: number): bigint {
  return alignDown(address + lowMask(bits), bits);
}

/** Whether the address is a multiple of 2^bits. */
export function isAligned(address: bigint, bits: number): boolean {
  return (address & lowMask(bits)) === 0n;
}

/**
 * The physical address an intermediate one stands for where there is no stage 2: in the EL2 regimes
 * and while HCR_EL2.VM is 0.
 */
export function ipaAsPa(address: Ipa): Pa {
  return pa(address);
}
