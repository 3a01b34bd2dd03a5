import { decodeStage2 } from '../arm64/stage2-descriptor.ts';
import { levelShift, type Geometry, type Level } from '../arm64/geometry.ts';
import { bitsPerLevel } from '../arm64/granule.ts';
import type { State } from '../machine/state.ts';
import type { EffectInfo } from '../machine/effect-info.ts';
import type { Machine } from '../machine/machine.ts';
import type { Transition } from '../machine/transition.ts';
import type { Fact } from '../machine/facts.ts';
import { executedEffects } from '../trace/executed.ts';

/** A litmus test, or the sentence that says why the run cannot be one. */
export type Exported =
  { readonly kind: 'test'; readonly text: string } | { readonly kind: 'no'; readonly why: string };

/** What the host writes to the page after its operation: an old access then reads or loses it. */
const MARK_OF_NEW_OWNER = 9n;
/** What the guest stores. */
const MARK_OF_GUEST = 7n;

/**
 * A counterexample as a test of isla: the host's stores to descriptors, barriers and TLBIs on one
 * thread, and after them a store of the new owner to the page; the guest's access on the other. The
 * assertion holds when that access went through the translation the operation removed.
 *
 * Left out is what the reference has no words for or what does not matter for one run: loads of the
 * host, locks, data-cache maintenance.
 */
export function exportIsla(
  machine: Machine,
  steps: readonly Transition[],
  title: string,
): Exported {
  const dead = steps.at(-1)?.facts.find((fact) => fact.kind === 'access' && fact.dead);
  const why = obstacle(machine, dead);
  if (why !== null || dead?.kind !== 'access' || dead.ipa === null) {
    return { kind: 'no', why: why ?? 'the last step is no access through a removed translation.' };
  }
  const states: readonly State[] = [machine.initial, ...steps.map(({ next }) => next)];
  const page = (dead.ipa >> 12n) << 12n;
  const leaf = walk(machine, page);
  if (leaf === null) return { kind: 'no', why: 'the page is not mapped when the run starts.' };
  const host = hostCode(machine, executedEffects(machine, states, 0), page, leaf.cells);
  if ('why' in host) return { kind: 'no', why: host.why };
  return { kind: 'test', text: testText(title, host, leaf.level, vmidOf(machine), dead.access) };
}

function obstacle(machine: Machine, dead: Fact | undefined): string | null {
  const { translation, threads } = machine.setup;
  if (dead?.kind !== 'access') {
    return 'only accesses through a removed translation can be expressed: the reference has neither caches nor owners of pages.';
  }
  if (dead.pe === 0 || threads[0]?.context.el !== 2) {
    return 'the access is not one of a guest beside the host.';
  }
  if (translation.stage2?.granule !== '4k') return 'the reference knows only the 4 KiB granule.';
  return null;
}

/** The cells of a stage-2 walk by level at the start, and where it ends. */
interface Walked {
  readonly cells: ReadonlyMap<bigint, number>;
  readonly level: Level;
}

function walk(machine: Machine, ipa: bigint): Walked | null {
  const { translation, memory, threads } = machine.setup;
  const geometry = translation.stage2;
  const root = threads.find(({ context }) => context.el !== 2)?.context.stage2?.root;
  if (geometry === null || root === undefined) return null;
  const words = new Map(memory.map(({ address, value }) => [address, value]));
  const cells = new Map<bigint, number>();
  let table = root;
  for (let level = geometry.startLevel; level <= 3; level = (level + 1) as Level) {
    const cell = table + indexAt(geometry, level, ipa) * 8n;
    cells.set(cell, level);
    const bits = words.get(cell) ?? 0n;
    const descriptor = decodeStage2(bits, level, geometry.granule, translation.features);
    if (descriptor.kind === 'page' || descriptor.kind === 'block') return { cells, level };
    if (descriptor.kind !== 'table') return null;
    table = descriptor.next;
  }
  return null;
}

function indexAt(geometry: Geometry, level: Level, ipa: bigint): bigint {
  const shift = levelShift(geometry.granule, level);
  const bits =
    level === geometry.startLevel ? geometry.inputBits - shift : bitsPerLevel(geometry.granule);
  return (ipa >> BigInt(shift)) & ((1n << BigInt(bits)) - 1n);
}

function vmidOf(machine: Machine): number {
  return machine.setup.threads.find(({ context }) => context.el !== 2)?.context.vmid ?? 0;
}

interface HostCode {
  readonly lines: readonly string[];
  /** Register resets. */
  readonly resets: readonly string[];
  readonly initialVmid: number;
}

function hostCode(
  machine: Machine,
  effects: readonly EffectInfo[],
  page: bigint,
  cells: ReadonlyMap<bigint, number>,
): HostCode | { readonly why: string } {
  const lines: string[] = [];
  const registers = new Map<string, number>();
  const register = (value: string): string => {
    const number = registers.get(value) ?? registers.size;
    registers.set(value, number);
    return `X${number}`;
  };
  for (const { effect, constantAddress } of effects) {
    switch (effect.kind) {
      case 'store': {
        const level = constantAddress === null ? undefined : cells.get(constantAddress);
        // Other words of the host are not part of the translation of this page.
        if (level === undefined) break;
        if (effect.data.kind !== 'const' || effect.data.value !== 0n) {
          return { why: 'the host stores a descriptor that is not invalid.' };
        }
        const cell = register(`pte${level}(ipa1, vm_stage2)`);
        lines.push(`STR ${register('extz(0b0, 64)')},[${cell}]`);
        break;
      }
      case 'dsb':
        lines.push(`DSB ${effect.domain.toUpperCase()}${limitText(effect.limit)}`);
        break;
      case 'dmb':
        lines.push(`DMB ${effect.limit === 'full' ? 'SY' : effect.limit.toUpperCase()}`);
        break;
      case 'isb':
        lines.push('ISB');
        break;
      case 'tlbi': {
        const operand = effect.operand.kind === 'const' ? effect.operand.value : null;
        if (operand === 0n) lines.push(`TLBI ${effect.op}`);
        else if (operand === page >> 12n && effect.op.startsWith('IPAS2')) {
          lines.push(`TLBI ${effect.op},${register('extz(page(ipa1), 64)')}`);
        } else if (!/^IPAS2L?E1/.test(effect.op)) {
          return { why: `the operand of TLBI ${effect.op} has no name in the format.` };
        }
        break;
      }
      case 'context':
        if (effect.change.vmid === undefined) break;
        lines.push(`MSR VTTBR_EL2,${register(vttbr(effect.change.vmid))}`);
        break;
      case 'announce':
        if (effect.fact.kind !== 'operation-returns' && effect.fact.kind !== 'page-reused') break;
        lines.push(`STR ${register(`extz(${MARK_OF_NEW_OWNER}, 64)`)},[${register('h')}]`);
        return {
          lines,
          resets: [...registers].map(([value, number]) => `R${number} = "${value}"`),
          initialVmid: machine.setup.threads[0]?.context.vmid ?? 0,
        };
      default:
    }
  }
  return { why: 'the operation does not return in this run.' };
}

function limitText(limit: 'full' | 'ld' | 'st'): string {
  return limit === 'full' ? '' : limit.toUpperCase();
}

function vttbr(vmid: number): string {
  return `ttbr(vmid=0x${vmid.toString(16).padStart(4, '0')}, base=vm_stage2)`;
}

function testText(
  title: string,
  host: HostCode,
  level: Level,
  vmid: number,
  access: 'read' | 'write' | 'execute',
): string {
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
VTTBR_EL2 = "${vttbr(host.initialVmid)}"
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
