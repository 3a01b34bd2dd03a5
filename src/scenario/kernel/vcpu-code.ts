import type { GuestAccess } from '../../guest/access.ts';
import { generalGuest } from '../../guest/general.ts';
import { traceThread } from '../../guest/trace.ts';
import { generatorThread } from '../../program/generator-thread.ts';
import type { ThreadTree } from '../../program/thread-tree.ts';
import type { Guest, TraceAccess } from '../scenario.ts';

/**
 * The code of the vCPUs of a kernel scenario, or of the threads of a process: the same for all that may do
 * anything, a list of accesses for each that is told what to do. `vas` are the pages they may use; throws
 * a RangeError for another one. A fault ends an access: no handler of the guest's is modelled.
 */
export function vcpuCode(
  guest: Guest,
  count: number,
  name: string,
  vas: readonly bigint[],
  value: bigint,
): readonly ThreadTree[] {
  switch (guest.kind) {
    case 'general': {
      const { kinds } = guest;
      const body = generalGuest({ vcpu: `${name}0`, vas, kinds, value, handler: null });
      const tree = generatorThread(`${name}0`, body);
      return Array.from({ length: count }, () => tree);
    }
    case 'trace':
      return Array.from({ length: count }, (_, i) => {
        const vcpu = `${name}${i}`;
        const steps = (guest.vcpus[i] ?? []).map((access) => ({
          kind: 'access' as const,
          access: accessTo(access, vas, value),
        }));
        return generatorThread(vcpu, traceThread({ vcpu, steps, onFault: 'skip' }));
      });
    case 'persistent':
      throw new RangeError('vCPUs of a kernel scenario do not wait for their faults to be handled');
  }
}

function accessTo(
  { access, page }: TraceAccess,
  vas: readonly bigint[],
  value: bigint,
): GuestAccess {
  const va = vas[page];
  if (va === undefined) throw new RangeError(`the guest has no page ${page}`);
  return access === 'write' ? { kind: access, va, value } : { kind: access, va };
}
