import pc from 'picocolors';
import { PLAIN, type Style } from '../report/style.ts';
import type { Io } from './io.ts';

/** Colour and box characters only on a terminal, colour only without NO_COLOR. */
export function styleOf(io: Pick<Io, 'outIsTerminal' | 'columns' | 'noColor'>): Style {
  if (!io.outIsTerminal) return PLAIN;
  const paint = pc.createColors(!io.noColor);
  return {
    width: Math.min(Math.max(io.columns, 80), 132),
    unicode: true,
    bold: paint.bold,
    red: paint.red,
    green: paint.green,
    yellow: paint.yellow,
    dim: paint.dim,
  };
}
