/**
 * What two lines of a list of outcomes are compared by: their parts, whatever the order and the
 * spaces. `1:X0=1;  ~Fault(P0:L0,x);` and `~Fault(P0:L0,x); 1:X0=1;` are one outcome.
 */
export function outcomeKey(outcome: string): string {
  return outcome
    .split(';')
    .map((part) => part.replaceAll(/\s+/g, ''))
    .filter((part) => part !== '')
    .sort()
    .join(';');
}
