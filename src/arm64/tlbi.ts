import type { Features } from './features.ts';

/** The PEs an invalidation reaches: the issuing one, or its Inner or Outer Shareable domain. */
export type TlbiScope = 'local' | 'inner' | 'outer';

/** The regime whose entries an invalidation names. 'el2' stands for EL2 and, under E2H, for EL2&0. */
export type Regime = 'el1&0' | 'el2';

/**
 * What an entry is compared with.
 *
 * - `all`: every entry of the regime, any VMID; `vmid`: every entry of the current VMID;
 * - `asid`: VMID and ASID; `va`: VMID, ASID or global, address; `va-any-asid`: VMID and address;
 * - `ipa`: VMID and intermediate physical address.
 */
export type TlbiKey = 'all' | 'vmid' | 'asid' | 'va' | 'va-any-asid' | 'ipa';

/**
 * Which information an entry holds. `s1`: of stage 1 only, also while stage 2 is off; `s2`: of
 * stage 2 only; `s1s2`: combined, including stage-1 walk-cache entries whose next-table address is
 * already through stage 2.
 */
export type Stages = 's1' | 's2' | 's1s2';

/** A TLBI without its shareability and nXS suffix. */
export interface TlbiBase {
  /** Name without suffix, for example `IPAS2E1`. */
  readonly base: string;
  readonly regime: Regime;
  readonly by: TlbiKey;
  /** Only entries from the last level of the walk are removed; walk-cache entries stay. */
  readonly lastLevelOnly: boolean;
  /** The operand names a range (FEAT_TLBIRANGE). */
  readonly range: boolean;
  /** Kinds of entries that have to be removed; the others may stay. */
  readonly drops: readonly Stages[];
}

/** One TLBI instruction. */
export interface TlbiOp extends TlbiBase {
  /** Canonical name: base, then nothing, `IS` or `OS`, then nothing or `NXS`. */
  readonly name: string;
  readonly scope: TlbiScope;
  /** Completes without waiting for accesses with XS = 1 (FEAT_XS). */
  readonly nxs: boolean;
}

const S1: readonly Stages[] = ['s1', 's1s2'];
// R_TVTYQ, R_VZZVZ: an IPA operation is required to remove only what is purely stage 2.
const S2: readonly Stages[] = ['s2'];
const BOTH: readonly Stages[] = ['s1', 's2', 's1s2'];

function all(base: string, regime: Regime, by: 'all' | 'vmid', drops: readonly Stages[]): TlbiBase {
  return { base, regime, by, lastLevelOnly: false, range: false, drops };
}

function byAddress(base: string, regime: Regime, by: TlbiKey, drops: readonly Stages[]): TlbiBase {
  return {
    base,
    regime,
    by,
    lastLevelOnly: /L(E1|E2)$/.test(base),
    range: base.startsWith('R'),
    drops,
  };
}

/**
 * The operations that Linux uses, without suffixes. Scope: R_GNJPZ for VMALLS12E1, R_VZZVZ and R_TVTYQ
 * for the IPA forms, R_ZSXRQ and R_JXKNN for all ASIDs; cf. R_VMSWQ for the VA forms.
 */
export const TLBI_BASES: readonly TlbiBase[] = [
  all('VMALLS12E1', 'el1&0', 'vmid', BOTH),
  all('VMALLE1', 'el1&0', 'vmid', S1),
  byAddress('IPAS2E1', 'el1&0', 'ipa', S2),
  byAddress('IPAS2LE1', 'el1&0', 'ipa', S2),
  byAddress('RIPAS2E1', 'el1&0', 'ipa', S2),
  byAddress('RIPAS2LE1', 'el1&0', 'ipa', S2),
  byAddress('VAE1', 'el1&0', 'va', S1),
  byAddress('VALE1', 'el1&0', 'va', S1),
  byAddress('VAAE1', 'el1&0', 'va-any-asid', S1),
  byAddress('VAALE1', 'el1&0', 'va-any-asid', S1),
  byAddress('RVAE1', 'el1&0', 'va', S1),
  byAddress('RVALE1', 'el1&0', 'va', S1),
  byAddress('RVAAE1', 'el1&0', 'va-any-asid', S1),
  byAddress('RVAALE1', 'el1&0', 'va-any-asid', S1),
  // Non-global leaves of the ASID, and its table entries of every level (DDI 0595, TLBI ASIDE1IS).
  byAddress('ASIDE1', 'el1&0', 'asid', S1),
  all('ALLE1', 'el1&0', 'all', BOTH),
  all('ALLE2', 'el2', 'all', S1),
  byAddress('VAE2', 'el2', 'va', S1),
  byAddress('VALE2', 'el2', 'va', S1),
  byAddress('RVAE2', 'el2', 'va', S1),
  byAddress('RVALE2', 'el2', 'va', S1),
];

const SCOPES: readonly (readonly [suffix: string, scope: TlbiScope])[] = [
  ['', 'local'],
  ['IS', 'inner'],
  ['OS', 'outer'],
];

const NXS: readonly (readonly [suffix: string, nxs: boolean])[] = [
  ['', false],
  ['NXS', true],
];

/** Every operation: each base with each shareability suffix, with and without NXS. */
export const TLBI_OPS: readonly TlbiOp[] = TLBI_BASES.flatMap((base) =>
  SCOPES.flatMap(([scopeSuffix, scope]) =>
    NXS.map(([nxsSuffix, nxs]) => ({
      ...base,
      name: base.base + scopeSuffix + nxsSuffix,
      scope,
      nxs,
    })),
  ),
);

const BY_NAME: ReadonlyMap<string, TlbiOp> = new Map(TLBI_OPS.map((op) => [op.name, op]));

/** No such operation. `message` is one sentence. */
export interface TlbiNameError {
  readonly kind: 'error';
  readonly code: 'tlbi-unknown';
  readonly message: string;
}

/** Result of looking up a name. */
export type ParsedTlbi = { readonly kind: 'tlbi'; readonly op: TlbiOp } | TlbiNameError;

/**
 * Finds an operation by its name as written in assembly (`vmalle1is`, `IPAS2E1IS`, `VAE1ISnXS`);
 * the case does not matter.
 */
export function parseTlbiName(name: string): ParsedTlbi {
  const op = BY_NAME.get(name.toUpperCase());
  if (op !== undefined) return { kind: 'tlbi', op };
  const bases = TLBI_BASES.map((base) => base.base).join(', ');
  return {
    kind: 'error',
    code: 'tlbi-unknown',
    message: `There is no TLBI "${name}"; known are ${bases}, each plain, with IS or OS, and with NXS.`,
  };
}

/** The operation of a canonical name, for names written in our own code. Throws on an unknown one. */
export function tlbi(name: string): TlbiOp {
  const parsed = parseTlbiName(name);
  if (parsed.kind === 'error') throw new RangeError(parsed.message);
  return parsed.op;
}

/** Whether the operation takes an operand: not the forms for all entries or a whole VMID. */
export function takesOperand(op: TlbiBase): boolean {
  return op.by !== 'all' && op.by !== 'vmid';
}

/** The feature an operation needs and this machine lacks (the instruction is UNDEFINED), or null. */
export function missingFeature(
  op: TlbiOp,
  features: Features,
): 'tlbi-range' | 'tlbi-os' | 'xs' | null {
  if (op.range && !features.tlbiRange) return 'tlbi-range';
  if (op.scope === 'outer' && !features.tlbiOs) return 'tlbi-os';
  return op.nxs && !features.xs ? 'xs' : null;
}
