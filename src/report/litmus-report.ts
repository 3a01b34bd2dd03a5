import type { ExplainedOutcome } from '../explore/litmus-explain.ts';
import type { LitmusTest } from '../frontend/litmus/litmus-test.ts';
import type { State } from '../machine/state.ts';
import type { Machine } from '../machine/machine.ts';
import { EVENT, type Transition } from '../machine/transition.ts';
import { AT, get, indexOf } from '../machine/window.ts';
import { labelOf, locationOf } from '../trace/label.ts';
import { labelled } from './layout.ts';
import { hex, observe, tlbChanges, type StateView } from './observe.ts';
import { runTable, type TableRow } from './run-table.ts';
import type { Style } from './style.ts';

/**
 * The run that gives an outcome, laid out as a counterexample is: what is asked, what it starts
 * from, a column per CPU, what each step changed, and where it ends. Consecutive events of one
 * instruction are one step.
 */
export function litmusReport(
  test: LitmusTest,
  { machine, steps, outcome }: ExplainedOutcome,
  style: Style,
): string {
  const states: State[] = [machine.initial, ...steps.map((step) => step.next)];
  const views = states.map((state) => observe(machine, state));
  const first = views[0] as StateView;
  const rows = groupSteps(machine, steps, states).map((group, index): TableRow => {
    const inGroup = steps.slice(group.from, group.to);
    const events = inGroup.map((step, i) =>
      eventText(test, machine, states[group.from + i] as State, step),
    );
    return {
      number: index + 1,
      column: group.pe < 0 ? machine.setup.threads.length : group.pe,
      text: group.line === null ? group.text : `${group.text}  line ${group.line}`,
      detail: events.filter((event) => event !== '').join('; '),
      at: null,
      changes: changes(test, views[group.from] as StateView, views[group.to] as StateView),
      isKey: events.some((event) => event.includes(' stale')),
    };
  });
  const names = machine.setup.threads.map((_, pe) => `CPU${pe}`);
  const lines = [
    `${style.bold(`outcome[${test.name}]`)}: ${outcome.trim()}`,
    `  --> ${test.file}`,
    ...startLines(test, machine, first).flatMap((text, i) =>
      labelled(i === 0 ? '   = start: ' : '            ', text, style.width),
    ),
    '',
    ...runTable(names, rows, 'even', style),
    '',
    ` ends in: ${outcome.trim()}`,
    '',
  ];
  return lines.join('\n');
}

interface Group {
  readonly key: string;
  readonly pe: number;
  readonly text: string;
  readonly line: number | null;
  readonly from: number;
  readonly to: number;
}

/** Consecutive events of one instruction are one group. */
function groupSteps(
  machine: Machine,
  steps: readonly Transition[],
  states: readonly State[],
): readonly Group[] {
  const groups: Group[] = [];
  steps.forEach((step, index) => {
    const state = states[index] as State;
    const label = labelOf(machine, state, step);
    const location = locationOf(machine, state, step);
    // An exception boundary has no instruction of its own.
    const bare = location === null || label.what.startsWith('exception-');
    const key = `${step.pe} ${step.event === EVENT.deliver ? 'deliver' : ''} ${sequence(machine, state, step)}`;
    const last = groups.at(-1);
    if (last !== undefined && last.key === key) {
      groups[groups.length - 1] = { ...last, to: index + 1 };
      return;
    }
    const text = bare ? label.what : location.text;
    const line = bare ? null : location.line;
    groups.push({ key, pe: step.pe, text, line, from: index, to: index + 1 });
  });
  return groups;
}

/** Which instruction of its thread a step belongs to, over the whole run. */
function sequence(machine: Machine, state: State, step: Transition): number {
  if (step.pe < 0) return -1;
  machine.inspect.load(state);
  return machine.inspect.window(step.pe).results.length + step.index;
}

function eventText(test: LitmusTest, machine: Machine, state: State, step: Transition): string {
  const { event, choice } = labelOf(machine, state, step);
  switch (event) {
    case 'do':
      return '';
    case 'read':
    case 'write':
      return `${event}s ${valueAfter(test, machine, state, step) ?? 'nothing'}`;
    case 'translate':
      return choice === 'physical' ? '' : named(test, withLastDescriptor(choice));
    case 'deliver':
      return 'takes effect on this CPU';
    case 'guess':
      return `guessed ${choice}`;
    case 'update':
      return 'hardware updates the descriptor';
    case 'fault':
      return 'the fault is taken';
    case 'write-back':
      return event;
  }
}

/** Of the descriptors read only the last: the address it stands at and its value. */
function withLastDescriptor(choice: string): string {
  return choice.replace(/ \((?:.* )?([^ ()]+)\)$/, ', by $1');
}

/** Addresses, and the value of the descriptor, by their names. */
function named({ names }: LitmusTest, choice: string): string {
  return choice
    .replace(/=(0x[0-9a-f]+)$/, (_, value: string) => ` = ${names.value(BigInt(value))}`)
    .replaceAll(/(pa |by )(0x[0-9a-f]+)/g, (_, before: string, address: string) => {
      return (before === 'pa ' ? 'to ' : before) + names.address(BigInt(address));
    });
}

/** The value read or written; the instance may have left the window since. */
function valueAfter(
  { names }: LitmusTest,
  machine: Machine,
  state: State,
  step: Transition,
): string | null {
  const { inspect } = machine;
  const seq = sequence(machine, state, step);
  inspect.load(step.next);
  const w = inspect.window(step.pe);
  const index = indexOf(w, seq);
  const value = index < 0 ? w.results[seq] : index < w.count ? get(w, index, AT.value) : undefined;
  if (value === undefined || value < 0) return null;
  return names.value(inspect.memory.value(value));
}

/** Memory first, then what the TLBs may hold. */
function changes(test: LitmusTest, before: StateView, after: StateView): readonly string[] {
  const lines: string[] = [];
  for (const [index, now] of after.cells.entries()) {
    const old = before.cells[index];
    if (old === undefined || old.ram === now.ram) continue;
    const { names } = test;
    lines.push(`${names.address(now.address)}: ${names.value(old.ram)} -> ${names.value(now.ram)}`);
  }
  return [...lines, ...tlbChanges(before.leaves, after.leaves, test.names.address)];
}

function startLines(test: LitmusTest, machine: Machine, view: StateView): readonly string[] {
  const { names } = test;
  // The table itself is often mapped, at its own address: no test is about that.
  const leaves = view.leaves.filter(({ entry }) => entry.info.inputBase !== entry.output);
  const held = leaves.map(({ pe, entry }) => {
    const from = names.address(entry.info.inputBase);
    return `cpu${pe} may hold ${from} -> ${names.address(entry.output)} (walk, fill)`;
  });
  return [
    ...machine.setup.memory
      .filter(({ value }) => value !== 0n)
      .filter(({ address }) => names.address(address) !== hex(address))
      .map(({ address, value }) => `${names.address(address)} = ${names.value(value)}`),
    ...new Set(held),
  ];
}
