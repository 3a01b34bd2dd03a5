import type { Granule } from './granule.ts';

/** Bits of an intermediate physical address: the sizes of ID_AA64MMFR0_EL1.PARange up to 52. */
export type IpaBits = 32 | 36 | 40 | 42 | 44 | 48 | 52;

/** Bits of one half of the virtual address space, as kernels configure them. */
export type VaBits = 36 | 39 | 42 | 47 | 48 | 52;

/** How instruction caches find a line: by PA, by VA, or by PA and VMID (CTR_EL0.L1Ip). */
export type IcachePolicy = 'pipt' | 'vipt' | 'vpipt';

/** Level of FEAT_BBM: how much of break-before-make the hardware forgives for a change of size. */
export type BbmLevel = 0 | 1 | 2;

/** What hardware updates in descriptors: nothing, the Access flag, or also the dirty state. */
export type Hafdbs = 'none' | 'af' | 'af+dbm';

/** FEAT_ETS2 or FEAT_ETS3 (which includes ETS2): earlier accesses are ordered before MMU faults. */
export type Ets = 'none' | 'ets2' | 'ets3';

/**
 * One machine: what the hardware implements, what the host switches on, which errata it has, and
 * how we read the architecture where it can be read in two ways. Every scenario states one record.
 */
export interface Features {
  /** Granule of the host and of stage 2. A guest's stage 1 may use another. */
  readonly granule: Granule;
  /** Input address size of stage 2, and output address size of both stages. */
  readonly ipaBits: IpaBits;
  /** Input address size of stage 1. */
  readonly vaBits: VaBits;
  /** FEAT_LPA: 52-bit physical addresses with the 64K granule, OA[51:48] in descriptor bits 15:12. */
  readonly lpa: boolean;
  /** FEAT_LVA: 52-bit virtual addresses with the 64K granule. */
  readonly lva: boolean;
  /** FEAT_LPA2 implemented and switched on at both stages (TCR_ELx.DS = VTCR_EL2.DS = 1). */
  readonly lpa2: boolean;
  /** The host kernel runs at EL2 (FEAT_VHE used); otherwise at EL1 with a small hypervisor at EL2. */
  readonly vhe: boolean;
  /** HCR_EL2.E2H is 1: EL2 has an EL2&0 regime with ASIDs. On without `vhe` it is "hVHE". */
  readonly e2h: boolean;
  /** FEAT_S2FWB implemented and HCR_EL2.FWB set for guests. */
  readonly fwb: boolean;
  /** CTR_EL0.IDC: no data cache clean to the point of unification is needed for instruction fetch. */
  readonly idc: boolean;
  /** CTR_EL0.DIC: no instruction cache invalidation to the point of unification is needed. */
  readonly dic: boolean;
  readonly icache: IcachePolicy;
  readonly bbm: BbmLevel;
  /** FEAT_TTL: TLBI operands may carry a level hint. */
  readonly ttl: boolean;
  /** FEAT_TLBIRANGE. */
  readonly tlbiRange: boolean;
  /** FEAT_TLBIOS. */
  readonly tlbiOs: boolean;
  /** FEAT_XS: the XS attribute, nXS forms of TLBI and DSB, FnXS in stage-2 descriptors. */
  readonly xs: boolean;
  /** FEAT_nTLBPA: no structure caches descriptors by the address of the descriptor (R_BKKRB). */
  readonly ntlbpa: boolean;
  /** Hardware updates of stage-1 descriptors that are switched on (TCR_ELx.HA, HD). */
  readonly s1Hafdbs: Hafdbs;
  /** Hardware updates of stage-2 descriptors that are switched on (VTCR_EL2.HA, HD). */
  readonly s2Hafdbs: Hafdbs;
  readonly ets: Ets;
  /** FEAT_TTCNP used: PEs may share TLB entries (TTBR.CnP = 1). */
  readonly cnp: boolean;
  /** Erratum: the completion promised by TLBI; DSB comes only after the pair is done twice. */
  readonly erratumRepeatTlbi: boolean;
  /** Erratum Falkor E1003: a change of ASID and table base may be seen half done. */
  readonly erratumFalkorE1003: boolean;
  /** Erratum: hardware update of the Access flag at stage 2 is unreliable and must not be used. */
  readonly erratumBrokenS2Af: boolean;
  /** Erratum: with CnP a local TLBI does not remove entries shared with a sibling PE. */
  readonly erratumCnpLocalTlbi: boolean;
  /** Erratum: a PE may fetch a stale instruction after the prescribed maintenance. */
  readonly erratumStaleFetch: boolean;
  /** Reading: an any-level TLBI by address drops a cached table descriptor that covers the address. */
  readonly readingTableDropByAnyIpa: boolean;
  /** Reading: EL1&0 entries may be filled while the PE is at EL2 (off: R_FXGNQ taken strictly). */
  readonly readingFillOutOfContext: boolean;
}

/**
 * The machine meant when a scenario states nothing: a v8.1 server without any later help (no FWB,
 * no ranges, no hints, BBM level 0), which is where most promises are missing; no errata; the
 * readings Linux relies on.
 */
export const DEFAULT_FEATURES: Features = {
  granule: '4k',
  ipaBits: 40,
  vaBits: 48,
  lpa: false,
  lva: false,
  lpa2: false,
  vhe: true,
  e2h: true,
  fwb: false,
  idc: false,
  dic: false,
  icache: 'pipt',
  bbm: 0,
  ttl: false,
  tlbiRange: false,
  tlbiOs: false,
  xs: false,
  ntlbpa: true,
  s1Hafdbs: 'none',
  s2Hafdbs: 'none',
  ets: 'none',
  cnp: false,
  erratumRepeatTlbi: false,
  erratumFalkorE1003: false,
  erratumBrokenS2Af: false,
  erratumCnpLocalTlbi: false,
  erratumStaleFetch: false,
  readingTableDropByAnyIpa: true,
  readingFillOutOfContext: true,
};

/** A mistake in what the user asked of the machine. `message` is one sentence that names it. */
export interface FeatureError {
  readonly kind: 'error';
  readonly code: 'feature-syntax' | 'feature-unknown' | 'feature-value' | 'feature-conflict';
  readonly message: string;
}

/** How far the machine follows a feature. */
export type FeatureModel =
  | { readonly kind: 'modelled' }
  /** Accepted, but a value other than the default changes nothing; `note` must reach the report. */
  | { readonly kind: 'not-modelled'; readonly note: string };

/** One row of the feature table: everything the command line, the help text and the reports need. */
export interface FeatureDefinition {
  readonly key: keyof Features;
  /** Name on the command line, kebab case. */
  readonly name: string;
  /** Allowed values as written on the command line; the order is the one shown. */
  readonly values: readonly string[];
  /** One line: what the feature is. */
  readonly meaning: string;
  readonly model: FeatureModel;
  /** The value of this feature in a record, as written on the command line. */
  readonly read: (features: Features) => string;
  /** What one allowed value changes; null when the value is not allowed. */
  readonly write: (value: string) => Partial<Features> | null;
}

type KeysHolding<T> = {
  [K in keyof Features]: Features[K] extends T ? K : never;
}[keyof Features];

const MODELLED: FeatureModel = { kind: 'modelled' };

function notModelled(note: string): FeatureModel {
  return { kind: 'not-modelled', note };
}

function flag(
  key: KeysHolding<boolean>,
  name: string,
  meaning: string,
  model: FeatureModel = MODELLED,
): FeatureDefinition {
  return {
    key,
    name,
    values: ['off', 'on'],
    meaning,
    model,
    read: (features) => (features[key] ? 'on' : 'off'),
    write: (value) => (value === 'on' || value === 'off' ? { [key]: value === 'on' } : null),
  };
}

function choice<K extends KeysHolding<string | number>>(
  key: K,
  name: string,
  values: readonly Features[K][],
  meaning: string,
  model: FeatureModel = MODELLED,
): FeatureDefinition {
  return {
    key,
    name,
    values: values.map(String),
    meaning,
    model,
    read: (features) => String(features[key]),
    write: (text) => {
      const value = values.find((candidate) => String(candidate) === text);
      return value === undefined ? null : { [key]: value };
    },
  };
}

const NO_COHERENT_FETCH = notModelled(
  'instruction caches that need less maintenance are not modelled',
);

/** Every feature, in the order reports show them. */
export const FEATURE_DEFINITIONS: readonly FeatureDefinition[] = [
  choice('granule', 'granule', ['4k', '16k', '64k'], 'translation granule of host and stage 2'),
  choice('ipaBits', 'ipa-bits', [32, 36, 40, 42, 44, 48, 52], 'size of the guest physical space'),
  choice('vaBits', 'va-bits', [36, 39, 42, 47, 48, 52], 'size of one half of the virtual space'),
  flag('lpa', 'lpa', 'FEAT_LPA: 52-bit physical addresses with the 64K granule'),
  flag('lva', 'lva', 'FEAT_LVA: 52-bit virtual addresses with the 64K granule'),
  flag('lpa2', 'lpa2', 'FEAT_LPA2 in use (DS = 1): 52-bit addresses with 4K and 16K granules'),
  {
    ...flag('vhe', 'vhe', 'the host kernel runs at EL2; sets e2h to the same value'),
    // Users say vhe=on or vhe=off and mean HCR_EL2.E2H with it; e2h=on after vhe=off gives hVHE.
    write: (value) =>
      value === 'on' || value === 'off' ? { vhe: value === 'on', e2h: value === 'on' } : null,
  },
  flag('e2h', 'e2h', 'HCR_EL2.E2H = 1: EL2 uses the EL2&0 regime, with ASIDs'),
  flag('fwb', 'fwb', 'FEAT_S2FWB in use: stage 2 can force memory to be Normal Write-Back'),
  flag('idc', 'idc', 'CTR_EL0.IDC: fetch needs no data cache clean', NO_COHERENT_FETCH),
  flag(
    'dic',
    'dic',
    'CTR_EL0.DIC: fetch needs no instruction cache invalidation',
    NO_COHERENT_FETCH,
  ),
  choice('icache', 'icache', ['pipt', 'vipt', 'vpipt'], 'instruction cache policy'),
  choice('bbm', 'bbm', [0, 1, 2], 'FEAT_BBM level: block size changes without break-before-make'),
  flag('ttl', 'ttl', 'FEAT_TTL: level hints in TLBI operands'),
  flag('tlbiRange', 'tlbi-range', 'FEAT_TLBIRANGE: TLBI by range'),
  flag('tlbiOs', 'tlbi-os', 'FEAT_TLBIOS: TLBI for the Outer Shareable domain'),
  flag('xs', 'xs', 'FEAT_XS: nXS forms of TLBI and DSB'),
  flag(
    'ntlbpa',
    'ntlbpa',
    'FEAT_nTLBPA: walk caches are not looked up by the address of the descriptor',
    notModelled('walk caches indexed by the address of the descriptor are not modelled'),
  ),
  choice(
    's1Hafdbs',
    's1-hafdbs',
    ['none', 'af', 'af+dbm'],
    'hardware updates at stage 1',
    notModelled('hardware updates of stage-1 descriptors under stage 2 are not modelled'),
  ),
  choice(
    's2Hafdbs',
    's2-hafdbs',
    ['none', 'af', 'af+dbm'],
    'hardware updates at stage 2',
    notModelled('hardware updates of stage-2 descriptors are not modelled'),
  ),
  choice('ets', 'ets', ['none', 'ets2', 'ets3'], 'FEAT_ETS2 or FEAT_ETS3: order before MMU faults'),
  flag(
    'cnp',
    'cnp',
    'FEAT_TTCNP in use: PEs may share TLB entries',
    notModelled('TLB entries shared between PEs are not modelled'),
  ),
  flag('erratumRepeatTlbi', 'erratum-repeat-tlbi', 'TLBI; DSB has to be done twice to complete'),
  flag(
    'erratumFalkorE1003',
    'erratum-falkor-e1003',
    'a change of ASID and table base may be seen half done',
    notModelled('the half-done change of ASID and table base is not modelled'),
  ),
  flag(
    'erratumBrokenS2Af',
    'erratum-broken-s2-af',
    'hardware Access flag updates at stage 2 are unreliable',
    notModelled('unreliable Access flag updates are not modelled'),
  ),
  flag(
    'erratumCnpLocalTlbi',
    'erratum-cnp-local-tlbi',
    'with CnP a local TLBI misses entries shared with a sibling PE',
    notModelled('TLB entries shared between PEs are not modelled'),
  ),
  flag(
    'erratumStaleFetch',
    'erratum-stale-fetch',
    'a stale instruction may be fetched after maintenance',
    notModelled('instruction caches that ignore maintenance are not modelled'),
  ),
  flag(
    'readingTableDropByAnyIpa',
    'reading-table-drop-by-any-ipa',
    'one any-level TLBI by address drops the cached table descriptors above that address',
  ),
  flag(
    'readingFillOutOfContext',
    'reading-fill-out-of-context',
    'EL1&0 translations may be cached while the PE is at EL2',
  ),
];

/** What one `name=value` of the user means. */
export type ParsedFeature =
  | {
      readonly kind: 'feature';
      readonly definition: FeatureDefinition;
      /** The fields to change; apply with `{ ...features, ...update }`. */
      readonly update: Partial<Features>;
      /** What has to be said when the value asks for something the machine does not model. */
      readonly note: string | null;
    }
  | FeatureError;

function error(code: FeatureError['code'], message: string): FeatureError {
  return { kind: 'error', code, message };
}

/** Parses one `name=value`, for example `fwb=on`. Mistakes come back as data with the allowed values. */
export function parseFeature(text: string): ParsedFeature {
  const [name, value, ...rest] = text.split('=');
  if (name === undefined || value === undefined || rest.length > 0) {
    return error('feature-syntax', `"${text}" is not of the form name=value, for example fwb=on.`);
  }
  const definition = FEATURE_DEFINITIONS.find((candidate) => candidate.name === name);
  if (definition === undefined) {
    const names = FEATURE_DEFINITIONS.map((candidate) => candidate.name).join(', ');
    return error('feature-unknown', `There is no feature "${name}"; the features are ${names}.`);
  }
  const update = definition.write(value);
  if (update === null) {
    const values = definition.values.join(', ');
    return error(
      'feature-value',
      `Feature ${name} cannot be "${value}"; the allowed values are ${values}.`,
    );
  }
  const isDefault = value === definition.read(DEFAULT_FEATURES);
  const note =
    definition.model.kind === 'not-modelled' && !isDefault
      ? `${name}=${value}: ${definition.model.note}`
      : null;
  return { kind: 'feature', definition, update, note };
}

/** Every feature as `name=value`, separated by spaces; each word can be parsed again. */
export function showFeatures(features: Features): string {
  return FEATURE_DEFINITIONS.map((definition) => showFeature(definition, features)).join(' ');
}

/**
 * What has to be said to get this machine from the default one, as `name=value`; empty for the
 * default machine. The words are to be applied in order: after `vhe=off` an `e2h=on` is not the
 * default any more and is shown.
 */
export function showFeatureDifferences(features: Features): string {
  const words: string[] = [];
  let reached = DEFAULT_FEATURES;
  for (const definition of FEATURE_DEFINITIONS) {
    const value = definition.read(features);
    if (value !== definition.read(reached)) {
      words.push(showFeature(definition, features));
      reached = { ...reached, ...definition.write(value) };
    }
  }
  return words.join(' ');
}

function showFeature(definition: FeatureDefinition, features: Features): string {
  return `${definition.name}=${definition.read(features)}`;
}

/**
 * The combinations no machine can have, one error each; empty when the record is consistent.
 * Fields on their own are already right by their types.
 */
export function featureConflicts(features: Features): readonly FeatureError[] {
  const small = features.granule !== '64k';
  const rules: readonly (readonly [boolean, string])[] = [
    [
      features.ipaBits === 52 && small && !features.lpa2,
      `ipa-bits=52 with granule=${features.granule} needs lpa2=on.`,
    ],
    [
      features.ipaBits === 52 && !small && !features.lpa,
      'ipa-bits=52 with granule=64k needs lpa=on.',
    ],
    [
      features.vaBits === 52 && small && !features.lpa2,
      `va-bits=52 with granule=${features.granule} needs lpa2=on.`,
    ],
    [
      features.vaBits === 52 && !small && !features.lva,
      'va-bits=52 with granule=64k needs lva=on.',
    ],
    [
      features.lpa2 && !small,
      'lpa2=on changes only the 4k and 16k granules; granule=64k uses lpa=on.',
    ],
    [features.vhe && !features.e2h, 'vhe=on needs e2h=on: the host at EL2 uses the EL2&0 regime.'],
    [
      features.tlbiRange && !features.tlbiOs,
      'tlbi-range=on needs tlbi-os=on: FEAT_TLBIRANGE includes the Outer Shareable forms.',
    ],
    [
      features.erratumCnpLocalTlbi && !features.cnp,
      'erratum-cnp-local-tlbi=on means nothing without cnp=on.',
    ],
  ];
  return rules
    .filter(([broken]) => broken)
    .map(([, message]) => error('feature-conflict', message));
}
