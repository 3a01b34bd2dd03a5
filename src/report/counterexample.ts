import type { Candidate } from '../candidates/candidate.ts';
import type { FoundRun } from '../explore/counterexample-search.ts';
import { openedFunctions } from '../explore/minimal-run.ts';
import type { Fact } from '../machine/facts.ts';
import { EVENT, type Transition } from '../machine/transition.ts';
import type { State } from '../machine/state.ts';
import { MARK_BITS } from '../machine/translation-entry.ts';
import type { SourceLocation } from '../program/source-location.ts';
import type { Rule } from '../rules/rule.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { labelOf, type Label } from '../trace/label.ts';
import { operationOf } from '../trace/operation.ts';
import { roleOf } from './roles.ts';
import type { TableRow } from './run-table.ts';
import { changesBetween, hex, observe, show, type StateView } from './observe.ts';

/** One step as a reader sees it: everything one agent did for one kernel-level operation. */
export interface Row extends TableRow {
  readonly kind: 'host' | 'guest' | 'background' | 'memory';
  /** What the step is there for. */
  readonly role: string | null;
  /** Number of labels of the run up to and with this row. */
  readonly until: number;
}

/** The TLB entry and the copies of memory at the step that matters most. */
export interface KeyMoment {
  readonly step: number;
  readonly pe: number;
  readonly entry: string;
  readonly status: 'stale' | 'dead' | 'current';
  readonly age: string;
  readonly address: bigint;
  readonly ram: string;
  readonly cache: string;
  readonly invalidations: string;
}

/** A place in the source with a few words about it. */
export interface Span {
  readonly at: SourceLocation;
  readonly note: string;
  readonly primary: boolean;
}

/** A counterexample as data. */
export interface Counterexample {
  readonly rule: Rule;
  readonly candidate: Pick<Candidate, 'mirrors'>;
  readonly scenario: Scenario;
  readonly message: string;
  readonly columns: readonly string[];
  readonly start: readonly string[];
  readonly rows: readonly Row[];
  readonly spans: readonly Span[];
  readonly key: KeyMoment | null;
  readonly expected: string | null;
  readonly received: string | null;
  readonly labels: readonly Label[];
  readonly minimal: boolean;
  readonly explored: number;
}

/** File of the locations of guest accesses, which have no source. */
const GUEST_FILE = 'guest';

interface Group {
  readonly key: string;
  readonly pe: number;
  readonly at: SourceLocation | null;
  readonly from: number;
  readonly to: number;
}

/** Makes a readable counterexample of a run. */
export function counterexample(
  candidate: Pick<Candidate, 'mirrors'>,
  rule: Rule,
  found: FoundRun,
): Counterexample {
  const { machine, steps, scenario } = found;
  const states: State[] = [machine.initial, ...steps.map((step) => step.next)];
  const stateAt = (index: number): State => states[index] as State;
  const views = states.map((state) => observe(machine, state));
  const viewAt = (index: number): StateView => views[index] as StateView;
  const labels = steps.map((step, i) => labelOf(machine, stateAt(i), step));
  const violating = violatingFact(rule, steps);
  const hosts = scenario.hosts;
  const columns = columnNames(scenario);
  const groups = groupSteps(candidate, found, states);

  const touched =
    violating?.kind === 'content-read' || violating?.kind === 'access' ? violating.pa : null;
  const drafts = groups.map((group): Omit<Row, 'number'> => {
    const changes = changesBetween(machine, viewAt(group.from), viewAt(group.to));
    const inGroup = labels.slice(group.from, group.to);
    const isGuest = group.pe >= hosts && group.at?.file === GUEST_FILE;
    const last = group.to === steps.length;
    const cleans = inGroup.some(
      ({ what }) => touched !== null && what.startsWith('DC ') && what.endsWith(hex(touched)),
    );
    const via = inGroup.find(({ event }) => event === 'translate');
    const leaves = viewAt(group.to).leaves;
    const missed =
      inGroup.some(({ what, event }) => event === 'do' && what.startsWith('TLBI')) &&
      leaves.some(({ stale, pe, entry }) => stale && pe >= hosts && isOf(entry.output, touched)) &&
      !changes.some((line) => line.endsWith('is gone'));
    const promises =
      inGroup.some(({ what }) => what === 'operation-returns') && leaves.some(({ dead }) => dead);
    return {
      column: group.pe < 0 ? columns.length - 1 : group.pe,
      kind: group.pe < 0 ? 'memory' : isGuest ? 'guest' : 'host',
      text: textOf(group, inGroup),
      detail: detailOf(inGroup, isGuest),
      at: group.at,
      changes: cleans ? [`D-cache[${hex(touched ?? 0n)}]: dropped`, ...changes] : changes,
      isKey: false,
      role: roleOf({ isGuest, cleans, changes, last, missed, promises, choice: via?.choice ?? '' }),
      until: group.to,
    };
  });
  const fill = speculativeFill(violating, views, groups, columns.length - 1);
  const rows: Omit<Row, 'number'>[] = [...drafts];
  if (fill !== null) rows.splice(fill.before, 0, fill.row);
  const keyIndex = keyRow(rows, labels);
  let number = 0;
  const numbered = rows.map((row, index): Row => {
    const counts = row.role !== null || index === keyIndex;
    if (counts) number += 1;
    return { ...row, isKey: index === keyIndex, number: counts ? number : null };
  });
  const key = keyMoment(found, numbered, views, labels, touched);
  return {
    rule,
    candidate,
    scenario,
    message: found.message,
    columns,
    start: startLines(viewAt(0), scenario, touched),
    rows: numbered,
    spans: spansOf(numbered),
    key,
    ...expectation(violating),
    labels,
    minimal: found.minimal,
    explored: found.explored,
  };
}

function violatingFact(rule: Rule, steps: readonly Transition[]): Fact | null {
  return steps.at(-1)?.facts.find((fact) => rule.check(fact) !== null) ?? null;
}

function columnNames(scenario: Scenario): readonly string[] {
  const names: string[] = [];
  for (let host = 0; host < scenario.hosts; host += 1) names.push(`CPU${names.length}  host`);
  for (let vcpu = 0; vcpu < scenario.vcpus; vcpu += 1)
    names.push(`CPU${names.length}  vcpu${vcpu}`);
  if (scenario.secondVm) names.push(`CPU${names.length}  other VM`);
  return [...names, 'background'];
}

function groupSteps(
  candidate: Pick<Candidate, 'mirrors'>,
  { machine, steps }: FoundRun,
  states: readonly State[],
): readonly Group[] {
  const opened = openedFunctions(candidate);
  const groups: Group[] = [];
  steps.forEach((step, index) => {
    const operation = operationOf(machine, states[index] as State, step, opened);
    const last = groups.at(-1);
    if (last !== undefined && (operation === null || operation.key === last.key)) {
      groups[groups.length - 1] = { ...last, to: index + 1 };
      return;
    }
    const { key, pe, at } = operation ?? { key: '', pe: step.pe, at: null };
    groups.push({ key, pe, at, from: index, to: index + 1 });
  });
  return groups;
}

function textOf(group: Group, labels: readonly Label[]): string {
  if (group.at === null) return labels[0]?.what ?? 'the environment chooses';
  const translated = labels.some(({ event }) => event === 'translate');
  const done = labels.some(({ event }) => event === 'read' || event === 'write');
  if (translated && !done) return `${group.at.text}: translated, not yet performed`;
  if (!translated && done && labels.some(({ where }) => where.startsWith('vcpu'))) {
    return `${group.at.text}: performed`;
  }
  return group.at.text;
}

/** The instructions of a host step that a reader looks for. */
function detailOf(labels: readonly Label[], isGuest: boolean): string {
  const choice = labels.find(({ event }) => event === 'translate')?.choice ?? '';
  if (isGuest && choice !== '') return choice.replace(/ \(.*$/, '');
  const words: string[] = [];
  for (const { event, what } of labels) {
    if (event === 'do' && /^(TLBI|DSB|DC|IC) /.test(what)) words.push(what);
  }
  return words.length > 6 ? `${words.slice(0, 5).join('; ')}; ...` : words.join('; ');
}

function isOf(output: bigint, touched: bigint | null): boolean {
  return touched === null || output === touched;
}

/** Where a clean line must have been filled for the host to read an old value from it. */
function speculativeFill(
  violating: Fact | null,
  views: readonly StateView[],
  groups: readonly Group[],
  column: number,
): { readonly before: number; readonly row: Omit<Row, 'number'> } | null {
  if (violating?.kind !== 'content-read') return null;
  const { pa, value } = violating;
  const ramAt = (index: number): bigint | undefined =>
    views[index]?.cells.find(({ address }) => address === pa)?.ram;
  for (let index = groups.length - 1; index >= 0; index -= 1) {
    const group = groups[index];
    if (group === undefined || ramAt(group.from) !== value || ramAt(group.to) === value) continue;
    return {
      before: index,
      row: {
        column,
        kind: 'background',
        text: 'speculative fill through the linear map',
        detail: '',
        at: null,
        changes: [`D-cache[${hex(pa)}] = ${show(value)} clean`],
        isKey: false,
        role: 'puts the value of now into the cache; it hides what is stored past it later',
        until: group.from,
      },
    };
  }
  return null;
}

/** The last guest access through an old translation; otherwise the last row. */
function keyRow(rows: readonly Omit<Row, 'number'>[], labels: readonly Label[]): number {
  for (let index = rows.length - 1; index >= 0; index -= 1) {
    const row = rows[index];
    if (row?.kind === 'guest' && /stale|dead/.test(row.detail)) return index;
  }
  return labels.length === 0 ? -1 : rows.length - 1;
}

function keyMoment(
  found: FoundRun,
  rows: readonly Row[],
  views: readonly StateView[],
  labels: readonly Label[],
  touched: bigint | null,
): KeyMoment | null {
  const index = rows.findIndex((row) => row.isKey);
  const row = rows[index];
  if (row === undefined || row.number === null || row.kind !== 'guest') return null;
  const from = rows[index - 1]?.until ?? 0;
  const at = labels.findIndex(
    ({ event }, i) => i >= from && i < row.until && event === 'translate',
  );
  const step = found.steps[at];
  if (step === undefined || step.event !== EVENT.translate || step.choice < 0) return null;
  const result = found.machine.inspect.tlbs.results.item(step.choice >> MARK_BITS);
  const cells = [...result.path1, ...result.path2].filter((_, i) => i % 2 === 0);
  const addresses = cells.map((cell) => hex(found.machine.inspect.memory.addressOf(cell)));
  const cleared = rows.find(
    (other) =>
      other.until < row.until &&
      other.changes.some((line) => addresses.some((a) => line.startsWith(`entry at ${a}:`))),
  );
  const flushes = rows.filter(
    (other) => other.until <= from && other.detail.includes('TLBI') && other.kind === 'host',
  );
  const address = touched ?? result.pa;
  const cell = views[row.until]?.cells.find((each) => each.address === address);
  const label = labels[at];
  const status = label?.choice.includes(' dead')
    ? 'dead'
    : label?.choice.includes(' stale')
      ? 'stale'
      : 'current';
  const type = result.bypassesCache ? 'past the cache' : 'cacheable';
  const ipa = result.ipa === null ? '' : `ipa ${hex(result.ipa)} `;
  return {
    step: row.number,
    pe: row.column,
    entry: `vmid ${result.vmid}  ${ipa}-> pa ${hex(result.pa)}  ${type}`,
    status,
    age:
      cleared === undefined || cleared.number === null
        ? 'its descriptors are current'
        : `filled before step ${cleared.number}, where its descriptor went away`,
    address,
    ram: cell === undefined ? 'not watched' : show(cell.ram),
    cache: cacheText(cell, rows, index),
    invalidations: flushes.length === 0 ? 'none' : flushes.map(({ text }) => text).join(', '),
  };
}

function cacheText(
  cell: StateView['cells'][number] | undefined,
  rows: readonly Row[],
  index: number,
): string {
  if (cell === undefined || !cell.isLine) return 'not modelled';
  if (cell.dirty !== null) return `${show(cell.dirty)}  dirty`;
  const fill = rows.slice(0, index).find((row) => row.kind === 'background');
  const filled = fill?.changes[0]?.replace(/^.* = /, '').replace(/ clean$/, '  clean');
  return filled ?? `${cell.clean.map(show).join(' or ')}  clean, or empty`;
}

function startLines(
  view: StateView,
  scenario: Scenario,
  touched: bigint | null,
): readonly string[] {
  const lines = [`guest: ${VIEW_TEXT[scenario.view]}`];
  for (const { address, ram, isLine } of view.cells) {
    if (!isLine || (touched !== null && address !== touched)) continue;
    lines.push(`RAM[${hex(address)}] = ${show(ram)}, D-cache[${hex(address)}] = empty`);
  }
  const leaf = view.leaves.find(
    ({ pe, entry }) => pe >= scenario.hosts && (touched === null || entry.output === touched),
  );
  if (leaf !== undefined) {
    const { pe, entry } = leaf;
    lines.push(
      `cpu${pe} may hold ${hex(entry.info.inputBase)} -> ${hex(entry.output)} (walk, fill)`,
    );
  }
  return lines;
}

const VIEW_TEXT: { readonly [view in Scenario['view']]: string } = {
  'mmu-off': 'its MMU is off, so its data accesses are Device and, without FWB, go past the caches',
  'non-cacheable': 'maps its pages Normal Non-cacheable',
  device: 'maps its pages Device',
  cacheable: 'maps its pages Normal Write-Back',
};

/** The source lines of the run: where the tables change, where it goes wrong, where the flush is. */
function spansOf(rows: readonly Row[]): readonly Span[] {
  const spans: Span[] = [];
  const key = rows.findIndex((row) => row.isKey);
  const before = rows.filter((row, i) => row.kind === 'host' && row.number !== null && i < key);
  const after = rows.filter((row, i) => row.kind === 'host' && row.number !== null && i > key);
  const cleaning = before.find(({ changes }) => changes[0]?.endsWith('dropped') === true);
  const clear = before.find(({ changes }) => changes.some((line) => line.startsWith('entry at')));
  const flush = after.find(({ changes }) => changes.some((line) => line.endsWith('is gone')));
  const last = rows
    .filter((row) => row.kind === 'host' && row.at !== null && row.at.line > 0)
    .at(-1);
  const missing = before.find(({ role }) => role === 'does not remove the old translation');
  const culprit = cleaning ?? missing ?? clear ?? last ?? null;
  const add = (row: Row | null | undefined, note: string): void => {
    const at = row?.at ?? null;
    if (at === null || at.line === 0 || spans.some((span) => span.at.line === at.line)) return;
    spans.push({ at, note, primary: row === culprit });
  };
  add(
    clear,
    cleaning === undefined
      ? 'the entry changes here, and what is cached of it stays'
      : 'entry invalid from here on, but a copy may be cached',
  );
  add(cleaning, 'cleaned and invalidated while a TLB entry is live');
  add(missing, 'this invalidation leaves the old translation in place');
  add(flush, 'the invalidation comes only here');
  if (spans.length === 0) add(culprit, 'the last step of the host');
  return spans;
}

function expectation(violating: Fact | null): {
  readonly expected: string | null;
  readonly received: string | null;
} {
  if (violating?.kind !== 'content-read') return { expected: null, received: null };
  const where = `a cacheable read of ${hex(violating.pa)} after the operation returns`;
  return {
    expected: `${where} ${show(violating.lastStored)}`,
    received: `${show(violating.value)}  (the old value: what the guest stored is lost)`,
  };
}
