import { pairMap } from '../../util/pair-map.ts';

/**
 * Words: what the host thread does as one page sees it, as a regular expression without choices but
 * those inside loops. An atom is a token (an effect, as the page sees it), or a loop.
 */
export type Atom =
  | { readonly kind: 'token'; readonly token: number }
  /** At least one of the words, any number of them, in any order. */
  | { readonly kind: 'loop'; readonly words: readonly number[] };

/** Words by id: equal words are one integer. */
export interface WordTable {
  readonly empty: number;
  /** The word and one token more. */
  append(word: number, token: number): number;
  concat(first: number, second: number): number;
  /** The word of one loop over these words, none of them empty. */
  loop(words: readonly number[]): number;
  atoms(word: number): readonly Atom[];
}

/**
 * An empty table. A word is its prefix and its last atom, so that the same sequence, however it was
 * put together, is the same id. Of two equal loops in a row one is left: the language of the word
 * grows by that, which is on the safe side (see docs/proof.md).
 */
export function wordTable(): WordTable {
  const prefixes: number[] = [-1];
  const lasts: number[] = [-1];
  const extended = pairMap();
  const joined = pairMap();
  const loops: (readonly number[])[] = [];
  const loopIds = new Map<string, number>();

  /** Codes of atoms: even for tokens, odd for loops. */
  function extend(word: number, code: number): number {
    if ((code & 1) === 1 && lasts[word] === code) return word;
    const known = extended.get(word, code);
    if (known >= 0) return known;
    const id = prefixes.length;
    prefixes.push(word);
    lasts.push(code);
    extended.set(word, code, id);
    return id;
  }

  function codes(word: number): readonly number[] {
    const list: number[] = [];
    for (let at = word; at > 0; at = prefixes[at] as number) list.push(lasts[at] as number);
    return list.reverse();
  }

  return {
    empty: 0,
    append: (word, token) => extend(word, token * 2),
    concat(first, second) {
      if (second === 0) return first;
      if (first === 0) return second;
      const known = joined.get(first, second);
      if (known >= 0) return known;
      let word = first;
      for (const code of codes(second)) word = extend(word, code);
      joined.set(first, second, word);
      return word;
    },
    loop(words) {
      const sorted = [...new Set(words)].sort((a, b) => a - b);
      const key = sorted.join(',');
      let id = loopIds.get(key);
      if (id === undefined) {
        id = loops.length;
        loops.push(sorted);
        loopIds.set(key, id);
      }
      return extend(0, id * 2 + 1);
    },
    atoms: (word) =>
      codes(word).map((code) =>
        (code & 1) === 0
          ? { kind: 'token', token: code >> 1 }
          : { kind: 'loop', words: loops[code >> 1] ?? [] },
      ),
  };
}
