/**
 * Where an effect comes from, for reports: the line of kernel C that a candidate mirrors, a line of a
 * litmus test, or a line of the user's own candidate.
 */
export interface SourceLocation {
  readonly file: string;
  /** 1-based; 0 when the origin has no line of its own. */
  readonly line: number;
  readonly function: string;
  /** What happens there in a few words, as the report prints it: `kvm_set_pte(pte, 0)`. */
  readonly text: string;
  /**
   * The call this code was reached through, when the front end keeps it: one flush routine has many
   * callers, and a reader wants to know which of them ran. Chains inner to outer.
   */
  readonly caller?: SourceLocation;
}

/**
 * A maker of locations inside one function: `const at = within('mmu.c', 'unmap_stage2_ptes')`. Equal
 * locations are one object, so that a long run makes few of them.
 */
export function within(file: string, fn: string): (line: number, text: string) => SourceLocation {
  const makers = inner(MAKERS, file);
  let at = makers.get(fn);
  if (at === undefined) {
    const known = new Map<number, Map<string, SourceLocation>>();
    at = (line, text) => {
      const ofLine = inner(known, line);
      let location = ofLine.get(text);
      if (location === undefined) {
        location = { file, line, function: fn, text };
        ofLine.set(text, location);
      }
      return location;
    };
    makers.set(fn, at);
  }
  return at;
}

type Maker = (line: number, text: string) => SourceLocation;

const MAKERS = new Map<string, Map<string, Maker>>();

function inner<Outer, Inner, Value>(
  map: Map<Outer, Map<Inner, Value>>,
  key: Outer,
): Map<Inner, Value> {
  let found = map.get(key);
  if (found === undefined) {
    found = new Map();
    map.set(key, found);
  }
  return found;
}

const CALLED = new WeakMap<SourceLocation, WeakMap<SourceLocation, SourceLocation>>();

/** The location as reached through one more call, outside of those it names already. */
export function calledFrom(location: SourceLocation, caller: SourceLocation): SourceLocation {
  let known = CALLED.get(location);
  if (known === undefined) {
    known = new WeakMap();
    CALLED.set(location, known);
  }
  let found = known.get(caller);
  if (found === undefined) {
    const outer = location.caller === undefined ? caller : calledFrom(location.caller, caller);
    found = { ...location, caller: outer };
    known.set(caller, found);
  }
  return found;
}
