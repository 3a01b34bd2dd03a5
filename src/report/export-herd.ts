import type { Machine } from '../machine/machine.ts';
import type { Transition } from '../machine/transition.ts';
import {
  barrierText,
  exportableRun,
  MARK_OF_GUEST,
  MARK_OF_NEW_OWNER,
  type Exported,
  type ExportableRun,
} from './export-run.ts';

/**
 * A counterexample as a test of herd7, which has one stage of translation, one regime and no VMIDs.
 * Stage 2 of the guest becomes stage 1: its entry becomes `PTE(x)`, its page `x`, and the new owner
 * reaches the page by `y`. That is faithful as long as the run does not turn on the difference
 * between the stages. Each invalidation by IPA has to be complete before the stage-1 invalidation
 * that makes it effective; the pair is then what one `TLBI VMALLE1` of the same reach is to herd7.
 */
export function exportHerd(
  machine: Machine,
  steps: readonly Transition[],
  title: string,
): Exported {
  const found = exportableRun(machine, steps);
  if (found.kind === 'no') return found;
  const { run } = found;
  const host = hostLines(run);
  return 'why' in host
    ? { kind: 'no', why: host.why }
    : { kind: 'test', text: testText(title, run, host.lines, host.left) };
}

interface HostLines {
  readonly lines: readonly string[];
  /** Invalidations that stand for stage 2 alone and are left out. */
  readonly left: readonly string[];
}

function hostLines({
  host,
  level,
  vmid,
  hostVmid,
}: ExportableRun): HostLines | { readonly why: string } {
  const lines: string[] = [];
  const left = new Set<string>();
  let inForce = hostVmid;
  /** How far the invalidation of stage 2 since the last change of the entry has come, and its reach. */
  let stage2: 'none' | 'issued' | 'complete' = 'none';
  let broadcast = true;
  for (const step of host) {
    switch (step.kind) {
      case 'clear':
        if (step.level !== level) {
          return { why: 'the host removes a table, and herd7 has tables of one level only.' };
        }
        stage2 = 'none';
        lines.push('STR X0,[X1]');
        break;
      case 'dsb':
        if (stage2 === 'issued' && step.limit === 'full') stage2 = 'complete';
        lines.push(`DSB ${barrierText(step.domain, step.limit)}`);
        break;
      case 'dmb':
        lines.push(`DMB ${step.limit === 'full' ? 'SY' : step.limit.toUpperCase()}`);
        break;
      case 'isb':
        lines.push('ISB');
        break;
      case 'vmid':
        inForce = step.vmid;
        break;
      case 'new-owner':
        lines.push('STR W2,[X3]');
        break;
      case 'tlbi': {
        if (inForce !== vmid) {
          return { why: `TLBI ${step.op} is issued for another VMID, and herd7 has none.` };
        }
        const isBroadcast = /[IO]S$/.test(step.op);
        const suffix = isBroadcast ? 'IS' : '';
        if (/^IPAS2L?E1/.test(step.op)) {
          stage2 = 'issued';
          broadcast = isBroadcast;
          left.add(`TLBI ${step.op}`);
        } else if (step.op.startsWith('VMALLS12E1')) lines.push(`TLBI VMALLE1${suffix}`);
        else if (step.op.startsWith('VMALLE1')) {
          if (stage2 !== 'complete') {
            return {
              why: `TLBI ${step.op} comes without a complete invalidation of stage 2 before it, which makes a difference between the stages, and herd7 has one.`,
            };
          }
          if (broadcast !== isBroadcast) {
            return {
              why: 'the invalidations of the two stages differ in reach, and herd7 has one.',
            };
          }
          lines.push(`TLBI VMALLE1${suffix}`);
        } else return { why: `TLBI ${step.op} has no counterpart in one stage.` };
      }
    }
  }
  return stage2 === 'none' || lines.some((line) => line.startsWith('TLBI'))
    ? { lines, left: [...left] }
    : {
        why: 'the run turns on stage-2 entries that are invalidated while combined ones are not, and herd7 has one stage.',
      };
}

function testText(
  title: string,
  { access, ets, level }: ExportableRun,
  host: readonly string[],
  left: readonly string[],
): string {
  const isWrite = access === 'write';
  const guest = ['L0:', `${isWrite ? 'STR' : 'LDR'} W0,[X1]`];
  const width = Math.max(...host.map(({ length }) => length), 2);
  const rows = Array.from({ length: Math.max(host.length, guest.length) }, (_, i) => {
    return ` ${(host[i] ?? '').padEnd(width)} | ${(guest[i] ?? '').padEnd(11)} ;`;
  });
  const name = title.replaceAll(/[^\w.+-]+/g, '.');
  return `AArch64 ${name}
(* Exported by tlbgate. The condition holds when the guest's access goes through the translation that
   the host removed before it wrote to the page as its new owner.
   Abstraction: stage 2 of the guest is written as stage 1 of herd7, host and guest as threads of EL1${
     level === 3 ? '' : `,\n   a block of level ${level} as a page`
   }.
   ${
     left.length === 0
       ? 'No invalidation is left out.'
       : `Left out: ${left.join(', ')}; it is complete before the TLBI VMALLE1 that stands for both.`
   }
   Not exported: loads of the host, locks, cache maintenance, memory types, other pages. *)
Variant=vmsa,fatal${ets === 'none' ? '' : `,${ets.toUpperCase()}`}
{
 int x=1;
 [PTE(y)]=(oa:PA(x));
 0:X0=(oa:PA(x),valid:0); 0:X1=PTE(x);
 0:X2=${MARK_OF_NEW_OWNER}; 0:X3=y;
 1:X1=x;${isWrite ? ` 1:X0=${MARK_OF_GUEST};` : ''}
}
 ${'P0'.padEnd(width)} | P1          ;
${rows.join('\n')}
exists (${isWrite ? `[x]=${MARK_OF_GUEST}` : `1:X0=${MARK_OF_NEW_OWNER}`})
`;
}
