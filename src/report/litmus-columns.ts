import type { ExplainedOutcome } from '../explore/litmus-explain.ts';
import type { State } from '../machine/state.ts';
import type { Machine } from '../machine/machine.ts';
import { EVENT, type Transition } from '../machine/transition.ts';
import { AT, get, indexOf } from '../machine/window.ts';
import { labelOf, locationOf } from '../trace/label.ts';

/** Narrower columns than this are not readable: the text gets wider than asked for instead. */
const NARROWEST = 24;

/** Between columns. */
const GAP = '  ';

/**
 * A run in columns, one per CPU and one for what happens by itself: every event has a number and the
 * instruction it belongs to, and what it chose stands below.
 */
export function litmusColumns(
  { machine, steps, outcome }: ExplainedOutcome,
  width: number,
): string {
  const cpus = machine.setup.threads.length;
  const background = steps.some(({ pe }) => pe < 0);
  const names = [
    ...Array.from({ length: cpus }, (_, pe) => `CPU${pe}`),
    ...(background ? ['background'] : []),
  ];
  const numberWidth = String(steps.length).length;
  const room = width - numberWidth - GAP.length * names.length;
  const column = Math.max(NARROWEST, Math.floor(room / names.length));
  const line = (number: string, cells: readonly string[]): string =>
    [number.padStart(numberWidth), ...cells.map((cell) => cell.padEnd(column))].join(GAP).trimEnd();
  const lines = [line('', names)];
  let state: State = machine.initial;
  steps.forEach((step, index) => {
    const at = step.pe < 0 ? cpus : step.pe;
    stepText(machine, state, step)
      .flatMap((text) => wrap(text, column))
      .forEach((text, i) => {
        const cells = names.map((_, n) => (n === at ? text : ''));
        lines.push(line(i === 0 ? String(index + 1) : '', cells));
      });
    state = step.next;
  });
  return [...lines, '', `ends in: ${outcome.trim()}`, ''].join('\n');
}

/** The instruction, the event, and what was chosen. */
function stepText(machine: Machine, state: State, step: Transition): readonly string[] {
  const label = labelOf(machine, state, step);
  const text = locationOf(machine, state, step)?.text;
  // An exception boundary has no instruction of its own.
  if (text === undefined || label.what.startsWith('exception-')) return [label.what];
  const what = eventText(machine, state, step, label.event, label.choice);
  return what === '' ? [text] : [text, `  ${what}`];
}

function eventText(
  machine: Machine,
  state: State,
  step: Transition,
  event: string,
  choice: string,
): string {
  switch (event) {
    case 'do':
      return choice;
    case 'read':
    case 'write':
      return `${event}s ${valueAfter(machine, state, step) ?? 'nothing'}`;
    case 'translate':
      return `translates: ${withLastDescriptor(choice)}`;
    case 'deliver':
      return 'takes effect on this CPU';
    case 'guess':
      return `guessed ${choice}`;
    case 'update':
      return 'hardware updates the descriptor';
    case 'fault':
      return 'the fault is taken';
    default:
      return event;
  }
}

/** Of the descriptors read only the last: the address it stands at and its value. */
function withLastDescriptor(choice: string): string {
  return choice.replace(/ \((?:.* )?([^ ()]+)\)$/, ', by $1');
}

/** The value read or written; the instance may have left the window since. */
function valueAfter(machine: Machine, state: State, step: Transition): string | null {
  const { inspect } = machine;
  inspect.load(state);
  const seq = inspect.window(step.pe).results.length + step.index;
  inspect.load(step.next);
  const w = inspect.window(step.pe);
  const index = indexOf(w, seq);
  const value = index < 0 ? w.results[seq] : index < w.count ? get(w, index, AT.value) : undefined;
  if (value === undefined || value < 0) return null;
  const word = inspect.memory.value(value);
  return step.event === EVENT.write || word >= 10n ? `0x${word.toString(16)}` : String(word);
}

function wrap(text: string, width: number): readonly string[] {
  const indent = /^ */.exec(text)?.[0] ?? '';
  const lines: string[] = [];
  let current = '';
  for (const word of text.trim().split(' ')) {
    const longer = current === '' ? indent + word : `${current} ${word}`;
    if (current !== '' && longer.length > width) {
      lines.push(current);
      current = `${indent}  ${word}`;
    } else current = longer;
  }
  return current === '' ? lines : [...lines, current];
}
