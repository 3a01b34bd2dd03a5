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

/** A maker of locations inside one function: `const at = within('mmu.c', 'unmap_stage2_ptes')`. */
export function within(file: string, fn: string): (line: number, text: string) => SourceLocation {
  return (line, text) => ({ file, line, function: fn, text });
}
