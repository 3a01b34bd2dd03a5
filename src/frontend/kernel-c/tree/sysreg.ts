import { FrontendError } from '../diagnostic.ts';

type Block = 'none' | 'register' | 'fields' | 'prefix' | 'enum';

/** Masks of the reserved bits of a register, as C. */
interface Reserved {
  res0: string;
  res1: string;
  unkn: string;
}

/**
 * Makes `asm/sysreg-defs.h` from the tree's own `arch/arm64/tools/sysreg`, as the awk script beside it
 * does: for each register its encoding, for each field mask, shift and width, for each value a name.
 */
export function sysregDefinitions(text: string, path: string): string {
  const out: string[] = ['/* synthesised by tlbgate from the tree */'];
  let register = '';
  let field = '';
  let prefix = '';
  let block: Block = 'none';
  /** The blocks around this one. */
  const outer: Block[] = [];
  let reserved: Reserved | null = null;
  const defineReserved = (): void => {
    if (reserved === null) return;
    out.push(`#define ${prefix}${register}_RES0 (${reserved.res0})`);
    out.push(`#define ${prefix}${register}_RES1 (${reserved.res1})`);
    out.push(`#define ${prefix}${register}_UNKN (${reserved.unkn})`);
  };
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const line = (lines[i] ?? '').replace(/^[ \t]*#.*/, '').trim();
    if (line === '') continue;
    const words = line.split(/\s+/);
    const fail = (why: string): FrontendError =>
      new FrontendError(path, i + 1, 1, `"${line.slice(0, 60)}": ${why}`);
    const [keyword = '', first = '', second = ''] = words;
    switch (keyword) {
      case 'SysregFields':
      case 'Sysreg':
        if (block !== 'none') throw fail(`${keyword} inside another block`);
        register = first;
        reserved = nothingReserved();
        block = keyword === 'Sysreg' ? 'register' : 'fields';
        if (keyword === 'Sysreg') {
          if (words.length !== 7) throw fail('a Sysreg line has a name and five numbers');
          defineRegister(out, words.slice(1));
        }
        break;
      case 'EndSysregFields':
      case 'EndSysreg':
        defineReserved();
        block = 'none';
        break;
      // Fields that mean something else with another feature: their names begin with that of the feature.
      case 'Prefix':
        if (block !== 'register' && block !== 'fields') throw fail('a Prefix outside a register');
        outer.push(block);
        block = 'prefix';
        prefix = `${first}_`;
        reserved = nothingReserved();
        break;
      case 'EndPrefix':
        if (block !== 'prefix') throw fail('there is no Prefix that ends here');
        defineReserved();
        block = outer.pop() ?? 'none';
        prefix = '';
        reserved = nothingReserved();
        break;
      case 'Fields':
      case 'Mapping':
        reserved = null;
        break;
      case 'Res0':
      case 'Res1':
      case 'Unkn': {
        const { high, low } = bits(first, fail);
        const mask = ` | GENMASK_ULL(${high}, ${low})`;
        if (reserved === null) throw fail('reserved bits in a register with Fields');
        if (keyword === 'Res0') reserved.res0 += mask;
        else if (keyword === 'Res1') reserved.res1 += mask;
        else reserved.unkn += mask;
        break;
      }
      case 'Raz':
        break;
      case 'Field':
        defineField(out, prefix + register, second, bits(first, fail));
        break;
      case 'Enum':
      case 'SignedEnum':
      case 'UnsignedEnum':
        if (block === 'none' || block === 'enum') throw fail('an Enum outside a register');
        outer.push(block);
        block = 'enum';
        field = second;
        defineField(out, prefix + register, field, bits(first, fail));
        if (keyword !== 'Enum') {
          out.push(
            `#define ${prefix}${register}_${field}_SIGNED ${String(keyword === 'SignedEnum')}`,
          );
        }
        break;
      case 'EndEnum':
        block = outer.pop() ?? 'none';
        break;
      default:
        // The tree's script asks for no more than that the value begins so: some trees have 0b0002.
        if (block !== 'enum' || !/^0b[01]/.test(keyword)) {
          throw fail(
            'this statement is not known; src/frontend/kernel-c/tree/sysreg.ts must learn it',
          );
        }
        out.push(`#define ${prefix}${register}_${field}_${first} UL(${keyword})`);
    }
  }
  return `${out.join('\n')}\n`;
}

function nothingReserved(): Reserved {
  return { res0: 'UL(0)', res1: 'UL(0)', unkn: 'UL(0)' };
}

function defineRegister(out: string[], words: readonly string[]): void {
  const [name = '', op0 = '', op1 = '', crn = '', crm = '', op2 = ''] = words;
  out.push(`#define REG_${name} S${op0}_${op1}_C${crn}_C${crm}_${op2}`);
  out.push(`#define SYS_${name} sys_reg(${op0}, ${op1}, ${crn}, ${crm}, ${op2})`);
  out.push(`#define SYS_${name}_Op0 ${op0}`);
  out.push(`#define SYS_${name}_Op1 ${op1}`);
  out.push(`#define SYS_${name}_CRn ${crn}`);
  out.push(`#define SYS_${name}_CRm ${crm}`);
  out.push(`#define SYS_${name}_Op2 ${op2}`);
}

function defineField(
  out: string[],
  register: string,
  field: string,
  { high, low }: { readonly high: number; readonly low: number },
): void {
  const name = `${register}_${field}`;
  out.push(`#define ${name} GENMASK(${high}, ${low})`);
  out.push(`#define ${name}_MASK GENMASK(${high}, ${low})`);
  out.push(`#define ${name}_SHIFT ${low}`);
  out.push(`#define ${name}_WIDTH ${high - low + 1}`);
}

function bits(
  text: string,
  fail: (why: string) => FrontendError,
): { readonly high: number; readonly low: number } {
  const match = /^(\d{1,2})(?::(\d{1,2}))?$/.exec(text);
  if (match === null) throw fail('the bits are not of the form "high:low"');
  const high = Number(match[1]);
  return { high, low: Number(match[2] ?? match[1]) };
}
