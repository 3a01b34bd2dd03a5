import type { CodeLine } from '../assembly/code.ts';
import { blank, type SourceText } from '../source-text.ts';

/** The lines of a code string: instructions end at line ends or `;`, `//` begins a comment. */
export function codeLines(source: SourceText): readonly CodeLine[] {
  const text = blank(blank(source.text, /\/\*[\s\S]*?\*\//g), /\/\/[^\n]*/g);
  const lines: CodeLine[] = [];
  for (const match of text.matchAll(/[^\n;]+/g)) {
    const labels: string[] = [];
    let rest = match[0];
    let offset = match.index;
    for (;;) {
      const label = /^\s*([A-Za-z_.$0-9][\w.$]*)\s*:/.exec(rest);
      if (label === null) break;
      labels.push(label[1] ?? '');
      rest = rest.slice(label[0].length);
      offset += label[0].length;
    }
    const lead = /^\s*/.exec(rest)?.[0].length ?? 0;
    const instruction = rest.trim();
    if (instruction === '' && labels.length === 0) continue;
    lines.push({ labels, text: instruction, at: source.position(offset + lead) });
  }
  return lines;
}
