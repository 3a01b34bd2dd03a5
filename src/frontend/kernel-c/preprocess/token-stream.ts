import { type Place, placeOf, type Sources } from './sources.ts';
import { spelling } from './symbols.ts';
import { STRIDE } from './token-buffer.ts';

/** A preprocessed translation unit: four integers per token (see `TokenBuffer`) and the macro uses. */
export interface TokenStream {
  readonly sources: Sources;
  readonly unit: string;
  readonly count: number;
  readonly data: Int32Array;
  /** Four integers per macro invocation: name, location, origin of the invoking token, unused. */
  readonly origins: Int32Array;
  /** Each `#pragma pack`: the token it stands before, and the text between its parentheses. */
  readonly packs: readonly Pack[];
}

export interface Pack {
  readonly token: number;
  readonly argument: string;
}

/** Where a token comes from. */
export interface TokenOrigin {
  /** Where a person would point: the outermost macro use, or the token itself. */
  readonly use: Place;
  /** Where the token is spelt, possibly inside a macro definition. */
  readonly spelt: Place;
  /** The macros it came through, outermost first, each with the place of its use. */
  readonly macros: readonly { readonly name: string; readonly place: Place }[];
}

export function symbolAt(stream: TokenStream, token: number): number {
  return token >= 0 && token < stream.count ? (stream.data[token * STRIDE] ?? 0) : 0;
}

export function textAt(stream: TokenStream, token: number): string {
  return spelling(stream.sources.symbols, symbolAt(stream, token));
}

export function originOf(stream: TokenStream, token: number): TokenOrigin {
  const at = Math.max(0, Math.min(token, stream.count - 1)) * STRIDE;
  const location = stream.data[at + 2] ?? 0;
  const spelt = placeOf(stream.sources, location);
  const macros: { name: string; place: Place }[] = [];
  let use = spelt;
  for (let id = stream.data[at + 3] ?? 0; id !== 0; id = stream.origins[id * 4 + 2] ?? 0) {
    use = placeOf(stream.sources, stream.origins[id * 4 + 1] ?? 0);
    macros.unshift({
      name: spelling(stream.sources.symbols, stream.origins[id * 4] ?? 0),
      place: use,
    });
  }
  return { use, spelt, macros };
}

/** The place of the outermost use alone: what most callers need. */
export function useOf(stream: TokenStream, token: number): Place {
  const at = Math.max(0, Math.min(token, stream.count - 1)) * STRIDE;
  let location = stream.data[at + 2] ?? 0;
  for (let id = stream.data[at + 3] ?? 0; id !== 0; id = stream.origins[id * 4 + 2] ?? 0) {
    location = stream.origins[id * 4 + 1] ?? 0;
  }
  return placeOf(stream.sources, location);
}
