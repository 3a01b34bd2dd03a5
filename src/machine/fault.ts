/**
 * Faults of the machine, for mutation tests: each one breaks one rule, and some test must notice.
 * A machine under test has none. In words what the faulty machine does.
 */
export const MACHINE_FAULTS = {
  // What a PE may reorder (machine.md 2 and 4; event-machine.md 2.2).
  'in-order': 'every event waits until all earlier instructions are finished',
  'store-buffer-only': 'as in-order, but stores may be delayed past later loads',
  'walk-with-access': 'a walk happens only when its access may',
  'no-forwarding': 'a load waits for an earlier store to its location',
  'loads-go-back': 'a load may return something older than a later load of the location returned',
  'stores-after-own-loads': 'a store may come after a later load that missed it',
  'stores-pass-walks': 'a store does not wait for the walks of earlier accesses',
  'stores-pass-addresses': 'a store does not wait for the addresses of earlier accesses',
  'stores-pass-branches': 'a store does not wait for earlier branches',
  'dmb-ignored': 'a DMB orders nothing',
  'dmb-kinds-ignored': 'a DMB LD or ST is a full one',
  'acquire-ignored': 'a load-acquire is a plain load',
  'release-ignored': 'a store-release is a plain store',
  'split-atomics': 'others may write between the halves of an atomic',
  // Walks (2.1 and 2.2).
  'dsb-orders-walks': 'a DSB holds back later walks, without FEAT_ETS2 too',
  'dmb-orders-walks': 'a DMB orders walks like accesses',
  'isb-ignores-walks': 'a context synchronisation does not hold back later walks',
  'store-forwards-to-walk': 'a walk sees earlier stores of its PE that are not yet visible',
  'faults-ignore-barriers': 'barriers do not order fault events',
  'ets-ignored': 'FEAT_ETS2 and FEAT_ETS3 promise nothing',
  'context-at-once': 'a system-register write takes effect without context synchronisation',
  'context-never': 'a context synchronisation does not put system-register writes into force',
  // What may be cached (2.1).
  'no-tlb': 'every access walks memory',
  'no-table-entries': 'a table entry is not used after its descriptor has changed',
  'no-combined-entries': 'entries combining two stages vanish at every invalidation',
  'invalid-cached': 'invalid descriptors are cached',
  'af0-cached': 'descriptors without access flag are cached',
  // Hardware updates.
  'no-spontaneous-af': 'the access flag is only set for accesses',
  'no-hardware-update': 'hardware never updates a descriptor for an access',
  'speculative-dirty': 'hardware updates do not wait for branches',
  'update-brings-back': 'a hardware update overwrites a descriptor that has changed since',
  'dsb-ignores-updates': 'a DSB does not wait for hardware updates',
  // Invalidation (2.3 and 2.4).
  'tlbi-at-once': 'a TLBI takes effect everywhere when it is issued',
  'tlbi-waits-for-stores': 'a TLBI waits for earlier stores',
  'tlbi-broadcast-ignored': 'a TLBI reaches the issuing PE only',
  'tlbi-always-broadcast': 'a local TLBI reaches all PEs',
  'tlbi-forgets-accesses': 'a TLBI does not wait for accesses in flight',
  'tlbi-forgets-same-offset':
    'a TLBI does not wait for walks of earlier accesses at the same offset',
  'tlbi-ignores-address': 'a TLBI by address removes all addresses',
  'tlbi-ignores-asid': 'a TLBI removes entries of every ASID',
  'tlbi-ignores-vmid': 'a TLBI removes entries of every VMID',
  'tlbi-ignores-hint': 'a level hint is ignored',
  'leaf-form-removes-tables': 'last-level forms remove table entries too',
  'ipa-form-removes-combined': 'invalidation by IPA removes combined entries too',
  'dsb-ignores-tlbi': 'a DSB does not wait for TLBIs',
  'dsb-ignores-domain': 'a DSB of any domain waits for a TLBI',
  'dsb-ignores-kind': 'a DSB LD or ST waits for a TLBI',
  'any-dsb-completes': 'a DSB waits for the TLBIs of all PEs',
  // Break-before-make, caches, instruction fetch.
  'bbm-not-flagged': 'two live translations of one address are not noticed',
  'bypass-ignored': 'accesses past the cache go through it',
  'fetch-sees-memory': 'instruction fetches go past the instruction cache',
} as const;

/** A fault by name. */
export type MachineFault = keyof typeof MACHINE_FAULTS;

/** The faults switched on; absent in every machine that is not a mutation test. */
export type MachineFaults = ReadonlySet<MachineFault> | undefined;
