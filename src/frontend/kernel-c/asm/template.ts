/**
 * One step of an inline assembly template. Operands still stand as `%0` or `%x[name]`; what an
 * instruction means is the business of the kernel runtime.
 */
export type AsmLine =
  | { readonly kind: 'instruction'; readonly text: string }
  /** `1:`; branches inside the template lead to it. */
  | { readonly kind: 'label'; readonly name: string }
  /** Instructions that a kernel function patches at boot, where the capability is present. */
  | { readonly kind: 'callback'; readonly name: string; readonly before: readonly AsmLine[] };

export type AsmReading =
  | { readonly kind: 'ok'; readonly lines: readonly AsmLine[] }
  | { readonly kind: 'unknown'; readonly line: string; readonly why: string };

export interface AsmChoices {
  /** The CPU capabilities of the scenario, by the numbers of the tree. */
  readonly has: (capability: number) => boolean;
  /** The value of an operand that names a capability, such as `%[cpucap]` or `%0`. */
  readonly operand: (name: string) => bigint | null;
}

interface Alternative {
  readonly before: string[];
  readonly after: string[];
  capability: string;
  callback: string | null;
}

/** Directives that do not put an instruction into the text. */
const SILENT =
  /^\.(?:arch_extension|arch|cpu|align|balign|p2align|org|word|hword|short|byte|long|quad|string|ascii|asciz|pushsection|popsection|subsection|previous|section|text|type|size|globl|local|purgem|equ|set)\b/;

/**
 * Splits a template into instructions and chooses the side of each `ALTERNATIVE` (old text between the
 * labels 661 and 662, new text between 663 and 664) by the capabilities of the scenario.
 */
export function readAsmTemplate(template: string, choices: AsmChoices): AsmReading {
  const lines: AsmLine[] = [];
  return put(split(template), choices, lines) ?? { kind: 'ok', lines };
}

type Unknown = AsmReading & { kind: 'unknown' };

/** Puts statements, alternatives chosen; `null` when all were understood. */
function put(statements: readonly string[], choices: AsmChoices, lines: AsmLine[]): Unknown | null {
  for (let i = 0; i < statements.length; i++) {
    const line = statements[i] ?? '';
    const unknown = (why: string): Unknown => ({ kind: 'unknown', line, why });
    if (line.startsWith('.pushsection')) {
      // Tables for the linker, such as those of BUG() and of fault handlers.
      while (i < statements.length && statements[i] !== '.popsection') i += 1;
      continue;
    }
    if (line.startsWith('.section')) {
      // Code that only runs after a fault.
      while (i < statements.length && statements[i] !== '.previous') i += 1;
      continue;
    }
    const condition = /^\.if\s+(-?\w+)\s*==\s*(-?\w+)$/.exec(line);
    const repeat = /^\.rept (\d{1,3})$/.exec(line);
    const label = /^(\w+):$/.exec(line);
    if (condition !== null) {
      const end = endOfCondition(statements, i);
      if (end < 0) return unknown('.if without .endif');
      if (condition[1] === condition[2]) {
        const problem = choose(read(statements.slice(i + 1, end)), choices, lines, unknown);
        if (problem !== null) return problem;
      }
      i = end;
    } else if (repeat !== null) {
      const end = statements.indexOf('.endr', i);
      if (end < 0) return unknown('.rept without .endr');
      const body = statements.slice(i + 1, end);
      for (let n = Number(repeat[1]); n > 0; n--) {
        const problem = put(body, choices, lines);
        if (problem !== null) return problem;
      }
      i = end;
    } else if (label !== null) {
      lines.push({ kind: 'label', name: label[1] ?? '' });
    } else if (line.startsWith('.') && !line.startsWith('.inst')) {
      if (!SILENT.test(line)) {
        return unknown(
          'this directive is not known; src/frontend/kernel-c/asm/template.ts must learn it',
        );
      }
    } else {
      lines.push({ kind: 'instruction', text: line });
    }
  }
  return null;
}

/** Statements without comments: one per line or between semicolons. */
function split(template: string): string[] {
  // Macros that only make `mrs_s` and `msr_s` known; these are instructions to us.
  return template
    .replace(/\/\/.*$/gm, '')
    .replace(/\.macro\b[^]*?\.endm\b/g, '')
    .replace(/\.irp\b[^]*?\.endr\b/g, '')
    .split(/[\n;]/)
    .flatMap((line) => line.split(/(?<=^\s*\w+:)/))
    .map((line) => line.trim().replace(/\s+/g, ' '))
    .filter((line) => line !== '');
}

function endOfCondition(statements: readonly string[], from: number): number {
  let depth = 0;
  for (let i = from; i < statements.length; i++) {
    if (statements[i]?.startsWith('.if') === true) depth += 1;
    else if (statements[i] === '.endif' && --depth === 0) return i;
  }
  return -1;
}

function read(body: readonly string[]): Alternative {
  const alternative: Alternative = { before: [], after: [], capability: '', callback: null };
  let part: string[] | null = null;
  for (let i = 0; i < body.length; i++) {
    const line = body[i] ?? '';
    if (line.startsWith('.if')) {
      // An alternative inside an alternative stays whole for now.
      const end = endOfCondition(body, i);
      part?.push(...body.slice(i, (end < 0 ? body.length : end) + 1));
      i = end < 0 ? body.length : end;
      continue;
    }
    const callback = /^\.word (\w+) ?- ?\.$/.exec(line)?.[1];
    if (line === '661:') part = alternative.before;
    else if (line === '663:') part = alternative.after;
    else if (line === '662:' || line === '664:') part = null;
    else if (line.startsWith('.hword ')) alternative.capability = line.slice('.hword '.length);
    else if (callback !== undefined && !/^66\d[bf]$/.test(callback))
      alternative.callback = callback;
    else part?.push(line);
  }
  return alternative;
}

function choose(
  alternative: Alternative,
  choices: AsmChoices,
  lines: AsmLine[],
  unknown: (why: string) => Unknown,
): Unknown | null {
  const capability = capabilityOf(alternative.capability, choices);
  if (capability === null) {
    return unknown(
      `the capability "${alternative.capability}" of an ALTERNATIVE is not understood`,
    );
  }
  const present = choices.has(capability);
  if (!present || alternative.callback === null) {
    return put(present ? alternative.after : alternative.before, choices, lines);
  }
  // The one callback whose effect is the same everywhere: every instruction becomes a nop.
  if (alternative.callback === 'alt_cb_patch_nops') return null;
  const before: AsmLine[] = [];
  const problem = put(alternative.before, choices, before);
  lines.push({ kind: 'callback', name: alternative.callback, before });
  return problem;
}

/** `25`, `%[cpucap]`, `(1 << 15) | (25)`: the high bit marks a callback. */
function capabilityOf(text: string, choices: AsmChoices): number | null {
  const bare = text
    .replace(/^\(1 << 15\) ?\| ?/, '')
    .replace(/^\((.*)\)$/, '$1')
    .trim();
  if (/^\d+$/.test(bare)) return Number(bare) & 0x7fff;
  const operand = /^%\w?(?:\[(\w+)\]|(\d+))$/.exec(bare);
  const value = operand === null ? null : choices.operand(operand[1] ?? operand[2] ?? '');
  return value === null ? null : Number(value) & 0x7fff;
}
