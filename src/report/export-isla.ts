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

/** A counterexample as a test of isla: two stages, the host at EL2, the guest at EL1. */
export function exportIsla(
  machine: Machine,
  steps: readonly Transition[],
  title: string,
): Exported {
  const found = exportableRun(machine, steps);
  return found.kind === 'no' ? found : { kind: 'test', text: testText(title, found.run) };
}

interface HostCode {
  readonly lines: readonly string[];
  /** Register resets. */
  readonly resets: readonly string[];
}

function hostCode({ host }: ExportableRun): HostCode {
  const lines: string[] = [];
  const registers = new Map<string, number>();
  const register = (value: string): string => {
    const number = registers.get(value) ?? registers.size;
    registers.set(value, number);
    return `X${number}`;
  };
  for (const step of host) {
    switch (step.kind) {
      case 'clear': {
        const cell = register(`pte${step.level}(ipa1, vm_stage2)`);
        lines.push(`STR ${register('extz(0b0, 64)')},[${cell}]`);
        break;
      }
      case 'dsb':
        lines.push(`DSB ${barrierText(step.domain, step.limit)}`);
        break;
      case 'dmb':
        lines.push(`DMB ${step.limit === 'full' ? 'SY' : step.limit.toUpperCase()}`);
        break;
      case 'isb':
        lines.push('ISB');
        break;
      case 'tlbi':
        lines.push(
          step.ofPage ? `TLBI ${step.op},${register('extz(page(ipa1), 64)')}` : `TLBI ${step.op}`,
        );
        break;
      case 'vmid':
        lines.push(`MSR VTTBR_EL2,${register(vttbr(step.vmid))}`);
        break;
      case 'new-owner':
        lines.push(`STR ${register(`extz(${MARK_OF_NEW_OWNER}, 64)`)},[${register('h')}]`);
    }
  }
  return { lines, resets: [...registers].map(([value, number]) => `R${number} = "${value}"`) };
}

function vttbr(vmid: number): string {
  return `ttbr(vmid=0x${vmid.toString(16).padStart(4, '0')}, base=vm_stage2)`;
}

function testText(title: string, run: ExportableRun): string {
  const { level, vmid, hostVmid, access } = run;
  const host = hostCode(run);
  const isWrite = access === 'write';
  const at = level === 3 ? '' : ` at level ${level}`;
  return `# ${title}
# Exported by tlbgate. The assertion holds when the guest's access goes through the translation that
# the host removed before it wrote to the page as its new owner. Not exported: loads of the host, locks,
# cache maintenance, other pages. Stage 1 of the guest is on here, with one mapping.

arch = "AArch64"
name = "${title.replaceAll(/[^\w.+-]+/g, '.')}"
symbolic = []

page_table_setup = """
    option default_tables = false;
    virtual x h;
    physical pa1;
    intermediate ipa1;

    s2table vm_stage2 0x240000 {
        ipa1 |-> pa1${at};
        ipa1 ?-> invalid${at};
        s1table vm_stage1 0x2C0000 {
            x |-> ipa1;
        }
    }

    s1table hyp_map 0x200000 {
        h |-> pa1;
        s1table vm_stage1;
        s2table vm_stage2;
        identity 0x1000 with code;
    }

    *pa1 = 1;
"""

[thread.0]
init = {}
code = """
${host.lines.map((line) => `    ${line}`).join('\n')}
"""

[thread.0.reset]
${host.resets.join('\n')}
TTBR0_EL1 = "ttbr(asid=0x0000, base=vm_stage1)"
TTBR0_EL2 = "ttbr(asid=0x0000, base=hyp_map)"
VTTBR_EL2 = "${vttbr(hostVmid)}"
"PSTATE.EL" = "0b10"

[thread.1]
init = {}
code = """
    ${isWrite ? 'STR' : 'LDR'} X0,[X1]
"""

[thread.1.reset]
R0 = "extz(${MARK_OF_GUEST}, 64)"
R1 = "x"
TTBR0_EL1 = "ttbr(asid=0x0000, base=vm_stage1)"
TTBR0_EL2 = "ttbr(asid=0x0000, base=hyp_map)"
VTTBR_EL2 = "${vttbr(vmid)}"
VBAR_EL2 = "extz(0x1000, 64)"
"PSTATE.EL" = "0b01"

[section.thread1_el2_handler]
address = "0x1400"
code = """
    MOV X2,#1
"""

[final]
assertion = "${isWrite ? `*pa1 = ${MARK_OF_GUEST}` : `1:X0 = ${MARK_OF_NEW_OWNER}`}"
`;
}
