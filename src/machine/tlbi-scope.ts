import type { TlbiOp } from '../arm64/tlbi.ts';
import { tlbiMatches, type TlbiContext, type TranslationInfo } from '../arm64/tlbi-match.ts';
import type { MachineFaults } from './fault.ts';

/** Whether an invalidation must remove an entry; with faults, whether the faulty machine does. */
export type Matches = (
  op: TlbiOp,
  operand: bigint,
  context: TlbiContext,
  info: TranslationInfo,
) => boolean;

/** The matching of a machine. */
export function matching(faults: MachineFaults): Matches {
  if (faults === undefined) return tlbiMatches;
  return (op, operand, context, info) => {
    if (faults.has('ipa-form-removes-combined') && op.by === 'ipa' && info.stages === 's1s2') {
      return true;
    }
    const ignoresAddress = faults.has('tlbi-ignores-address') && /^(va|ipa)/.test(op.by);
    const ignoresAsid = faults.has('tlbi-ignores-asid');
    const by =
      ignoresAddress || (ignoresAsid && op.by === 'asid')
        ? 'vmid'
        : ignoresAsid && op.by === 'va'
          ? 'va-any-asid'
          : op.by;
    const lastLevelOnly = op.lastLevelOnly && !faults.has('leaf-form-removes-tables');
    const vmid = faults.has('tlbi-ignores-vmid') ? info.vmid : context.vmid;
    const ttl = context.features.ttl && !faults.has('tlbi-ignores-hint');
    const features = { ...context.features, ttl };
    return tlbiMatches({ ...op, by, lastLevelOnly }, operand, { ...context, vmid, features }, info);
  };
}
