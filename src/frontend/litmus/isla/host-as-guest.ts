import type { Code } from '../assembly/code.ts';

/** TLBI operations of the EL2 regime, and those of EL1&0 that do the same to a single regime. */
const COUNTERPARTS: ReadonlyMap<string, string> = new Map([
  ['VAE2', 'VAE1'],
  ['VALE2', 'VALE1'],
  ['RVAE2', 'RVAE1'],
  ['RVALE2', 'RVALE1'],
  ['ALLE2', 'VMALLE1'],
]);

/**
 * The code of a test whose EL2 regime is shown to the machine as EL1&0: its invalidations of EL2
 * become those of EL1. Operations on other regimes are left as they are: such a test has none to hit.
 */
export function hostAsGuest(code: Code): Code {
  return {
    ...code,
    slots: code.slots.map((slot) => {
      const { instruction } = slot;
      if (instruction.kind !== 'tlbi') return slot;
      const match = /^(.*?)((?:IS|OS)?(?:NXS)?)$/.exec(instruction.op);
      const base = COUNTERPARTS.get(match?.[1] ?? '');
      if (base === undefined) return slot;
      return { ...slot, instruction: { ...instruction, op: `${base}${match?.[2] ?? ''}` } };
    }),
  };
}
