/**
 * Litmus tests made of cycles, after the way of diy (Alglave et al., "Fences in weak memory models"):
 * each thread has two accesses with something in between, and shares a location with the next thread.
 * One of the locations is a mapping, written through its descriptor and read explicitly or by a walk.
 */
export interface Cycle {
  readonly threads: readonly CycleThread[];
  /** Which location (the one after that thread) is the mapping; the others are words. */
  readonly page: number;
  /** Whether the mapping exists at the start: then it is broken, otherwise it is made. */
  readonly startsValid: boolean;
  readonly ets2: boolean;
}

/** Two accesses: the first to the location shared with the thread before, the second with the next. */
export interface CycleThread {
  readonly first: CycleAccess;
  readonly between: Between;
  readonly second: CycleAccess;
}

/** `walk`: an access through the mapping, where the location is one; otherwise a plain load. */
export type CycleAccess = 'read' | 'write' | 'walk';

/** What stands between the accesses. A dependency needs a load before it, and is nothing otherwise. */
export type Between =
  | 'nothing'
  | 'dmb-sy'
  | 'dmb-st'
  | 'dmb-ld'
  | 'isb'
  | 'dsb'
  | 'dsb-isb'
  | 'address'
  | 'branch'
  | 'branch-isb'
  | 'tlbi'
  | 'tlbi-isb'
  | 'local-tlbi';

/** All of them. */
export const BETWEEN: readonly Between[] = [
  'nothing',
  'dmb-sy',
  'dmb-st',
  'dmb-ld',
  'isb',
  'dsb',
  'dsb-isb',
  'address',
  'branch',
  'branch-isb',
  'tlbi',
  'tlbi-isb',
  'local-tlbi',
];

/** What the test is made of while it is written. */
interface Parts {
  readonly init: string[];
  readonly shown: string[];
  readonly faults: string[];
}

/** The test in herd7's format. A location that nobody writes is written by the thread before it. */
export function cycleText(cycle: Cycle): string {
  const { page, startsValid } = cycle;
  const threads = withWriters(cycle.threads);
  const count = threads.length;
  const parts: Parts = { init: [], shown: [], faults: [] };
  if (!startsValid) parts.init.push('[PTE(x)]=(oa:PA(x),valid:0);');
  for (let location = 0; location < count; location += 1) {
    if (location === page) continue;
    parts.init.push(`${wordName(location)}=0;`);
    if (bothWrite(threads, location)) parts.shown.push(`${wordName(location)};`);
  }
  const columns = threads.map((thread, t) => {
    const before = (t + count - 1) % count;
    const mine: string[] = [];
    const asAccess = (access: CycleAccess, location: number, isSecond: boolean): void => {
      // Of two writers of a location the thread before it writes last in program text.
      const rewrites = isSecond && bothWrite(threads, location);
      if (location === page) pageAccess(access, rewrites !== startsValid, isSecond);
      else wordAccess(access, wordName(location), rewrites ? 2 : 1, isSecond);
    };
    const depends = dependency(thread);
    const address = (isSecond: boolean): string =>
      isSecond && depends === 'address' ? '[X3,X5,SXTW]' : `[X${isSecond ? 3 : 1}]`;
    const register = (isSecond: boolean): number => (isSecond ? 2 : 0);

    function wordAccess(access: CycleAccess, word: string, value: number, isSecond: boolean): void {
      const r = register(isSecond);
      parts.init.push(`${t}:X${r + 1}=${word};`);
      if (access === 'write') mine.push(`MOV W${r},#${value}`, `STR W${r},${address(isSecond)}`);
      else {
        mine.push(`LDR W${r},${address(isSecond)}`);
        parts.shown.push(`${t}:X${r};`);
      }
    }

    function pageAccess(access: CycleAccess, breaks: boolean, isSecond: boolean): void {
      const r = register(isSecond);
      parts.init.push(`${t}:X${r + 1}=${access === 'walk' ? 'x' : 'PTE(x)'};`);
      if (access === 'write') {
        parts.init.push(`${t}:X${r}=(oa:PA(x)${breaks ? ',valid:0' : ''});`);
        mine.push(`STR X${r},${address(isSecond)}`);
      } else if (access === 'walk') {
        const label = `L${r}`;
        mine.push(`${label}:`, `LDR W${r},${address(isSecond)}`);
        parts.faults.push(`fault(P${t}:${label},x)`);
      } else {
        mine.push(`LDR X${r},${address(isSecond)}`, `AND X${r},X${r},#1`);
        parts.shown.push(`${t}:X${r};`);
      }
    }

    asAccess(thread.first, before, false);
    mine.push(...betweenLines(depends));
    if (depends.includes('tlbi')) parts.init.push(`${t}:X12=x;`);
    asAccess(thread.second, t, true);
    return mine;
  });
  const condition = parts.faults.length > 0 ? parts.faults.join(' \\/ ') : '0:X0=1';
  return [
    'AArch64 cycle',
    `Variant=vmsa,fatal${cycle.ets2 ? ',ETS2' : ''}`,
    '{',
    ...parts.init.map((line) => `  ${line}`),
    '}',
    ...table(columns),
    `locations [${parts.shown.join(' ')}]`,
    `exists (${condition})`,
    '',
  ].join('\n');
}

function wordName(location: number): string {
  return `w${location}`;
}

function bothWrite(threads: readonly CycleThread[], location: number): boolean {
  const next = threads[(location + 1) % threads.length];
  return threads[location]?.second === 'write' && next?.first === 'write';
}

function withWriters(threads: readonly CycleThread[]): readonly CycleThread[] {
  return threads.map((thread, location) => {
    const next = threads[(location + 1) % threads.length];
    return thread.second === 'write' || next?.first === 'write'
      ? thread
      : { ...thread, second: 'write' };
  });
}

/** Dependencies on what is not a load are nothing. */
function dependency({ first, between }: CycleThread): Between {
  if (first !== 'write') return between;
  return between === 'address' || between === 'branch' || between === 'branch-isb'
    ? 'nothing'
    : between;
}

function betweenLines(between: Between): readonly string[] {
  const tlbi = (name: string, domain: string): readonly string[] => [
    `DSB ${domain}`,
    'LSR X9,X12,#12',
    `TLBI ${name},X9`,
    `DSB ${domain}`,
  ];
  switch (between) {
    case 'nothing':
      return [];
    case 'dmb-sy':
      return ['DMB SY'];
    case 'dmb-st':
      return ['DMB ST'];
    case 'dmb-ld':
      return ['DMB LD'];
    case 'isb':
      return ['ISB'];
    case 'dsb':
      return ['DSB ISH'];
    case 'dsb-isb':
      return ['DSB ISH', 'ISB'];
    case 'address':
      return ['EOR W5,W0,W0'];
    case 'branch':
      return ['CBNZ W0,C', 'C:', 'MOV W6,#0'];
    case 'branch-isb':
      return ['CBNZ W0,C', 'C:', 'ISB'];
    case 'tlbi':
      return tlbi('VAAE1IS', 'ISH');
    case 'tlbi-isb':
      return [...tlbi('VAAE1IS', 'ISH'), 'ISB'];
    case 'local-tlbi':
      return tlbi('VAAE1', 'NSH');
  }
}

function table(columns: readonly (readonly string[])[]): readonly string[] {
  const rows = Math.max(...columns.map((column) => column.length));
  const widths = columns.map((column) => Math.max(2, ...column.map((line) => line.length)));
  const row = (cells: readonly string[]): string =>
    ` ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} ;`;
  return [
    row(columns.map((_, t) => `P${t}`)),
    ...Array.from({ length: rows }, (_, r) => row(columns.map((column) => column[r] ?? ''))),
  ];
}
