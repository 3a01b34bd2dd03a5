import { ipa as toIpa } from '../../arm64/address.ts';
import { encodeIpaOperand, isLevelHint, type LevelHint } from '../../arm64/tlbi-operand.ts';
import { constant } from '../../program/expr.ts';
import type { HostCode } from '../host-code.ts';
import { mapEffects } from '../map-effects.ts';
import type { Kvm } from './kvm.ts';
import type { EmptyTable } from './unmap-plan.ts';
import { flushTable } from './unmap-steps.ts';

/** The flush for an empty table in the form that removes leaf entries only. */
export function flushTableLeafOnly(kvm: Kvm, table: EmptyTable): HostCode {
  return mapEffects(flushTable(kvm, table), (effect) =>
    effect.kind === 'tlbi' && effect.op === 'IPAS2E1IS'
      ? [{ ...effect, op: 'IPAS2LE1IS' }]
      : [effect],
  );
}

/**
 * The flush for an empty table with the level of the cleared entry as a hint, where the machine has
 * FEAT_TTL and the level can be expressed; without a hint otherwise.
 */
export function flushTableWithHint(kvm: Kvm, table: EmptyTable): HostCode {
  const wanted: LevelHint = { granule: kvm.features.granule, level: table.parentLevel };
  const hint = kvm.features.ttl && isLevelHint(wanted, kvm.features) ? wanted : null;
  const operand = encodeIpaOperand(
    { ns: false, hint, address: toIpa(table.address) },
    kvm.features,
  );
  return mapEffects(flushTable(kvm, table), (effect) =>
    effect.kind === 'tlbi' && effect.op === 'IPAS2E1IS'
      ? [{ ...effect, operand: constant(operand) }]
      : [effect],
  );
}
