import type { TokenStream } from '../preprocess/token-stream.ts';

/** The largest alignment that `#pragma pack` allows members at a token; `null` for no limit. */
export function packAt(stream: TokenStream, token: number): number | null {
  const stack: (number | null)[] = [];
  let current: number | null = null;
  for (const pragma of stream.packs) {
    if (pragma.token > token) break;
    const words = pragma.argument.split(',').map((word) => word.trim());
    if (words[0] === 'pop') {
      current = stack.pop() ?? null;
      continue;
    }
    if (words[0] === 'push') stack.push(current);
    const last = words.at(-1) ?? '';
    if (/^\d+$/.test(last)) current = Number(last);
    else if (last === '') current = null;
  }
  return current;
}
