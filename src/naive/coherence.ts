import { sameWord } from './instance.ts';
import type { Instance, Pe, Source } from './state.ts';

/**
 * Coherence by refusal: an instance may overtake an earlier one to the same word, and the run is
 * dropped where the values then would need an order of writes that program order forbids.
 *
 * CoRR: a later read that is already performed must not have taken something older than what the
 * read at `at` takes now.
 */
export function mayTakeRead(pe: Pe, at: number, source: Source): boolean {
  const self = pe.window[at];
  if (self === undefined) return false;
  return laterReads(pe, at, self).every((later) => {
    // A store between the two is newer than anything the earlier read can take.
    if (later.kind === 'forwarded' && later.from > self.seq) return true;
    if (source.kind === 'forwarded') {
      return later.kind === 'forwarded' && later.from >= source.from;
    }
    if (later.kind !== 'memory') return false;
    return later.arrival !== null && source.arrival !== null
      ? later.arrival >= source.arrival
      : later.version >= source.version;
  });
}

/** CoWR: a later read already performed must have taken this store or an own one after it. */
export function mayTakeWrite(pe: Pe, at: number): boolean {
  const self = pe.window[at];
  if (self === undefined) return false;
  return laterReads(pe, at, self).every(
    (later) => later.kind === 'forwarded' && later.from >= self.seq,
  );
}

function laterReads(pe: Pe, at: number, self: Instance): readonly Source[] {
  return pe.window
    .slice(at + 1)
    .filter((later) => sameWord(pe, self, later))
    .flatMap(({ source }) => (source === null ? [] : [source]));
}
