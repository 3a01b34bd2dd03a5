import type { Position } from '../problem.ts';
import { decodeData } from './decode-data.ts';
import { decodeMemory } from './decode-memory.ts';
import { decodeSystem } from './decode-system.ts';
import type { Instruction } from './instruction.ts';
import { splitLine, unsupported } from './operand.ts';

/** Decodes one line of assembly into one instruction, or the two accesses of a pair instruction. */
export function decode(text: string, at: Position): readonly Instruction[] {
  const line = splitLine(text, at);
  const simple = decodeData(line) ?? decodeSystem(line);
  if (simple !== null) return [simple];
  return decodeMemory(line) ?? unsupported(line);
}
