import { labelled } from '../../report/layout.ts';
import { isInputError, type InputError } from '../../scenario/input-error.ts';
import type { Io } from '../io.ts';
import { findRule } from '../rule-option.ts';
import { styleOf } from '../style.ts';

/** `tlbgate explain`. */
export function explainCommand(
  id: string,
  options: { readonly json?: boolean },
  io: Io,
): number | InputError {
  const found = findRule(id);
  if (isInputError(found)) return found;
  const [rule] = found;
  const { family, statement, why, sources } = rule;
  if (options.json === true) {
    io.out(`${JSON.stringify({ format: 1, id: rule.id, family, statement, why, sources })}\n`);
    return 0;
  }
  const { width } = styleOf(io);
  const lines = [
    `${rule.id}  (${family})`,
    '',
    ...labelled('  ', statement, width),
    '',
    ...labelled('  why      ', why, width),
    '',
    ...sources.flatMap((source, i) =>
      labelled(i === 0 ? '  sources  ' : '           ', source, width),
    ),
  ];
  io.out(`${lines.join('\n')}\n`);
  return 0;
}
